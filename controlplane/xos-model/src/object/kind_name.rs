//! The kinds of objects there are: one list, from which everything that must know all kinds is made.

use serde::{Deserialize, Serialize};

/// Calls a macro with all kinds, in the order in which they can be made: a kind comes after those that it refers to.
///
/// The callback gets `Kind "plural" "short" SpecType;` for each.
#[macro_export]
macro_rules! for_each_kind {
    ($callback:ident) => {
        $callback! {
            Node "nodes" "no" NodeSpec;
            AddressPool "addresspools" "pool" AddressPoolSpec;
            Subscriber "subscribers" "sub" SubscriberSpec;
            Tenant "tenants" "ten" TenantSpec;
        }
    };
}

macro_rules! kind_names {
    ($($kind:ident $plural:literal $short:literal $spec:ident;)*) => {
        /// The kinds of objects, in the order in which they can be made.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum KindName {
            $($kind,)*
        }

        impl KindName {
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// As in `"kind": "Subscriber"`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => stringify!($kind),)*
                }
            }

            /// As in `/api/v1/subscribers`.
            pub const fn plural(self) -> &'static str {
                match self {
                    $(Self::$kind => $plural,)*
                }
            }

            /// For command lines.
            pub const fn short(self) -> &'static str {
                match self {
                    $(Self::$kind => $short,)*
                }
            }
        }
    };
}

for_each_kind!(kind_names);

impl KindName {
    pub fn from_plural(plural: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.plural() == plural)
    }
}

impl std::fmt::Display for KindName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
