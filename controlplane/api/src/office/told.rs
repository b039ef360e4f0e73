//! What an object of any kind says of itself and of others.

use intent_store::{Record, Table};
use xos_model::{Kind, KindName, Metadata, Object, Reference, for_each_kind};

use super::{Admission, Rejection, Target, admission::referrers_of, object_key, stored::decode};

/// An object without what only its kind knows.
pub(crate) struct Told {
    pub(crate) metadata: Metadata,
    pub(crate) references: Vec<Reference>,
}

impl Told {
    fn of<K: Kind>(object: Object<K>) -> Self {
        Self { references: object.spec.references(), metadata: object.metadata }
    }
}

macro_rules! told {
    ($($kind:ident $plural:literal $short:literal $spec:ident;)*) => {
        pub(crate) fn told(target: &Target, record: &Record) -> Result<Told, Rejection> {
            let key = object_key(target.kind, &target.name);
            match target.kind {
                $(KindName::$kind => decode::<xos_model::$spec>(&key, record).map(Told::of),)*
            }
        }
    };
}

for_each_kind!(told);

/// Of so many that name an object, those are looked for that may be seen.
const LOOKED_AT_MAX: usize = 1000;

impl Admission<'_, '_> {
    /// Some of those that name an object, as far as whoever asks may see them.
    pub(crate) fn named_by(&self, target: &Target, max: usize) -> Vec<Target> {
        let prefix = referrers_of(target.kind, &target.name);
        let claims = self.txn.prefixed(Table::Claims, &prefix).take(LOOKED_AT_MAX);
        let referrers = claims.filter_map(|(key, _)| {
            let (plural, name) = key.strip_prefix(&prefix)?.split_once('/')?;
            Some(Target { kind: KindName::from_plural(plural)?, name: name.parse().ok()? })
        });
        let seen = referrers.filter(|referrer| {
            let record = self.txn.get(Table::Objects, &object_key(referrer.kind, &referrer.name));
            self.may_see(referrer.kind, record.as_ref())
        });
        seen.take(max).collect()
    }
}
