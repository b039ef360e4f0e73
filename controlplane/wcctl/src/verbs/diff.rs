//! `wcctl diff`.

use serde::Serialize;
use serde_json::{Value, json};
use similar::TextDiff;
use xos_model::{KindName, for_each_kind, parse_value};

use super::report;
use crate::{
    cli::Diff,
    client::Client,
    failure::{Failure, Fault},
    kinds::Reference,
    manifest::{self, Document},
    output, progress,
};

pub(crate) async fn run(client: &Client, diff: &Diff) -> Result<(), Failure> {
    let documents = manifest::read(&diff.files.filenames)?;
    let mut wanted = Vec::with_capacity(documents.len());
    for document in &documents {
        let intent = intent(document.reference.kind.0, &document.object);
        wanted.push(intent.map_err(|faults| explain(document, &faults))?);
    }
    let references: Vec<Reference> = documents.iter().map(|document| document.reference.clone()).collect();
    let found = progress::during("reading what is there", report::present(client, &references)).await?;
    let mut text = String::new();
    for (document, wanted) in documents.iter().zip(&wanted) {
        let live = found.get(&document.reference).map(intent_of_live);
        text += &unified(document, live.as_ref(), wanted)?;
    }
    output::print(&text)?;
    if text.is_empty() { Ok(()) } else { Err(Failure::Different) }
}

fn unified(document: &Document, live: Option<&Value>, wanted: &Value) -> Result<String, Failure> {
    let before = live.map_or_else(|| Ok(String::new()), output::yaml)?;
    let after = output::yaml(wanted)?;
    if before == after {
        return Ok(String::new());
    }
    let old = if live.is_some() { format!("live/{}", document.reference) } else { "/dev/null".into() };
    let new = format!("file/{}", document.reference);
    Ok(TextDiff::from_lines(&before, &after).unified_diff().header(&old, &new).to_string())
}

/// What an operator says in an object: its labels and its spec, with defaults written out as the controller does.
pub(super) fn intent(kind: KindName, object: &Value) -> Result<Value, Vec<Fault>> {
    macro_rules! normal_of {
        ($($kind:ident $plural:literal $short:literal $spec:ident;)*) => {
            match kind {
                $(KindName::$kind => normal::<xos_model::$spec>(object["spec"].clone()),)*
            }
        };
    }
    Ok(shape(object, &for_each_kind!(normal_of)?))
}

/// The same of a live object, which is normal already unless a newer controller wrote it.
pub(super) fn intent_of_live(object: &Value) -> Value {
    shape(object, &object["spec"])
}

fn shape(object: &Value, spec: &Value) -> Value {
    let mut metadata = json!({"name": object["metadata"]["name"]});
    for field in ["labels", "finalizers"] {
        let value = &object["metadata"][field];
        let is_empty = value.as_object().is_some_and(serde_json::Map::is_empty);
        if !value.is_null() && !is_empty && value != &json!([]) {
            metadata[field] = value.clone();
        }
    }
    json!({"kind": object["kind"], "metadata": metadata, "spec": spec})
}

fn normal<K: xos_model::Kind + Serialize>(spec: Value) -> Result<Value, Vec<Fault>> {
    let fault = |fault: xos_model::Fault| Fault::new(fault.pointer.as_str(), fault.detail);
    let under_spec = |f: xos_model::Fault| fault(f.under(&"/spec".into()));
    let spec: K =
        parse_value(spec).map_err(|faults| faults.into_iter().map(under_spec).collect::<Vec<_>>())?;
    let faults = spec.validate();
    if !faults.is_empty() {
        return Err(faults.into_iter().map(fault).collect());
    }
    serde_json::to_value(spec).map_err(|error| vec![Fault::new("/spec", error.to_string())])
}

fn explain(document: &Document, faults: &[Fault]) -> Failure {
    Failure::Usage(faults.iter().map(|fault| document.explain(fault)).collect::<Vec<_>>().join("\n"))
}
