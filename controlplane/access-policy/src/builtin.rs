//! The roles that every office has.
//!
//! Each is to be bound over a scope of the kind that its name begins with. All have `bind` on role bindings: whether a
//! user may give such a role on is then up to the binding's grant option alone. `subscribers/features` is the part of a
//! subscriber that the household decides (filters, devices), without its tags, rates and services.

use std::{collections::HashMap, sync::LazyLock};

use crate::{KindPattern, Role, Rule, Verb, VerbSet};

pub struct BuiltInRole {
    pub name: &'static str,
    pub description: &'static str,
    rules: &'static [(VerbSet, &'static [&'static str])],
}

const READ: VerbSet = VerbSet::of(&[Verb::Get, Verb::List, Verb::Watch]);
const CHANGE: VerbSet = VerbSet::of(&[Verb::Get, Verb::List, Verb::Watch, Verb::Update, Verb::Patch]);
const ENROL: VerbSet =
    VerbSet::of(&[Verb::Get, Verb::List, Verb::Watch, Verb::Create, Verb::Update, Verb::Patch]);
const SET: VerbSet = VerbSet::of(&[Verb::Get, Verb::Patch]);
/// Role bindings: to see, to make and to take back.
const BIND: VerbSet = VerbSet::of(&[Verb::Get, Verb::List, Verb::Watch, Verb::Delete, Verb::Bind]);
const GIVE_ON: VerbSet = VerbSet::of(&[Verb::Bind]);

pub const BUILT_IN_ROLES: &[BuiltInRole] = &[
    BuiltInRole {
        name: "office-admin",
        description: "Everything, in the whole office",
        rules: &[(VerbSet::ALL, &["*"])],
    },
    BuiltInRole {
        name: "office-viewer",
        description: "Sees everything and changes nothing; of secrets, only the names of their keys are ever shown",
        rules: &[(READ, &["*"]), (GIVE_ON, &["rolebindings"])],
    },
    BuiltInRole {
        name: "catalogue-viewer",
        description: "Sees what is on offer: deployments, sites, services, images, flavors, network templates, views, roles",
        rules: &[
            (
                READ,
                &[
                    "deployments",
                    "sites",
                    "services",
                    "images",
                    "flavors",
                    "networktemplates",
                    "views",
                    "roles",
                ],
            ),
            (GIVE_ON, &["rolebindings"]),
        ],
    },
    BuiltInRole {
        name: "site-admin",
        description: "Runs a site: its users, nodes, slices and subscribers, and who may do what there",
        rules: &[
            (CHANGE, &["sites"]),
            (
                VerbSet::ALL,
                &[
                    "users",
                    "nodes",
                    "addresspools",
                    "slices",
                    "networks",
                    "instances",
                    "subscribers",
                    "tenants",
                    "secrets",
                ],
            ),
            (READ, &["deployments", "services", "controllers"]),
            (BIND, &["rolebindings"]),
        ],
    },
    BuiltInRole {
        name: "site-pi",
        description: "Principal investigator: answers for a site's users and slices",
        rules: &[
            (READ, &["sites", "nodes", "tenants"]),
            (ENROL, &["users"]),
            (VerbSet::ALL, &["slices", "networks", "instances"]),
            (BIND, &["rolebindings"]),
        ],
    },
    BuiltInRole {
        name: "slice-admin",
        description: "Runs a slice: its instances and networks, and who uses it",
        rules: &[
            (CHANGE, &["slices"]),
            (VerbSet::ALL, &["networks", "instances"]),
            (READ, &["tenants"]),
            (BIND, &["rolebindings"]),
        ],
    },
    BuiltInRole {
        name: "slice-user",
        description: "Sees a slice, its instances and networks, and logs in to the instances",
        rules: &[(READ, &["slices", "networks", "instances"]), (GIVE_ON, &["rolebindings"])],
    },
    BuiltInRole {
        name: "service-admin",
        description: "Runs a service: its slices, controller and secrets, and its tenants",
        rules: &[
            (CHANGE, &["services", "controllers"]),
            (VerbSet::ALL, &["slices", "networks", "instances", "tenants", "secrets"]),
            (READ, &["subscribers"]),
            (BIND, &["rolebindings"]),
        ],
    },
    BuiltInRole {
        name: "deployment-admin",
        description: "Runs a deployment: its controllers and nodes, and what it offers",
        rules: &[
            (CHANGE, &["deployments"]),
            (VerbSet::ALL, &["controllers", "secrets", "images", "flavors", "nodes", "addresspools"]),
            (READ, &["sites", "slices", "networks", "instances"]),
            (BIND, &["rolebindings"]),
        ],
    },
    BuiltInRole {
        name: "tenant-admin",
        description: "Changes a tenancy, and says who else may",
        rules: &[(CHANGE, &["tenants"]), (BIND, &["rolebindings"])],
    },
    BuiltInRole {
        name: "subscriber-self-care",
        description: "A household's own view: sees its subscription, and sets what the household decides",
        rules: &[
            (READ, &["subscribers", "tenants"]),
            (SET, &["subscribers/features"]),
            (GIVE_ON, &["rolebindings"]),
        ],
    },
];

impl BuiltInRole {
    pub fn role(&self) -> Role {
        let kind = |text: &&str| text.parse::<KindPattern>().expect("a constant");
        let rule = |(verbs, kinds): &(VerbSet, &[&str])| Rule {
            verbs: *verbs,
            kinds: kinds.iter().map(kind).collect(),
        };
        Role { rules: self.rules.iter().map(rule).collect() }
    }
}

pub(crate) fn find(name: &str) -> Option<&'static Role> {
    static ROLES: LazyLock<HashMap<&str, Role>> =
        LazyLock::new(|| BUILT_IN_ROLES.iter().map(|built_in| (built_in.name, built_in.role())).collect());
    ROLES.get(name)
}

/// Whether the role is one that every office has.
pub fn is_built_in(name: &net_types::Name) -> bool {
    find(name.as_str()).is_some()
}
