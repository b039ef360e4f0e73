//! What an upgrade would make of records, without any maps.

use map_abi::layout;

use super::{
    conversions::CONVERSIONS,
    description::Description,
    descriptions,
    plan::{Lost, Plan},
};

/// How this agent reads maps that another one laid out, by their description: what is carried over when it takes over from
/// that one.
#[derive(Clone, Debug)]
pub struct Reading {
    old: Description,
    new: Description,
}

impl Reading {
    /// `held` is the description, whatever it is; the error says why maps with it are not understood.
    pub fn of(held: &[u8]) -> Result<Self, String> {
        let (old, new) = descriptions(held, layout::TEXT).map_err(|error| error.to_string())?;
        Ok(Self { old, new })
    }

    /// What a record becomes, and the fields of it that have no place here and say something; `None`: it is of no kind
    /// that both know, or not as long as its description says.
    pub fn record(&self, name: &str, value: &[u8]) -> Option<(Vec<u8>, Vec<String>)> {
        let (old, new) = (self.old.record(name)?, self.new.record(name)?);
        if value.len() != old.bytes {
            return None;
        }
        let plan = Plan::new(name, old, new, CONVERSIONS);
        let (mut carried, mut lost) = (vec![0; new.bytes], Lost::new());
        plan.convert(value, &mut carried);
        plan.count_lost(value, &mut lost);
        Some((carried, lost.into_keys().collect()))
    }
}
