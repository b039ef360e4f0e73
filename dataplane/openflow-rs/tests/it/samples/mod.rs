//! Messages of every type, which the others' programs are shown.

mod actions;
mod flows;
mod messages;
mod multipart;
mod switches;

pub(crate) use flows::of_field;
pub(crate) use switches::frame;

use openflow::{Message, Version, Xid};

/// A message and the version that it is in.
pub(crate) struct Sample {
    pub name: String,
    pub version: Version,
    pub message: Message,
}

impl Sample {
    pub(crate) const XID: Xid = Xid(0x1234);

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.message
            .to_bytes(self.version, Self::XID)
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

/// Every message that there is, in every version that has it.
pub(crate) fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for version in Version::ALL.iter().copied() {
        let mut add = |name: &str, message: Message| {
            samples.push(Sample { name: format!("{version}/{name}"), version, message });
        };
        messages::add(version, &mut add);
        switches::add(version, &mut add);
        flows::add(version, &mut add);
        actions::add(version, &mut add);
        multipart::add(version, &mut add);
    }
    samples
}

/// Where samples go to, with a name for each.
type Add<'a> = dyn FnMut(&str, Message) + 'a;
