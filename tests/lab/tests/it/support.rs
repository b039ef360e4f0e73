//! Labs of the tests' own: names and directories that nobody else uses.

use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use lab::{DhcpClient, HomeConfig, Lab, LabConfig};
use net_types::{Tpid, Vid};

/// A network that is removed when the test ends, however it ends.
pub(crate) struct Network {
    lab: Option<Lab>,
    pub(crate) config: LabConfig,
    _state: tempfile::TempDir,
}

pub(crate) fn config(state_dir: &Path, outer_tpid: Tpid) -> LabConfig {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let home = |name: &str, c_vid: u16, client, option82| HomeConfig {
        name: name.into(),
        s_vid: Vid::try_from(100).expect("legal"),
        c_vid: Vid::try_from(c_vid).expect("legal"),
        client,
        option82,
    };
    LabConfig {
        prefix: format!("wc-t{}x{number}-", std::process::id()),
        bin_dir: Path::new(env!("CARGO_BIN_EXE_wc-lab")).parent().expect("a folder").into(),
        state_dir: state_dir.join("lab"),
        office_manifest: "/nonexistent".into(),
        homes: vec![
            home("home1", 1, DhcpClient::Udhcpc, true),
            home("home2", 2, DhcpClient::Dhclient, false),
            home("home3", 3, DhcpClient::Absent, false),
        ],
        outer_tpid,
        routed_to_node: vec!["198.51.100.0/24".into()],
        access: None,
        upstream: None,
        agent_arguments: Vec::new(),
    }
}

impl Network {
    pub(crate) fn up(outer_tpid: Tpid) -> Self {
        Self::with(outer_tpid, |_| {})
    }

    pub(crate) fn with(outer_tpid: Tpid, change: impl FnOnce(&mut LabConfig)) -> Self {
        let state = tempfile::tempdir().expect("a temporary directory");
        let mut config = config(state.path(), outer_tpid);
        change(&mut config);
        let lab = Lab::up_network(config.clone(), &mut |_| {}).expect("the network comes up");
        Self { lab: Some(lab), config, _state: state }
    }

    pub(crate) fn lab(&mut self) -> &mut Lab {
        self.lab.as_mut().expect("it is up")
    }

    pub(crate) fn namespace(&self, host: &str) -> String {
        format!("{}{host}", self.config.prefix)
    }

    pub(crate) fn take(&mut self) -> Lab {
        self.lab.take().expect("it is up")
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if let Some(lab) = self.lab.take() {
            let down = lab.down();
            assert!(std::thread::panicking() || down.is_ok(), "{down:?}");
        } else if let Ok(left) = Lab::load(&self.config.state_dir) {
            let down = left.down();
            assert!(std::thread::panicking() || down.is_ok(), "{down:?}");
        }
    }
}
