//! The schemas of all bodies.

use schemars::{
    JsonSchema, Schema, SchemaGenerator,
    generate::SchemaSettings,
    transform::{RecursiveTransform, Transform as _},
};
use serde_json::{Map, Value, json};
use xos_model::{Kind, KindName, Metadata, for_each_kind};

use super::{
    super::limits::{FAULTS_MAX, OPERATIONS_MAX},
    bodies,
};

/// A reference to one of the schemas.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

macro_rules! kinds {
    ($($kind:ident $plural:literal $short:literal $spec:ident;)*) => {
        fn kinds(generator: &mut SchemaGenerator, schemas: &mut Map<String, Value>) {
            $(kind::<xos_model::$spec>(generator, schemas);)*
        }
    };
}

for_each_kind!(kinds);

/// An object as it is served, as it may be sent, and a page of them.
fn kind<K: Kind + JsonSchema>(generator: &mut SchemaGenerator, schemas: &mut Map<String, Value>)
where
    K::Status: JsonSchema,
{
    let name = K::KIND.as_str();
    let metadata = generator.subschema_for::<Metadata>();
    let sent = json!(generator.subschema_for::<K>());
    let shown = if K::KIND == KindName::Secret { secret_served() } else { sent.clone() };
    let status = generator.subschema_for::<K::Status>();
    let object = |spec: &Value, status: Value, required: &[&str]| {
        json!({
            "type": "object",
            "properties": {"kind": {"const": name}, "metadata": metadata, "spec": spec, "status": status},
            "required": required,
            "additionalProperties": false,
        })
    };
    schemas.insert(name.into(), object(&shown, json!(status), &["kind", "metadata", "spec", "status"]));
    let ignored = json!({"description": "The server's: what is sent of it is not read"});
    schemas.insert(format!("{name}Draft"), object(&sent, ignored, &["kind", "metadata", "spec"]));
    schemas.insert(format!("{name}List"), list(name));
}

/// Of a secret the names of its values, and nothing else.
fn secret_served() -> Value {
    json!({
        "type": "object",
        "properties": {"keys": {"type": "array", "items": reference("SecretKey")}},
        "required": ["keys"],
        "additionalProperties": false,
    })
}

fn list(name: &str) -> Value {
    json!({
        "type": "object",
        "properties": {
            "kind": {"const": format!("{name}List")},
            "metadata": {
                "type": "object",
                "properties": {
                    "resourceVersion": {"type": "integer", "minimum": 0, "maximum": u64::MAX},
                    "continue": {"type": "string", "description": "Asks for the next page; absent on the last"},
                },
                "required": ["resourceVersion"],
                "additionalProperties": false,
            },
            "items": {"type": "array", "items": reference(name)},
        },
        "required": ["kind", "metadata", "items"],
        "additionalProperties": false,
    })
}

pub(super) fn all() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "#/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut schemas = Map::new();
    kinds(&mut generator, &mut schemas);
    // Of what is no object.
    generator.subschema_for::<xos_model::Verb>();
    generator.subschema_for::<xos_model::Scope>();
    generator.subschema_for::<xos_model::Text<255>>();
    generator.subschema_for::<crate::office::AuditItem>();
    generator.subschema_for::<crate::office::Plan>();
    xos_model::Graph::data_schema(&mut generator);
    for (name, mut schema) in generator.take_definitions(true) {
        if let Ok(schema) = <&mut Schema>::try_from(&mut schema) {
            RecursiveTransform(bounded).transform(schema);
        }
        schemas.insert(name, schema);
    }
    schemas.insert("Problem".into(), problem());
    schemas.insert("Transaction".into(), transaction());
    schemas.insert("TransactionResult".into(), transaction_result());
    for (name, schema) in bodies::all() {
        let taken = schemas.insert(name, schema);
        assert!(taken.is_none(), "two schemas of one name, one of them {taken:?}");
    }
    schemas
}

/// A number of 64 bits has a largest value, too.
fn bounded(schema: &mut Schema) {
    if schema.get("format").is_some_and(|format| format == "uint64") {
        schema.insert("maximum".into(), json!(u64::MAX));
    }
}

fn problem() -> Value {
    json!({
        "description": "Problem details (RFC 9457)",
        "type": "object",
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string"},
            "errors": {
                "type": "array",
                "maxItems": FAULTS_MAX,
                "items": {
                    "type": "object",
                    "properties": {
                        "pointer": {"type": "string", "description": "Into the body (RFC 6901)"},
                        "parameter": {"type": "string", "description": "Of the query, or a header"},
                        "detail": {"type": "string"},
                    },
                    "required": ["detail"],
                    "additionalProperties": false,
                },
            },
        },
        "required": ["type", "title", "status", "detail"],
        "additionalProperties": false,
    })
}

fn transaction() -> Value {
    let drafts: Vec<_> = KindName::ALL.iter().map(|kind| reference(&format!("{kind}Draft"))).collect();
    let kinds: Vec<_> = KindName::ALL.iter().map(|kind| kind.as_str()).collect();
    let operation = |op: Value, object: Value| {
        json!({
            "type": "object",
            "properties": {"op": op, "object": object},
            "required": ["op", "object"],
            "additionalProperties": false,
        })
    };
    let target = json!({
        "description": "What names the object; all else is not read",
        "type": "object",
        "properties": {
            "kind": {"enum": kinds},
            "metadata": {
                "type": "object",
                "properties": {
                    "name": reference("Name"),
                    "uid": {"type": ["string", "null"]},
                    "resourceVersion": {"type": ["integer", "null"], "minimum": 0, "maximum": u64::MAX},
                },
                "required": ["name"],
            },
        },
        "required": ["kind", "metadata"],
    });
    json!({
        "type": "object",
        "properties": {
            "operations": {
                "type": "array",
                "maxItems": OPERATIONS_MAX,
                "items": {
                    "oneOf": [
                        operation(json!({"enum": ["create", "update", "apply"]}), json!({"oneOf": drafts})),
                        operation(json!({"const": "delete"}), target),
                    ],
                },
            },
            "plan": {
                "description": "The digest of a plan, as a dry run gave it: what would be done now is that, or nothing is done",
                "anyOf": [reference("Sha256"), {"type": "null"}],
            },
        },
        "required": ["operations"],
        "additionalProperties": false,
    })
}

fn transaction_result() -> Value {
    let revision = json!({"type": "integer", "minimum": 0, "maximum": u64::MAX});
    json!({
        "type": "object",
        "properties": {
            "resourceVersion": revision,
            "results": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "result": {"enum": ["created", "configured", "unchanged", "deleted", "deleting"]},
                        "kind": reference("KindName"),
                        "name": reference("Name"),
                        "resourceVersion": revision,
                    },
                    "required": ["result", "kind", "name", "resourceVersion"],
                    "additionalProperties": false,
                },
            },
        },
        "required": ["resourceVersion", "results"],
        "additionalProperties": false,
    })
}
