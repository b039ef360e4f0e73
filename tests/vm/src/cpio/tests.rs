use std::{path::Path, process::Command};

use super::Archive;

#[test]
fn another_program_reads_what_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut archive = Archive::new(Vec::new());
    archive.directory(Path::new("/a")).expect("memory");
    for len in 0..9 {
        let content = vec![b'x'; len];
        archive.file(&Path::new("/a").join("n".repeat(len + 1)), &content).expect("memory");
    }
    archive.symlink(Path::new("/a/link"), "nnn").expect("memory");
    std::fs::write(folder.path().join("archive"), archive.finish().expect("memory")).expect("writable");
    let unpacked = Command::new("busybox")
        .args(["cpio", "-i", "-F", "archive"])
        .current_dir(folder.path())
        .output()
        .expect("busybox is installed (apt-get install -y busybox)");
    assert!(unpacked.status.success(), "{}", String::from_utf8_lossy(&unpacked.stderr));
    for len in 0..9 {
        let file = folder.path().join("a").join("n".repeat(len + 1));
        assert_eq!(std::fs::read(file).expect("unpacked").len(), len);
    }
    let link = std::fs::read_link(folder.path().join("a/link")).expect("a link");
    assert_eq!(link, Path::new("nnn"));
}
