//! From JSON to values, with a pointer to what does not fit.

use serde::de::DeserializeOwned;
use serde_json::{Value, error::Category};
use serde_path_to_error::Segment;

use super::{Fault, Pointer, strict::Strict};

/// Why bytes are not the value that was wanted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("malformed JSON at line {line}, column {column}: {detail}")]
    Syntax { line: usize, column: usize, detail: String },
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Faults(Vec<Fault>),
}

/// How many faults of shape are looked for in one document.
const FAULTS_MAX: usize = 16;

/// Parses `bytes`; when they do not fit, says why field by field. Structs are objects: an array does not fit.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ParseError> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let parsed = T::deserialize(Strict(&mut deserializer));
    match parsed.and_then(|value| deserializer.end().map(|()| value)) {
        Ok(value) => Ok(value),
        Err(_) => Err(explain::<T>(bytes)),
    }
}

/// Reads the value out of a document that is JSON already.
pub fn parse_value<T: DeserializeOwned>(mut value: Value) -> Result<T, Vec<Fault>> {
    let mut faults: Vec<Fault> = Vec::new();
    loop {
        match serde_path_to_error::deserialize::<_, T>(Strict(&value)) {
            Ok(parsed) if faults.is_empty() => return Ok(parsed),
            Ok(_) => return Err(faults),
            Err(error) => {
                let fault = fault(&error);
                // A field that was taken out below and turns out to be required is missing by our own doing.
                if faults.iter().any(|known| known.pointer.as_str().starts_with(fault.pointer.as_str())) {
                    return Err(faults);
                }
                let removed = remove(&mut value, &fault.pointer);
                faults.push(fault);
                if !removed || faults.len() == FAULTS_MAX {
                    return Err(faults);
                }
            }
        }
    }
}

fn explain<T: DeserializeOwned>(bytes: &[u8]) -> ParseError {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let Err(first) = serde_path_to_error::deserialize::<_, T>(Strict(&mut deserializer)) else {
        return trailing(bytes);
    };
    if first.inner().classify() != Category::Data {
        return syntax(first.inner());
    }
    match serde_json::from_slice(bytes).map(parse_value::<T>) {
        Err(error) => syntax(&error),
        Ok(Err(faults)) => ParseError::Faults(faults),
        // A member that is there twice is lost in a `Value`; only the text tells.
        Ok(Ok(_)) => ParseError::Faults(vec![fault(&first)]),
    }
}

fn trailing(bytes: &[u8]) -> ParseError {
    match serde_json::from_slice::<serde::de::IgnoredAny>(bytes) {
        Err(error) => syntax(&error),
        Ok(_) => ParseError::Faults(vec![Fault::new(Pointer::root(), "does not fit")]),
    }
}

fn syntax(error: &serde_json::Error) -> ParseError {
    ParseError::Syntax { line: error.line(), column: error.column(), detail: without_position(error) }
}

/// `serde_json` ends its messages with the position in the text, which a pointer says better.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text[..at].into(),
        None => text,
    }
}

fn fault(error: &serde_path_to_error::Error<serde_json::Error>) -> Fault {
    let mut pointer = Pointer::root();
    for segment in error.path() {
        pointer = match segment {
            Segment::Seq { index } => pointer.at(index),
            Segment::Map { key } => pointer.at(key),
            Segment::Enum { variant } => pointer.at(variant),
            Segment::Unknown => pointer,
        };
    }
    let detail = without_position(error.inner());
    for lead in ["missing field `", "duplicate field `"] {
        if let Some(field) = detail.strip_prefix(lead).and_then(|rest| rest.strip_suffix('`')) {
            pointer = pointer.at(field);
        }
    }
    Fault { pointer, detail }
}

/// Takes out the member that `pointer` points to or that holds the element that it points to, so that its neighbours
/// can be judged.
fn remove(value: &mut Value, pointer: &Pointer) -> bool {
    let mut path = pointer.as_str();
    while let Some((parent, token)) = path.rsplit_once('/') {
        if let Some(Value::Object(members)) = value.pointer_mut(parent) {
            return members.remove(&token.replace("~1", "/").replace("~0", "~")).is_some();
        }
        path = parent;
    }
    false
}

/// JSON merge patch (RFC 7396).
pub fn merge_patch(target: &mut Value, patch: Value) {
    let Value::Object(members) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(fields) = target else { return };
    for (key, change) in members {
        if change.is_null() {
            fields.remove(&key);
        } else {
            merge_patch(fields.entry(key).or_insert(Value::Null), change);
        }
    }
}
