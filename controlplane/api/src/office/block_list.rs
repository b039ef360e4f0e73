//! The rules of lists of names.

use intent_store::Table;
use xos_model::{BlockList, BlockListSpec, Condition, Fault, KindName};

use super::{
    Admission, Rejection,
    admission::{Managed, Ready},
};

impl Managed for BlockListSpec {
    /// Each list is a bit of a word in the nodes' kernels.
    fn admit(
        admission: &mut Admission<'_, '_>,
        old: Option<&BlockList>,
        new: &mut BlockList,
    ) -> Result<(), Rejection> {
        let prefix = format!("{}/", KindName::BlockList.plural());
        if old.is_none() && admission.txn.prefixed(Table::Objects, &prefix).count() >= Self::LISTS_MAX {
            let detail = format!("an office has at most {} BlockLists", Self::LISTS_MAX);
            return Err(Rejection::invalid(vec![Fault::new("/metadata/name", detail)]));
        }
        new.status.observed_generation = new.metadata.generation.unwrap_or(0);
        Ok(())
    }

    /// Nodes say of their sessions alone how far they are.
    fn ready(_list: &BlockList, _synced: &Condition) -> Option<Ready> {
        None
    }
}
