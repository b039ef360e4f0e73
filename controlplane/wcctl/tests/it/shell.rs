//! What is made of the command line: completion and man pages.

use std::fs;

use crate::{command, run};

#[test]
fn shells_complete_every_verb() {
    for (shell, sign) in
        [("bash", "complete -F _wcctl"), ("zsh", "#compdef wcctl"), ("fish", "complete -c wcctl")]
    {
        let run = run(command().args(["completion", shell]));
        assert_eq!(run.status, 0, "{}", run.stderr);
        assert!(run.stdout.contains(sign) && run.stdout.contains("set-context"), "{shell}");
    }
    assert_eq!(run(command().args(["completion", "csh"])).status, 2);
}

#[test]
fn every_verb_has_a_man_page() {
    let dir = tempfile::tempdir().expect("a directory");
    let pages = dir.path().join("man1");
    assert_eq!(run(command().arg("man").arg(&pages)).status, 0);
    for page in ["wcctl.1", "wcctl-apply.1", "wcctl-config-set-context.1"] {
        let text = fs::read_to_string(pages.join(page)).expect(page);
        assert!(text.contains(".TH") && text.contains("Exit status") == (page == "wcctl.1"), "{page}");
    }
    assert!(fs::read_to_string(pages.join("wcctl-get.1")).expect("a page").contains("wcctl get sub alice"));
}
