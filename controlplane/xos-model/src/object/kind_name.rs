//! The kinds of objects there are: one list, from which everything that must know all kinds is made.

use serde::{Deserialize, Serialize};

/// Calls a macro with all kinds, in the order in which they can be made: a kind comes after those that it refers to.
/// The one exception is a slice, which may be attached to networks of other slices: a reference is judged when a
/// transaction ends, so that a slice and its networks can be made in one.
///
/// The callback gets `Kind "plural" "short" SpecType;` for each.
#[macro_export]
macro_rules! for_each_kind {
    ($callback:ident) => {
        $callback! {
            Site "sites" "site" SiteSpec;
            Secret "secrets" "sec" SecretSpec;
            Controller "controllers" "ctl" ControllerSpec;
            Image "images" "img" ImageSpec;
            Flavor "flavors" "fl" FlavorSpec;
            View "views" "view" ViewSpec;
            User "users" "usr" UserSpec;
            Role "roles" "role" RoleSpec;
            Deployment "deployments" "dep" DeploymentSpec;
            BlockList "blocklists" "bl" BlockListSpec;
            Node "nodes" "no" NodeSpec;
            AddressPool "addresspools" "pool" AddressPoolSpec;
            NetworkTemplate "networktemplates" "nt" NetworkTemplateSpec;
            Service "services" "svc" ServiceSpec;
            Slice "slices" "sl" SliceSpec;
            Network "networks" "net" NetworkSpec;
            Instance "instances" "inst" InstanceSpec;
            Subscriber "subscribers" "sub" SubscriberSpec;
            Tenant "tenants" "ten" TenantSpec;
            RoleBinding "rolebindings" "rb" RoleBindingSpec;
        }
    };
}

macro_rules! kind_names {
    ($($kind:ident $plural:literal $short:literal $spec:ident;)*) => {
        /// The kinds of objects, in the order in which they can be made.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
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

    /// Whether an object stands for something that a back end outside the office can have had before.
    pub const fn is_at_back_ends(self) -> bool {
        match self {
            Self::Site
            | Self::Image
            | Self::Flavor
            | Self::User
            | Self::Service
            | Self::Slice
            | Self::Network
            | Self::Instance
            | Self::Tenant => true,
            Self::Secret
            | Self::Controller
            | Self::View
            | Self::Role
            | Self::Deployment
            | Self::BlockList
            | Self::Node
            | Self::AddressPool
            | Self::NetworkTemplate
            | Self::Subscriber
            | Self::RoleBinding => false,
        }
    }
}

impl std::fmt::Display for KindName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
