//! What the kinds' tables show.

use serde_json::Value;

use super::{
    Cell::{At, Of},
    Layout, age, plain,
};
use crate::client::text;

/// By the kind's name, so that a kind is shown before anybody has thought of what is best shown of it.
pub(super) fn table(kind: &str) -> &'static Layout {
    LAYOUTS.iter().find(|(name, _)| *name == kind).map_or(&PLAIN, |(_, layout)| layout)
}

static PLAIN: Layout = Layout { columns: &[], ready: true, wide: &[] };

static LAYOUTS: [(&str, Layout); 20] = [
    ("Node", NODE),
    ("AddressPool", ADDRESS_POOL),
    (
        "BlockList",
        Layout {
            columns: &[("DESCRIPTION", At("/spec/description"))],
            ready: false,
            wide: &[("RESOLVERS", At("/spec/resolvers")), ("NAMES", At("/spec/domains"))],
        },
    ),
    ("Subscriber", SUBSCRIBER),
    ("Tenant", TENANT),
    (
        "Site",
        Layout {
            columns: &[("ENABLED", At("/spec/enabled")), ("DESCRIPTION", At("/spec/description"))],
            ready: false,
            wide: &[("URL", At("/spec/url")), ("LOCATION", At("/spec/location"))],
        },
    ),
    ("Secret", Layout { columns: &[("KEYS", At("/spec/keys"))], ready: false, wide: &[] }),
    (
        "Controller",
        Layout {
            columns: &[
                ("PLUGIN", At("/spec/plugin")),
                ("URL", At("/spec/url")),
                ("VERSION", At("/status/version")),
            ],
            ready: true,
            wide: &[
                ("CREDENTIALS", At("/spec/credentials")),
                ("LAST-SEEN", Of(|o, now| age(&o["status"]["lastSeen"], now))),
                ("NAT-LOG", At("/spec/natLog/collector")),
            ],
        },
    ),
    (
        "Image",
        Layout {
            columns: &[("KIND", At("/spec/kind")), ("FORMAT", At("/spec/diskFormat"))],
            ready: true,
            wide: &[("SOURCE", At("/spec/source")), ("SHA256", At("/spec/sha256"))],
        },
    ),
    ("Flavor", Layout { columns: &[("RESOURCES", At("/spec"))], ready: false, wide: &[] }),
    (
        "View",
        Layout {
            columns: &[("TITLE", At("/spec/title")), ("KIND", At("/spec/kind")), ("URL", At("/spec/url"))],
            ready: false,
            wide: &[],
        },
    ),
    (
        "User",
        Layout {
            columns: &[
                ("EMAIL", At("/spec/email")),
                ("SITE", At("/spec/site")),
                ("ENABLED", At("/spec/enabled")),
            ],
            ready: false,
            wide: &[("FULL-NAME", At("/spec/fullName")), ("VIEWS", At("/spec/views"))],
        },
    ),
    (
        "Role",
        Layout { columns: &[("RULES", Of(|o, _| count(&o["spec"]["rules"])))], ready: false, wide: &[] },
    ),
    (
        "RoleBinding",
        Layout {
            columns: &[
                ("USER", At("/spec/user")),
                ("ROLE", At("/spec/role")),
                ("SCOPE", At("/spec/scope")),
                ("EXPIRES", At("/spec/expiresAt")),
            ],
            ready: false,
            wide: &[("GRANT", At("/spec/grantOption"))],
        },
    ),
    (
        "Deployment",
        Layout {
            columns: &[("CONTROLLER", At("/spec/controller")), ("SITES", At("/spec/sites"))],
            ready: true,
            wide: &[("RULES", Of(|o, _| count(&o["spec"]["access"])))],
        },
    ),
    (
        "NetworkTemplate",
        Layout {
            columns: &[
                ("TOPOLOGY", At("/spec/topology")),
                ("VISIBILITY", At("/spec/visibility")),
                ("TRANSLATION", At("/spec/translation")),
            ],
            ready: false,
            wide: &BANDWIDTHS,
        },
    ),
    (
        "Service",
        Layout {
            columns: &[
                ("TYPE", At("/spec/serviceType")),
                ("VERSION", At("/spec/version")),
                ("CONTROLLER", At("/spec/controller")),
                ("ENABLED", At("/spec/enabled")),
            ],
            ready: true,
            wide: &[("ACCEPTS", At("/spec/accepts")), ("DESCRIPTION", At("/spec/description"))],
        },
    ),
    (
        "Slice",
        Layout {
            columns: &[
                ("SERVICE", At("/spec/service")),
                ("SITE", At("/spec/site")),
                ("ISOLATION", At("/spec/isolation")),
                ("NETWORKS", At("/spec/networks")),
            ],
            ready: true,
            wide: &[
                ("IMAGE", At("/spec/image")),
                ("FLAVOR", At("/spec/flavor")),
                ("MAX", At("/spec/maxInstances")),
            ],
        },
    ),
    (
        "Network",
        Layout {
            columns: &[
                ("SLICE", At("/spec/slice")),
                ("TEMPLATE", At("/spec/template")),
                ("VNI", At("/status/vni")),
                ("SUBNET", At("/status/subnet")),
            ],
            ready: true,
            wide: &BANDWIDTHS,
        },
    ),
    (
        "Instance",
        Layout {
            columns: &[
                ("SLICE", At("/spec/slice")),
                ("NODE", At("/status/node")),
                ("PHASE", At("/status/phase")),
                ("ADDRESSES", At("/status/addresses")),
            ],
            ready: true,
            wide: &[
                ("DEPLOYMENT", At("/status/deployment")),
                ("IMAGE", At("/spec/image")),
                ("FLAVOR", At("/spec/flavor")),
            ],
        },
    ),
];

const BANDWIDTHS: [super::Column; 2] =
    [("GUARANTEED", At("/spec/guaranteedBandwidth")), ("MAXIMUM", At("/spec/maximumBandwidth"))];

const NODE: Layout = Layout {
    columns: &[
        ("LOOPBACK", At("/spec/loopback")),
        ("PORTS", Of(|o, _| names(&o["spec"]["ports"]))),
        ("CONNECTED", Of(|o, _| o["status"]["connected"].as_bool().unwrap_or_default().to_string())),
        ("GENERATION", At("/status/generation")),
        ("PROGRAMMED", At("/status/programmedGeneration")),
    ],
    ready: true,
    wide: &[
        ("AGENT", At("/status/agentVersion")),
        ("LAST-SEEN", Of(|o, now| age(&o["status"]["lastSeen"], now))),
        ("SITE", At("/spec/site")),
        ("GARDEN", At("/spec/garden/portal")),
    ],
};

const ADDRESS_POOL: Layout = Layout {
    columns: &[
        ("NODE", At("/spec/node")),
        ("PURPOSE", At("/spec/purpose")),
        ("PREFIX", At("/spec/prefix")),
        ("GATEWAY", At("/spec/gateway")),
        ("PORTS", At("/spec/portsPerSubscriber")),
    ],
    ready: false,
    wide: &[("LEASE", At("/spec/leaseSeconds")), ("DELEGATED", At("/spec/delegatedLength"))],
};

const SUBSCRIBER: Layout = Layout {
    columns: &[
        ("NODE", At("/spec/access/node")),
        ("PORT", At("/spec/access/port")),
        ("TAGS", Of(|o, _| tags(&o["spec"]["access"]))),
        ("ADDRESS", At("/status/address")),
        ("NAT/SUBNET", Of(|o, _| nat_or_subnet(&o["status"]))),
        ("UP", At("/spec/bundle/rateUp")),
        ("DOWN", At("/spec/bundle/rateDown")),
        ("STATE", At("/spec/state")),
    ],
    ready: true,
    wide: &[
        ("COMMITTED", Of(|o, _| committed(&o["spec"]["bundle"]))),
        ("GATEWAY", At("/status/gateway")),
        ("MAC", At("/spec/mac")),
        ("DNS", At("/spec/bundle/dns")),
        ("LINK6", At("/status/ipv6/link")),
        ("DELEGATED6", At("/status/ipv6/delegated")),
    ],
};

const TENANT: Layout = Layout {
    columns: &[
        ("TENANT", At("/spec/tenant")),
        ("PROVIDER", At("/spec/provider")),
        ("CONNECT", At("/spec/connect")),
    ],
    ready: false,
    wide: &[("ATTRIBUTES", At("/spec/attributes"))],
};

fn count(values: &Value) -> String {
    values.as_array().map_or(0, Vec::len).to_string()
}

fn names(values: &Value) -> String {
    let names = values.as_array().map_or(&[][..], Vec::as_slice).iter().map(|value| plain(&value["name"]));
    names.collect::<Vec<_>>().join(",")
}

fn tags(access: &Value) -> String {
    match (text(&access["sVid"]), text(&access["cVid"])) {
        (outer, inner) if outer.is_empty() && inner.is_empty() => "untagged".into(),
        (outer, inner) if outer.is_empty() => inner,
        (outer, inner) => format!("{outer}.{inner}"),
    }
}

/// Of the ways up and down, where there is any.
fn committed(bundle: &Value) -> String {
    match (text(&bundle["committedUp"]), text(&bundle["committedDown"])) {
        (up, down) if up.is_empty() && down.is_empty() => String::new(),
        (up, down) if down.is_empty() => format!("{up}/-"),
        (up, down) if up.is_empty() => format!("-/{down}"),
        (up, down) => format!("{up}/{down}"),
    }
}

fn nat_or_subnet(status: &Value) -> String {
    let nat = &status["nat"];
    match (nat["address"].as_str(), nat["firstPort"].as_u64(), nat["ports"].as_u64()) {
        (Some(address), Some(first), Some(ports)) => {
            format!("{address}:{first}-{}", first.saturating_add(ports).saturating_sub(1))
        }
        _ => status.get("publicAddress").map_or_else(|| text(&status["subnet"]), text),
    }
}
