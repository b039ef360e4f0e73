//! JSON Schemas of what is read from text or by hand; those of plain structures are derived. What a pattern cannot say
//! (that a prefix contains an address, the length of a text in bytes) is said by validation alone.

use std::borrow::Cow;

use net_types::schema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{
    Attributes, Base64, CaBundle, Email, HttpUrl, KindName, KindSet, PortRange, RuleProtocol, SecretKey,
    SecretSpec, SessionVersion, Sha256, SshKey, Text, Verb, VerbSet, Version, VnId,
};

schema! {
    Attributes: {
        "description": "What only a plug-in understands: a JSON object",
        "type": "object",
        "maxProperties": Attributes::MEMBERS_MAX,
        "propertyNames": {"pattern": "^[A-Za-z0-9_./-]{1,63}$"}
    };
    Base64: {
        "description": "Bytes in base 64 with padding (RFC 4648, section 4)",
        "type": "string",
        "contentEncoding": "base64"
    };
    CaBundle: {
        "description": "Certificates of authorities in PEM (RFC 7468)",
        "type": "string",
        "maxLength": CaBundle::LEN_MAX
    };
    Email: {
        "description": "A mail address",
        "type": "string",
        "maxLength": Email::LEN_MAX,
        "pattern": r"^[A-Za-z0-9_+-]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?){0,2}$"
    };
    HttpUrl: {
        "description": "A URL of http or https with a host, without a user or password in it",
        "type": "string",
        "maxLength": HttpUrl::LEN_MAX,
        "format": "uri"
    };
    PortRange: {
        "description": "A port, or ports in a row",
        "type": "string",
        "pattern": "^[0-9]{1,5}(-[0-9]{1,5})?$",
        "examples": ["22", "6000-6010"]
    };
    RuleProtocol: {
        "description": "tcp, udp, icmp, icmpv6, or the number of a protocol above IP",
        "type": "string",
        "pattern": "^(tcp|udp|icmp|icmpv6|[0-9]{1,3})$",
        "examples": ["tcp"]
    };
    SecretKey: {
        "description": "The name of a secret's value",
        "type": "string",
        "pattern": "^[A-Za-z0-9_.-]{1,63}$"
    };
    SessionVersion: {
        "description": "A digest of a session",
        "type": "string",
        "pattern": "^[0-9a-f]{16}$"
    };
    Sha256: {
        "description": "A SHA-256 digest",
        "type": "string",
        "pattern": "^[0-9a-f]{64}$"
    };
    SshKey: {
        "description": "A public key as in authorized_keys, without options",
        "type": "string",
        "maxLength": SshKey::LEN_MAX
    };
    VnId: {
        "description": "A virtual network: a Network object, a slice's own, or the one that two services share",
        "type": "string",
        "pattern": "^(network|private|shared)/[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
    };
    Version: {
        "description": "A version as a service's makers write it",
        "type": "string",
        "pattern": "^[A-Za-z0-9._+~-]{1,64}$"
    };
}

impl<const MAX: usize> JsonSchema for Text<MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("Text{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": format!("Text of at most {MAX} bytes, without control characters but line feed and tab"),
            "type": "string",
            "maxLength": MAX,
        })
    }
}

/// A list of words, or the one word that stands for all.
fn words(description: &str, words: impl Iterator<Item = &'static str>) -> Schema {
    json_schema!({
        "description": description,
        "type": "array",
        "minItems": 1,
        "items": {"enum": words.chain(["*"]).collect::<Vec<_>>()},
    })
}

impl JsonSchema for VerbSet {
    fn schema_name() -> Cow<'static, str> {
        "VerbSet".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        words("Verbs; \"*\" stands alone, for all", Verb::ALL.into_iter().map(Verb::as_str))
    }
}

impl JsonSchema for KindSet {
    fn schema_name() -> Cow<'static, str> {
        "KindSet".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        words("Plurals of kinds; \"*\" stands alone, for all", KindName::ALL.iter().map(|kind| kind.plural()))
    }
}

/// As it is sent: what is served has the names of the values alone, and what is stored is nobody's to see.
impl JsonSchema for SecretSpec {
    fn schema_name() -> Cow<'static, str> {
        "SecretSpec".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let key = generator.subschema_for::<SecretKey>();
        json_schema!({
            "description": "\"data\" has new values, \"keys\" names the values that stay as they are",
            "type": "object",
            "properties": {
                "data": {
                    "type": "object",
                    "propertyNames": key,
                    "maxProperties": Self::KEYS_MAX,
                    "additionalProperties": {"type": "string", "writeOnly": true},
                },
                "keys": {"type": "array", "items": key, "maxItems": Self::KEYS_MAX},
            },
            "minProperties": 1,
            "additionalProperties": false,
        })
    }
}
