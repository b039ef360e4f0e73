//! What a lab shall be.

use std::{collections::BTreeSet, path::PathBuf};

use net_types::{IfName, Name, Tpid, Vid};
use serde::{Deserialize, Serialize};

use crate::{LabError, plan};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LabConfig {
    /// What the names of all its namespaces begin with: `wc-` for the user's lab, `wc-t<pid>-` for a test's.
    pub prefix: String,
    pub homes: Vec<HomeConfig>,
    pub outer_tpid: Tpid,
    /// Where `wc-lab`, `wirecenterd` and `wirecenter-agent` are.
    pub bin_dir: PathBuf,
    /// Everything that the lab writes, its journal and logs among it.
    pub state_dir: PathBuf,
    /// An interface of this machine to be the node's access port in place of OLT and homes.
    pub access: Option<IfName>,
    /// An interface of this machine to be the node's core port in place of upstream router and Internet.
    pub upstream: Option<IfName>,
    pub programs: Programs,
}

/// Which of Wirecenter's own programs [`crate::Lab::up`] starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Programs {
    /// None: the network alone.
    NetworkOnly,
    Controller,
    /// The controller; the Node object if there is none yet; the agent, joined with a token.
    ControllerAndAgent,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HomeConfig {
    /// Of the host; its namespace is called the same after the lab's prefix.
    pub name: Name,
    pub s_vid: Vid,
    pub c_vid: Vid,
    pub client: DhcpClient,
    /// What the OLT adds to the home's DHCP messages.
    pub option82: Option<Option82>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DhcpClient {
    Udhcpc,
    Dhclient,
    /// None, for tests that send frames of their own.
    Absent,
}

/// Relay agent information (RFC 3046), as an access node inserts it (TR-101 issue 2, section 3.9.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Option82 {
    /// Sub-option 1, such as `olt eth 1/3:100.7`.
    pub circuit_id: String,
    /// Sub-option 2.
    pub remote_id: String,
}

impl Option82 {
    /// What one sub-option can hold so that both fit in the option's 255 bytes.
    pub const TEXT_LEN_MAX: usize = 63;
}

/// More would not fit in a machine's patience.
const HOMES_MAX: usize = 256;
/// Of a namespace; iproute2 allows 255, a terminal line does not.
const NAMESPACE_LEN_MAX: usize = 80;

impl LabConfig {
    /// Three homes, with one of each client at least, on one S-VLAN.
    pub fn of_user(bin_dir: PathBuf, state_dir: PathBuf) -> Self {
        Self {
            prefix: "wc-".into(),
            homes: (1..=3).map(HomeConfig::numbered).collect(),
            outer_tpid: Tpid::default(),
            bin_dir,
            state_dir,
            access: None,
            upstream: None,
            programs: Programs::ControllerAndAgent,
        }
    }

    pub(crate) fn validate(&self) -> Result<(), LabError> {
        let bad = |text: String| Err(LabError::Config(text));
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let prefix = &self.prefix;
        if !prefix.starts_with("wc-") || !prefix.ends_with('-') || !prefix.bytes().all(legal) {
            return bad(format!("prefix: {prefix:?} is not of the form wc- or wc-something-"));
        }
        if self.homes.len() > HOMES_MAX {
            return bad(format!("homes: at most {HOMES_MAX}"));
        }
        let reserved = [plan::NODE, plan::OLT, plan::UPSTREAM, plan::INTERNET, plan::OFFICE];
        let (mut names, mut tags) = (BTreeSet::new(), BTreeSet::new());
        for home in &self.homes {
            let name = &home.name;
            if reserved.contains(&name.as_str()) || !names.insert(name) {
                return bad(format!("homes: the name {name} is taken"));
            }
            if prefix.len() + name.as_str().len() > NAMESPACE_LEN_MAX {
                return bad(format!("homes: the name {name} is too long"));
            }
            if !tags.insert((home.s_vid, home.c_vid)) {
                return bad(format!("homes: tags {}.{} of {name} are taken", home.s_vid, home.c_vid));
            }
            if let Some(Option82 { circuit_id, remote_id }) = &home.option82
                && [circuit_id, remote_id].iter().any(|t| t.is_empty() || t.len() > Option82::TEXT_LEN_MAX)
            {
                let max = Option82::TEXT_LEN_MAX;
                return bad(format!("homes: option 82 of {name}: each text has 1 to {max} bytes"));
            }
        }
        Ok(())
    }
}

impl HomeConfig {
    /// The `number`th home of a row, from 1: S-VLAN 100, its number as C-VLAN, the clients in turn, and option 82 as an OLT
    /// would write it.
    pub fn numbered(number: u16) -> Self {
        let c_vid = Vid::try_from(number).expect("a home's number is a VLAN");
        Self {
            name: format!("home{number}").parse().expect("a legal name"),
            s_vid: Vid::try_from(100).expect("a legal VLAN"),
            c_vid,
            client: if number % 2 == 1 { DhcpClient::Udhcpc } else { DhcpClient::Dhclient },
            option82: Some(Option82 {
                circuit_id: format!("olt eth 1/{number}:100.{c_vid}"),
                remote_id: format!("line-{number}"),
            }),
        }
    }
}
