//! Where the programs are that messages are held against; one that is missing fails the test that needs it.

use std::{
    env,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
};

pub(crate) const OS_KEN: &str = "4.2.2";

/// The Python that has os-ken, in an environment of its own below the cache directory.
pub(crate) fn os_ken_python() -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| env::home_dir().map(|home| home.join(".cache"))).expect("a home directory");
    let place = cache.join("wirecenter/os-ken");
    let python = place.join("bin/python");
    assert!(
        python.exists(),
        "os-ken is missing; `cargo xtask test` installs it, or: python3 -m venv {place} && {place}/bin/pip install os-ken=={OS_KEN}",
        place = place.display()
    );
    python
}

/// What a program writes when it is given `input`.
pub(crate) fn output_of(mut command: Command, input: Vec<u8>) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            let program = command.get_program().to_string_lossy().into_owned();
            panic!("{program}: {error}; `cargo xtask test` installs what is missing, or: apt-get install {program}")
        });
    let mut stdin = child.stdin.take().expect("piped");
    let writer = thread::spawn(move || {
        // A program that ends early has said why.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().expect("its output");
    writer.join().expect("written");
    output
}

/// Open vSwitch, installed or unpacked beside the tests as `cargo xtask` does it.
#[derive(Clone)]
pub(crate) struct OpenVSwitch {
    root: PathBuf,
}

impl OpenVSwitch {
    pub(crate) fn find() -> Self {
        let exe = env::current_exe().expect("this program");
        let unpacked = exe.ancestors().nth(2).expect("a folder").join("rivals/openvswitch-switch");
        let places = [PathBuf::from("/"), unpacked];
        let found =
            places.into_iter().find(|root| root.join("usr/lib/openvswitch-switch/ovs-vswitchd").exists());
        Self {
            root: found.expect(
                "Open vSwitch is missing; `cargo xtask test` fetches it, or: apt-get install openvswitch-switch",
            ),
        }
    }

    pub(crate) fn path(&self, of: &str) -> PathBuf {
        self.root.join(of)
    }

    /// A program of it; `folder` is where it looks for sockets and databases.
    pub(crate) fn command(&self, program: &str, folder: &Path) -> Command {
        let mut command = Command::new(self.path(program));
        for name in ["OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR"] {
            command.env(name, folder);
        }
        command.env("OVS_PKGDATADIR", self.path("usr/share/openvswitch"));
        command.env("LD_LIBRARY_PATH", self.path("usr/lib/x86_64-linux-gnu"));
        command
    }
}

pub(crate) fn of_hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
