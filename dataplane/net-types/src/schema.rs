//! JSON Schemas: what the text of each type looks like. What a pattern cannot say (a range of rates, host bits that
//! must be zero) is said by parsing alone.

use crate::{
    BitRate, BroadcastLimit, Collector, DomainName, IfName, InterfaceAddress4, Mac, Name, PortalUrl, Prefix,
    Prefix4, Prefix6, TimeOfDay, Tpid, UtcOffset, Vid, Vni,
};

/// Implements `schemars::JsonSchema` for types that are read from text or by hand, each with the document that it is
/// called by its name in. Whoever uses it depends on `schemars` and `serde_json`.
#[macro_export]
macro_rules! schema {
    ($($type:ident: $schema:tt;)*) => {
        $(impl ::schemars::JsonSchema for $type {
            fn schema_name() -> $crate::SchemaName {
                stringify!($type).into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                ::schemars::json_schema!($schema)
            }
        })*
    };
}

/// A dotted quad as the standard library reads it, and a prefix length.
const PREFIX: &str = concat!(
    r"^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\.){3}",
    r"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])/(3[0-2]|[12]?[0-9])$"
);

/// A dotted quad, or what might be an IPv6 address in brackets; and a port that is not 0.
const COLLECTOR: &str = concat!(
    r"^(((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\.){3}",
    r"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])|\[[0-9A-Fa-f:.]{2,45}\]):",
    r"(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})$"
);

/// An IPv6 address as the standard library reads it, but for dotted quads anywhere else than behind `::ffff:`, where it
/// writes one itself; and a prefix length.
const PREFIX6: &str = concat!(
    r"^(([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,7}:|([0-9A-Fa-f]{1,4}:){1,6}:[0-9A-Fa-f]{1,4}|",
    r"([0-9A-Fa-f]{1,4}:){1,5}(:[0-9A-Fa-f]{1,4}){2}|([0-9A-Fa-f]{1,4}:){1,4}(:[0-9A-Fa-f]{1,4}){3}|",
    r"([0-9A-Fa-f]{1,4}:){1,3}(:[0-9A-Fa-f]{1,4}){4}|([0-9A-Fa-f]{1,4}:){1,2}(:[0-9A-Fa-f]{1,4}){5}|",
    r"[0-9A-Fa-f]{1,4}:(:[0-9A-Fa-f]{1,4}){6}|:(:[0-9A-Fa-f]{1,4}){1,7}|::|",
    r"::[Ff]{4}:((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9]))",
    r"/(12[0-8]|1[01][0-9]|[1-9]?[0-9])$"
);

schema! {
    BitRate: {
        "description": "Bits per second, with k, M or G for a thousand, a million or a thousand million: 128k to 100G",
        "type": "string",
        "pattern": "^[0-9]{1,12}[kMG]?$",
        "examples": ["100M"]
    };
    BroadcastLimit: {
        "description": "Broadcast and multicast frames that a subscriber may send in a second",
        "type": "integer",
        "minimum": 1,
        "maximum": 100_000
    };
    Collector: {
        "description": "The address and UDP port of one host: 192.0.2.9:4739 or [2001:db8::9]:4739",
        "type": "string",
        "pattern": COLLECTOR,
        "examples": ["192.0.2.9:4739"]
    };
    DomainName: {
        "description": "A domain name of at most ten labels; characters beyond ASCII are written as xn--…",
        "type": "string",
        "maxLength": 254,
        "pattern": r"^(?=.{1,253}\.?$)[-_A-Za-z0-9]{1,63}(\.[-_A-Za-z0-9]{1,63}){0,9}\.?$",
        "examples": ["games.example"]
    };
    IfName: {
        "description": "A network interface's name as Linux accepts it",
        "type": "string",
        "pattern": r"^(?!\.{1,2}$)[!-.0-9;-~]{1,15}$",
        "examples": ["access0"]
    };
    InterfaceAddress4: {
        "description": "An IPv4 address on an interface, with the prefix length of its link",
        "type": "string",
        "pattern": PREFIX,
        "examples": ["192.0.2.2/30"]
    };
    Mac: {
        "description": "The Ethernet address of one host",
        "type": "string",
        "pattern": "^[0-9A-Fa-f][02468ACEace](:[0-9A-Fa-f]{2}){5}$",
        "examples": ["02:00:5e:10:00:01"]
    };
    Name: {
        "description": "An object's name",
        "type": "string",
        "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        "examples": ["node1"]
    };
    PortalUrl: {
        "description": "The http or https URL of a portal: at most 256 characters of RFC 3986, no user or password",
        "type": "string",
        "maxLength": 256,
        "pattern": r"^https?://([-A-Za-z0-9._~!$&'()*+,;=%\[][-A-Za-z0-9._~:!$&'()*+,;=%\[\]]*)([/?#][-A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%]*)?$",
        "examples": ["https://portal.example/welcome"]
    };
    Prefix: {
        "description": "An IPv4 or IPv6 prefix without host bits",
        "type": "string",
        "anyOf": [{"pattern": PREFIX}, {"pattern": PREFIX6}],
        "examples": ["198.51.100.0/24", "2001:db8::/32"]
    };
    Prefix4: {
        "description": "An IPv4 prefix without host bits",
        "type": "string",
        "pattern": PREFIX,
        "examples": ["198.51.100.0/24"]
    };
    Prefix6: {
        "description": "An IPv6 prefix without host bits",
        "type": "string",
        "pattern": PREFIX6,
        "examples": ["2001:db8::/32"]
    };
    TimeOfDay: {
        "description": "A time of day",
        "type": "string",
        "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
        "examples": ["21:30"]
    };
    Tpid: {
        "description": "A tag protocol identifier",
        "type": "string",
        "enum": ["0x88a8", "0x8100"]
    };
    UtcOffset: {
        "description": "How far clocks are ahead of UTC",
        "type": "string",
        "pattern": "^[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00)$",
        "examples": ["+01:00"]
    };
    Vid: {
        "description": "A VLAN identifier (IEEE 802.1Q)",
        "type": "integer",
        "minimum": 1,
        "maximum": 4094
    };
    Vni: {
        "description": "A VXLAN network identifier (RFC 7348)",
        "type": "integer",
        "minimum": 1,
        "maximum": 0x00ff_ffff
    };
}
