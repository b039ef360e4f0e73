//! The sample service of `tests/volumes`, run beside a controller.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::references::object;

pub(crate) const TOKEN: &str = "a-token-of-the-volume-service";

/// A running service; killed when dropped. Its mounts go with it.
pub(crate) struct VolumeService {
    directory: TempDir,
    /// Where it listens; the same after it was started again.
    address: Option<String>,
    child: Option<Child>,
}

/// Beside the controller, or where the suite says.
fn program() -> PathBuf {
    let beside = || Path::new(env!("CARGO_BIN_EXE_wirecenterd")).with_file_name("volumes");
    let set = std::env::var_os("WIRECENTER_BIN_DIR");
    let path = set.map_or_else(beside, |directory| PathBuf::from(directory).join("volumes"));
    assert!(path.is_file(), "{} is missing: build it with `cargo build --workspace --bins`", path.display());
    path
}

/// An address that no other test has: the port stays free while the service is down.
fn own_address() -> String {
    let [_, a, b, c] = std::process::id().to_be_bytes();
    format!("127.{}.{b}.{c}:0", a.saturating_add(1))
}

impl VolumeService {
    pub(crate) fn start() -> Self {
        let mut service = Self::absent();
        service.start_again();
        service
    }

    /// One that nobody has started yet.
    pub(crate) fn absent() -> Self {
        let directory = TempDir::new().expect("a directory");
        fs::write(directory.path().join("token"), TOKEN).expect("can be written");
        Self { directory, address: None, child: None }
    }

    pub(crate) fn start_again(&mut self) {
        assert!(self.child.is_none());
        let mut child = Command::new(program())
            .args(["--listen", &self.address.clone().unwrap_or_else(own_address)])
            .arg("--dir")
            .arg(self.dir())
            .arg("--token-file")
            .arg(self.directory.path().join("token"))
            .arg("--hold")
            .arg(self.hold_path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the service starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut line).expect("it says where it listens");
        assert!(!line.is_empty(), "the service ended: {:?}", child.wait());
        self.address = Some(line.trim().to_owned());
        self.child = Some(child);
    }

    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().expect("can be killed");
        child.wait().expect("can be waited for");
    }

    fn dir(&self) -> PathBuf {
        let dir = self.directory.path().join("service");
        fs::create_dir_all(&dir).expect("a directory");
        dir.canonicalize().expect("it is there")
    }

    fn hold_path(&self) -> PathBuf {
        self.directory.path().join("hold")
    }

    /// It does what it is asked for and answers nobody, until it is let go.
    pub(crate) fn hold(&self) {
        fs::write(self.hold_path(), "").expect("can be written");
    }

    pub(crate) fn let_go(&self) {
        fs::remove_file(self.hold_path()).expect("it was held");
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address.as_deref().expect("it was started"))
    }

    /// `INSTANCE/TENANCY`, as the kernel has it mounted for the service.
    pub(crate) fn mounted(&self) -> Vec<String> {
        let id = self.child.as_ref().expect("it runs").id();
        let table = fs::read_to_string(format!("/proc/{id}/mountinfo")).expect("it runs");
        let instances = self.dir().join("instances");
        let points = table.lines().filter_map(|line| line.split(' ').nth(4)).map(Path::new);
        let inside =
            points.filter_map(|point| Some(point.strip_prefix(&instances).ok()?.to_str()?.to_owned()));
        let mut mounted: Vec<_> = inside.collect();
        mounted.sort();
        mounted
    }

    /// A file as an instance sees it.
    pub(crate) fn read(&self, instance: &str, path: &str) -> String {
        let id = self.child.as_ref().expect("it runs").id();
        let inside = self.dir().join("instances").join(instance).join(path);
        let path = format!("/proc/{id}/root{}", inside.display());
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// What it has really done so far, in order.
    pub(crate) fn done(&self) -> Vec<String> {
        let done = fs::read_to_string(self.dir().join("done")).unwrap_or_default();
        done.lines().map(str::to_owned).collect()
    }
}

impl Drop for VolumeService {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended by itself.
            let _: std::io::Result<()> = child.kill();
            let _: std::io::Result<_> = child.wait();
        }
    }
}

pub(crate) fn secret(token: &str) -> Value {
    object("Secret", "volumes-login", &json!({"data": {"token": token}}))
}

pub(crate) fn controller(url: &str) -> Value {
    object(
        "Controller",
        "storage",
        &json!({"plugin": "http", "url": url, "credentials": "volumes-login", "timeoutSeconds": 20}),
    )
}

/// The volumes, outside the office and without a slice.
pub(crate) fn volumes(controller: Option<&str>) -> Value {
    let mut service = object(
        "Service",
        "volumes",
        &json!({"serviceType": "volumes", "version": "1",
                "accepts": {"tenants": ["Service"], "connect": ["shared", "public"]}}),
    );
    if let Some(controller) = controller {
        service["spec"]["controller"] = json!(controller);
    }
    service
}

/// A web service with a slice, and what that needs.
pub(crate) fn web() -> [Value; 4] {
    let image = json!({"kind": "vm", "source": "https://images.example/d.qcow2", "sha256": "ab".repeat(32), "diskFormat": "qcow2"});
    [
        object("Site", "here", &json!({})),
        object("Image", "debian", &image),
        object("Service", "web", &json!({"serviceType": "web", "version": "1"})),
        object("Slice", "front", &json!({"site": "here", "service": "web"})),
    ]
}

pub(crate) fn tenancy(attributes: &Value) -> Value {
    let spec = json!({"tenant": {"kind": "Service", "name": "web"}, "provider": "volumes", "connect": "shared",
                      "attributes": attributes});
    object("Tenant", "web-volumes", &spec)
}

pub(crate) fn instance(name: &str) -> Value {
    let spec = json!({"slice": "front", "image": "debian",
                      "resources": {"cores": 1, "memoryMib": 512, "diskGib": 4}});
    object("Instance", name, &spec)
}
