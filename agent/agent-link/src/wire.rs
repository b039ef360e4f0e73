//! The messages, and their checked passage into our own types.

use std::collections::{BTreeMap, HashMap};

use net_types::Name;
use node_state::{ResourceKey, Version};
use tonic::Status;

use crate::{
    Outcome,
    limits::{
        AGENT_VERSION_BYTES_MAX, COUNTER_NAME_BYTES_MAX, COUNTERS_MAX, ERROR_BYTES_MAX, INVENTORY_MAX,
        KEY_BYTES_MAX, PROTOCOL,
    },
};

mod generated {
    #![expect(
        clippy::pedantic,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        reason = "generated code"
    )]
    #![expect(unused_qualifications, unreachable_pub, reason = "generated code")]
    tonic::include_proto!("wirecenter.link.v1");
}

pub(crate) use generated::{
    Applied, Certificate, Changes, Counter, Counters, FromAgent, FromController, Held, Hello, Inventory,
    JoinRequest, Refused, RenewRequest, ResourceOutcome, Upsert, from_agent, from_controller, link_client,
    link_server,
};

/// What an agent said of itself.
pub(crate) struct Greeting {
    pub(crate) node: Name,
    pub(crate) agent_version: String,
    pub(crate) generation: net_types::Generation,
}

/// What an agent holds, and what of that is not in the kernel.
#[derive(Default)]
pub(crate) struct Holding {
    pub(crate) versions: HashMap<ResourceKey, Version>,
    pub(crate) errors: HashMap<ResourceKey, String>,
}

impl Hello {
    pub(crate) fn check(self) -> Result<Greeting, Status> {
        let Self { protocol, node, agent_version, generation } = self;
        if protocol != PROTOCOL {
            let text = format!("the agent speaks protocol {protocol}, the controller {PROTOCOL}");
            return Err(Status::failed_precondition(text));
        }
        if agent_version.len() > AGENT_VERSION_BYTES_MAX {
            return Err(Status::invalid_argument("agent_version is too long"));
        }
        let node = node.parse().map_err(|e| Status::invalid_argument(format!("node: {e}")))?;
        Ok(Greeting { node, agent_version, generation: net_types::Generation(generation) })
    }
}

impl Holding {
    pub(crate) fn add(&mut self, held: Vec<Held>) -> Result<(), Status> {
        for Held { key, version, error } in held {
            let key = check_key(key)?;
            if !error.is_empty() {
                self.errors.insert(key.clone(), check_error(error)?);
            }
            self.versions.insert(key, Version(version));
            if self.versions.len() > INVENTORY_MAX {
                return Err(Status::resource_exhausted(format!("more than {INVENTORY_MAX} resources")));
            }
        }
        Ok(())
    }
}

impl ResourceOutcome {
    pub(crate) fn check(self) -> Result<Outcome, Status> {
        let Self { key, version, error } = self;
        let result = if error.is_empty() { Ok(()) } else { Err(check_error(error)?) };
        Ok((check_key(key)?, Version(version), result))
    }

    pub(crate) fn from_ours((key, version, result): Outcome) -> Self {
        Self { key: key.as_str().into(), version: version.0, error: error_text(result.err()) }
    }
}

impl Held {
    pub(crate) fn from_ours(key: &ResourceKey, version: Version, error: Option<String>) -> Self {
        Self { key: key.as_str().into(), version: version.0, error: error_text(error) }
    }
}

impl Counters {
    pub(crate) fn check(self) -> Result<BTreeMap<String, u64>, Status> {
        if self.counters.len() > COUNTERS_MAX {
            return Err(Status::resource_exhausted(format!("more than {COUNTERS_MAX} counters")));
        }
        let pairs = self.counters.into_iter().map(|Counter { name, value }| {
            if name.is_empty() || name.len() > COUNTER_NAME_BYTES_MAX {
                let text = format!("a counter's name has 1 to {COUNTER_NAME_BYTES_MAX} bytes");
                return Err(Status::invalid_argument(text));
            }
            Ok((name, value))
        });
        pairs.collect()
    }

    pub(crate) fn from_ours(counters: BTreeMap<String, u64>) -> Self {
        let counter = |(name, value)| Counter { name, value };
        Self { counters: counters.into_iter().map(counter).collect() }
    }
}

pub(crate) fn check_key(key: String) -> Result<ResourceKey, Status> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(Status::invalid_argument(format!("a resource's key has 1 to {KEY_BYTES_MAX} bytes")));
    }
    Ok(ResourceKey::from(key))
}

pub(crate) fn check_error(error: String) -> Result<String, Status> {
    if error.len() > ERROR_BYTES_MAX {
        return Err(Status::invalid_argument(format!("an error has at most {ERROR_BYTES_MAX} bytes")));
    }
    Ok(error)
}

/// An error as it travels: never empty, cut off where it is too long.
pub(crate) fn error_text(error: Option<String>) -> String {
    let Some(mut text) = error else { return String::new() };
    if text.is_empty() {
        text.push_str("unknown error");
    }
    text.truncate(text.floor_char_boundary(ERROR_BYTES_MAX));
    text
}
