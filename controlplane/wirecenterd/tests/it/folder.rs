//! `wcctl apply` of a folder of 10,000 objects, the real program against the real controller.

use std::{fmt::Write as _, fs, path::Path, process::Command};

use crate::{
    controller::{Controller, run},
    tls::wcctl_program,
};

const FILES: u16 = 20;
const OBJECTS: u16 = 500;
/// Of each document.
const LINES: u16 = 7;

/// The program with nothing of the environment that it could be told by.
pub(crate) fn wcctl_command(controller: &Controller, arguments: &[&str]) -> Command {
    let mut command = Command::new(wcctl_program());
    for variable in ["WIRECENTER_SOCKET", "WIRECENTER_CONTEXT", "XDG_CONFIG_HOME"] {
        command.env_remove(variable);
    }
    command.arg("--socket").arg(controller.socket()).args(arguments);
    command
}

fn wcctl(controller: &Controller, arguments: &[&str]) -> (i32, String, String) {
    let output = wcctl_command(controller, arguments).output().expect("wcctl starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("a status"), text(output.stdout), text(output.stderr))
}

/// Writes the folder; of the subscriber `twin`, with the tags of the first one.
fn write(folder: &Path, rate: &str, twin: Option<u16>) {
    for file in 0..FILES {
        let mut text = String::new();
        for n in file * OBJECTS..(file + 1) * OBJECTS {
            let line = if twin == Some(n) { 0 } else { n };
            let (s_vid, c_vid) = (1 + line / 4000, 1 + line % 4000);
            write!(
                text,
                "---\nkind: Subscriber\nmetadata:\n  name: sub-{n}\nspec:\n  access: {{ node: node1, port: access0, sVid: {s_vid}, cVid: {c_vid} }}\n  bundle: {{ rateUp: {rate}, rateDown: 100M }}\n",
            )
            .expect("to memory");
        }
        fs::write(folder.join(format!("{file:02}.yaml")), text).expect("written");
    }
}

#[test]
fn ten_thousand_objects_are_one_transaction_with_a_plan_before_it() {
    run(async {
        let controller = Controller::with_office().await;
        let folder = tempfile::TempDir::new().expect("a directory");
        let apply = ["apply", "--yes", "-f", folder.path().to_str().expect("UTF-8")];
        write(folder.path(), "20M", None);
        let (status, told, planned) = wcctl(&controller, &apply);
        assert_eq!(status, 0, "{planned}");
        assert_eq!(told.lines().filter(|line| line.ends_with(" created")).count(), 10_000);
        let said =
            |planned: &str, line: &str| assert!(planned.lines().any(|one| one == line), "{line}: {planned}");
        assert!(planned.starts_with("10000 objects, in one transaction"), "{planned}");
        said(&planned, "subscribers   10000    0        0        0");
        said(&planned, "+ subscriber/sub-0");
        said(&planned, "+ … and 9995 more subscribers");
        said(&planned, "10000 created, 0 changed, 0 unchanged");

        // All would change, and one of them, in the middle, cannot be.
        write(folder.path(), "50M", Some(5250));
        let revision = controller.revision().await;
        let (status, told, refused) = wcctl(&controller, &apply);
        assert_eq!((status, told.as_str()), (3, ""), "{refused}");
        let first = 250 * LINES + 1;
        let place = folder.path().join("10.yaml");
        let line = (first..first + LINES).find(|line| {
            refused.contains(&format!("{}:{line}: subscriber/sub-5250: /spec/access", place.display()))
        });
        assert!(line.is_some(), "{refused}");
        assert!(refused.contains("nothing was changed"), "{refused}");
        assert_eq!(controller.revision().await, revision);

        write(folder.path(), "50M", None);
        let (status, told, planned) = wcctl(&controller, &apply);
        assert_eq!((status, told.lines().count()), (0, 10_000), "{planned}");
        said(&planned, "subscribers   0        10000    0        0");
        assert!(planned.contains("~ subscriber/sub-0: /spec/bundle/rateUp: 20M → 50M"), "{planned}");
        let (status, same, _) = wcctl(&controller, &["diff", "-f", folder.path().to_str().expect("UTF-8")]);
        assert_eq!((status, same.as_str()), (0, ""));
    });
}
