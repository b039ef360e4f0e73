//! Objects in files, with the line that everything stands on.
//!
//! A file is YAML of one or more documents. A document may be JSON instead, of one value or several after one another.

mod split;
mod tree;

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use serde_json::Value;
use xos_model::KindName;

use crate::{
    failure::{Failure, Fault},
    kinds::{Kind, Reference, reference},
};
use tree::Lines;

/// Longest file that is read.
const FILE_LEN_MAX: u64 = 64 << 20;

/// An object and where it stands.
#[derive(Debug)]
pub struct Document {
    pub(crate) reference: Reference,
    pub(crate) object: Value,
    file: String,
    lines: Lines,
}

/// Reads all objects, in the order in which they are to be made: what others refer to comes first.
pub(crate) fn read(filenames: &[PathBuf]) -> Result<Vec<Document>, Failure> {
    let mut documents = Vec::new();
    for filename in filenames {
        for file in expand(filename)? {
            let (name, text) = load(&file)?;
            documents.extend(parse(&name, &text).map_err(Failure::Usage)?);
        }
    }
    if documents.is_empty() {
        return Err(Failure::Usage("the files hold no objects".into()));
    }
    // Stable, so that objects of a kind stay in the order of the files.
    documents.sort_by_key(|document| document.reference.kind);
    let mut seen: BTreeMap<&Reference, String> = BTreeMap::new();
    for document in &documents {
        let place = document.place("");
        if let Some(first) = seen.insert(&document.reference, place.clone()) {
            return Err(Failure::Usage(format!("{place}: {} is also at {first}", document.reference)));
        }
    }
    Ok(documents)
}

/// A directory's manifests in the order of their names; else the file itself.
fn expand(filename: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !filename.is_dir() {
        return Ok(vec![filename.into()]);
    }
    let fail = |source| Failure::File { path: filename.into(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(filename).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_file() && matches!(extension, Some("yaml" | "yml" | "json")) {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(Failure::Usage(format!("{}: no *.yaml, *.yml or *.json files", filename.display())));
    }
    files.sort();
    Ok(files)
}

fn load(file: &Path) -> Result<(String, String), Failure> {
    let fail = |source| Failure::File { path: file.into(), source };
    let mut text = String::new();
    let (name, read) = if file == Path::new("-") {
        ("standard input".to_owned(), io::stdin().take(FILE_LEN_MAX + 1).read_to_string(&mut text))
    } else {
        let opened = fs::File::open(file).map_err(fail)?;
        (file.display().to_string(), opened.take(FILE_LEN_MAX + 1).read_to_string(&mut text))
    };
    let len = read.map_err(fail)?;
    if len as u64 > FILE_LEN_MAX {
        return Err(Failure::Usage(format!("{name}: longer than {} MiB", FILE_LEN_MAX >> 20)));
    }
    Ok((name, text))
}

/// The objects of a text that is called `name`.
///
/// # Errors
/// In words, beginning with the name and the line; with the document's number where there are several.
pub fn parse(name: &str, text: &str) -> Result<Vec<Document>, String> {
    let documents = split::documents(text);
    let mut objects = Vec::new();
    let mut number = 0;
    let is_one_of_many = |number| number > 1 || documents.len() > 1;
    let fault = |number: usize, line: u64, detail: &str| {
        let which = if is_one_of_many(number) { format!("document {number}: ") } else { String::new() };
        format!("{name}:{line}: {which}{detail}")
    };
    for document in &documents {
        let (trees, flaw) = tree::read(document);
        for (value, lines) in trees {
            number += 1;
            for (object, lines) in flatten(value, lines) {
                let read = read_object(name, object, lines);
                objects.push(read.map_err(|(line, detail)| fault(number, line, &detail))?);
            }
        }
        if let Some(tree::Flaw { line, detail }) = flaw {
            return Err(fault(number + 1, line, &detail));
        }
    }
    Ok(objects)
}

/// Whether a kind is that of a list of objects; a few kinds of objects are called so too.
fn is_list(kind: &str) -> bool {
    kind.ends_with("List") && KindName::ALL.iter().all(|known| known.as_str() != kind)
}

/// The items of a list (`kind: …List`, or a bare array); else the object itself.
fn flatten(value: Value, lines: Lines) -> Vec<(Value, Lines)> {
    let (items, at) = match value {
        Value::Null => return vec![],
        Value::Array(items) => (items, ""),
        Value::Object(mut members) if members.get("kind").and_then(Value::as_str).is_some_and(is_list) => {
            match members.remove("items") {
                Some(Value::Array(items)) => (items, "/items"),
                _ => (vec![], ""),
            }
        }
        other => return vec![(other, lines)],
    };
    items.into_iter().enumerate().map(|(i, item)| (item, lines.below(&format!("{at}/{i}")))).collect()
}

/// An object that says what it is; otherwise the line at fault, and why.
fn read_object(file: &str, object: Value, lines: Lines) -> Result<Document, (u64, String)> {
    let fault = |pointer: &str, detail: &str| (lines.of(pointer), format!("{pointer}: {detail}"));
    if !object.is_object() {
        return Err(fault("/", "an object begins with \"kind\""));
    }
    let kind = match &object["kind"] {
        Value::String(name) => {
            Kind::of(&object).ok_or_else(|| fault("/kind", &format!("there is no kind \"{name}\"")))?
        }
        _ => return Err(fault("/kind", "missing: which kind of object this is")),
    };
    let name = object["metadata"]["name"].as_str();
    let name = name.ok_or_else(|| fault("/metadata/name", "missing: what the object is called"))?;
    let reference = reference(kind, name).map_err(|error| fault("/metadata/name", &error))?;
    Ok(Document { reference, object, file: file.into(), lines })
}

impl Document {
    /// The object as it is to be sent.
    pub fn object(&self) -> &Value {
        &self.object
    }

    /// The file and line of what a JSON pointer points to, or of the nearest thing around it.
    pub fn place(&self, pointer: &str) -> String {
        format!("{}:{}", self.file, self.lines.of(pointer))
    }

    /// What is wrong with the object, where in the file.
    pub(crate) fn explain(&self, fault: &Fault) -> String {
        let at = if fault.pointer.is_empty() { "/" } else { &fault.pointer };
        format!("{}: {}: {at}: {}", self.place(&fault.pointer), self.reference, fault.detail)
    }
}

#[cfg(test)]
mod tests;
