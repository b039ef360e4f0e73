//! What a lab shall be.

use std::{collections::BTreeSet, path::PathBuf};

use net_types::{IfName, Name, Prefix, Tpid, Vid};
use serde::{Deserialize, Serialize};

use crate::{LabError, addresses, olt::Option82};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LabConfig {
    /// What the names of all its namespaces begin with: `wc-` for the user's lab, `wc-t<pid>-` for a test's.
    pub prefix: String,
    /// Where `wc-lab`, `wirecenterd`, `wirecenter-agent`, `wcctl` and `wcnode` are.
    pub bin_dir: PathBuf,
    /// Everything that the lab writes, its journal and logs among it.
    pub state_dir: PathBuf,
    /// The office's objects, node and address pools among them: applied before the agent joins.
    pub office_manifest: PathBuf,
    pub homes: Vec<HomeConfig>,
    pub outer_tpid: Tpid,
    /// Prefixes that the upstream router sends to the node.
    pub routed_to_node: Vec<String>,
    /// An interface of this machine to be the node's access port in place of OLT and homes.
    pub access: Option<IfName>,
    /// An interface of this machine to be the node's core port in place of upstream router and Internet.
    pub upstream: Option<IfName>,
    /// Arguments of the agent beside those that the lab gives it, such as `--max-sessions` and `100000`.
    #[serde(default)]
    pub agent_arguments: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HomeConfig {
    /// Of the host; its namespace is called the same after the lab's prefix.
    pub name: String,
    pub s_vid: Vid,
    pub c_vid: Vid,
    pub client: DhcpClient,
    /// Whether the OLT adds relay agent information to the home's DHCP messages.
    pub option82: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DhcpClient {
    Udhcpc,
    Dhclient,
    /// None, for tests that send frames of their own.
    Absent,
}

/// More would not fit in a machine's patience.
const HOMES_MAX: usize = 256;
/// So that names fit on a terminal's line.
const NAMESPACE_LEN_MAX: usize = 80;

impl LabConfig {
    pub(crate) fn validate(&self) -> Result<(), LabError> {
        let bad = |text: String| Err(LabError::Config(text));
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let prefix = &self.prefix;
        if !prefix.starts_with("wc-") || !prefix.ends_with('-') || !prefix.bytes().all(legal) {
            return bad(format!("prefix: {prefix:?} is not of the form wc- or wc-something-"));
        }
        if !self.state_dir.is_absolute() || !self.bin_dir.is_absolute() {
            return bad("state_dir, bin_dir: must be absolute paths".into());
        }
        for prefix in &self.routed_to_node {
            if let Err(e) = prefix.parse::<Prefix>() {
                return bad(format!("routed_to_node: {prefix:?}: {e}"));
            }
        }
        if self.homes.len() > HOMES_MAX {
            return bad(format!("homes: at most {HOMES_MAX}"));
        }
        let reserved =
            [addresses::NODE, addresses::OLT, addresses::UPSTREAM, addresses::INTERNET, addresses::OFFICE];
        let (mut names, mut tags) = (BTreeSet::new(), BTreeSet::new());
        for home in &self.homes {
            let name = home.name.as_str();
            if let Err(e) = name.parse::<Name>() {
                return bad(format!("homes: {name:?}: {e}"));
            }
            if prefix.len() + name.len() > NAMESPACE_LEN_MAX {
                return bad(format!("homes: the name {name} is too long"));
            }
            if reserved.contains(&name) || !names.insert(name) {
                return bad(format!("homes: the name {name} is taken"));
            }
            if !tags.insert((home.s_vid, home.c_vid)) {
                return bad(format!("homes: tags {}.{} of {name} are taken", home.s_vid, home.c_vid));
            }
        }
        Ok(())
    }
}

impl HomeConfig {
    /// What the OLT says of the home's line, the `port`th, in the form of TR-101 issue 2, R-124.
    pub(crate) fn relay_information(&self, port: usize) -> Option<Option82> {
        self.option82.then(|| Option82 {
            circuit_id: format!("olt eth 1/{port}:{}.{}", self.s_vid, self.c_vid),
            remote_id: self.name.clone(),
        })
    }
}
