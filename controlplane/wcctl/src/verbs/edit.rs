//! `wcctl edit`.

use std::{env, fmt::Write as _, fs, io, path::Path, process::Command};

use serde_json::{Value, json};

use super::report;
use crate::{
    cli::Edit,
    client::Client,
    failure::{Failure, Problem},
    kinds::{Reference, Targets},
    manifest, output,
};

const HEADER: &str = "\
# Change the object, save it and leave the editor. Lines at the top that begin with '#' are not read.
# Nothing is changed if nothing else is left, or if all is as it was.
";

pub(crate) async fn run(client: &Client, edit: &Edit) -> Result<(), Failure> {
    let reference = match super::parse(&edit.target, (&None).into())? {
        Targets::Objects(mut references) if references.len() == 1 => references.remove(0),
        _ => return Err(Failure::Usage("one object can be edited at a time: KIND/NAME or KIND NAME".into())),
    };
    let live = client.get(&reference.path()).await.map_err(|failure| super::about(&reference, failure))?;
    let mut before = intent(&live);
    before["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"].clone();
    let file = tempfile::Builder::new().prefix("wcctl-edit-").suffix(".yaml").tempfile();
    let file = file.map_err(|source| Failure::File { path: env::temp_dir(), source })?;

    let mut body = output::yaml(&before)?;
    let mut refusal: Option<Failure> = None;
    loop {
        let shown = header(refusal.as_ref()) + &body;
        let edited = in_editor(file.path(), &shown)?;
        let edited = without_header(&edited).to_owned();
        let is_untouched = edited == body;
        body = edited;
        if let Some(failure) = refusal.filter(|_| is_untouched) {
            return Err(keep(file, failure));
        }
        if body.trim().is_empty() {
            return output::print("Edit cancelled: nothing was changed.\n");
        }
        match read(&body, &reference) {
            Err(failure) => refusal = Some(failure),
            Ok(object) if without_version(&object) == without_version(&before) => {
                return output::print(&format!("{reference} unchanged\n"));
            }
            Ok(mut object) => {
                // Also when the line was deleted: what somebody else has changed meanwhile is not overwritten.
                object["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"].clone();
                match client.put(&reference.path(), &object).await {
                    Ok(_) => {
                        return report::print(client, edit.shown.output, &[(reference, "edited".into())])
                            .await;
                    }
                    Err(Failure::Refused(problem)) if is_stale(&problem) => {
                        let title = format!("{reference} has been changed by somebody else since");
                        let problem = Problem { title, detail: String::new(), errors: vec![], ..problem };
                        return Err(keep(file, Failure::Refused(problem)));
                    }
                    Err(failure @ Failure::Refused(Problem { status: 400 | 409 | 413 | 422, .. })) => {
                        refusal = Some(failure);
                    }
                    Err(failure) => return Err(keep(file, failure)),
                }
            }
        }
    }
}

/// What an operator says in an object: its labels, its finalizers, whether it is adopted, and its spec.
fn intent(object: &Value) -> Value {
    let mut metadata = json!({"name": object["metadata"]["name"]});
    for field in ["labels", "finalizers", "adopted"] {
        let value = &object["metadata"][field];
        if !value.is_null() && *value != json!({}) && *value != json!([]) {
            metadata[field] = value.clone();
        }
    }
    json!({"kind": object["kind"], "metadata": metadata, "spec": object["spec"]})
}

fn is_stale(problem: &Problem) -> bool {
    let of_version = |fault: &crate::failure::Fault| fault.pointer == "/metadata/resourceVersion";
    problem.status == 412 || problem.status == 409 && problem.errors.iter().any(of_version)
}

/// The header, with what was wrong with the last attempt.
fn header(refusal: Option<&Failure>) -> String {
    let mut header = HEADER.to_owned();
    if let Some(failure) = refusal {
        header += "#\n# This was refused:\n";
        for line in failure.to_string().lines() {
            let _ = writeln!(header, "# {line}");
        }
    }
    header + "#\n"
}

fn without_header(text: &str) -> &str {
    let mut rest = text;
    while rest.starts_with('#') {
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
    }
    rest
}

fn in_editor(path: &Path, text: &str) -> Result<String, Failure> {
    let fail = |source: io::Error| Failure::File { path: path.into(), source };
    fs::write(path, text).map_err(fail)?;
    let editor = ["VISUAL", "EDITOR"].into_iter().filter_map(|name| env::var(name).ok());
    let editor = editor.into_iter().find(|editor| !editor.trim().is_empty()).unwrap_or("vi".into());
    // By a shell, because the variables hold a command with its options.
    let status = Command::new("sh").arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(path).status();
    let status = status.map_err(fail)?;
    if !status.success() {
        return Err(Failure::Usage(format!(
            "the editor \"{editor}\" ended with {status}; nothing was changed"
        )));
    }
    fs::read_to_string(path).map_err(fail)
}

fn read(body: &str, reference: &Reference) -> Result<Value, Failure> {
    let mut documents = manifest::parse("the object", body).map_err(Failure::Usage)?;
    match (documents.pop(), documents.is_empty()) {
        (Some(document), true) if document.reference == *reference => Ok(document.object),
        (Some(document), true) => Err(Failure::Usage(format!(
            "this is {} now: neither kind nor name can be edited",
            document.reference
        ))),
        _ => Err(Failure::Usage(format!("there is to be one object, {reference}"))),
    }
}

fn without_version(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("resourceVersion");
        metadata.retain(|_, value| *value != json!({}) && *value != json!([]));
    }
    object
}

/// The failure, with where the operator's text can be found.
fn keep(file: tempfile::NamedTempFile, failure: Failure) -> Failure {
    let kept = match file.keep() {
        Ok((_, path)) => format!("your text is in {}", path.display()),
        Err(error) => format!("your text could not be kept: {error}"),
    };
    match failure {
        Failure::Refused(problem) => {
            let detail = if problem.detail.is_empty() { kept } else { format!("{}; {kept}", problem.detail) };
            Failure::Refused(Problem { detail, ..problem })
        }
        Failure::Usage(why) => Failure::Usage(format!("{why}; {kept}")),
        other => {
            eprintln!("wcctl: {kept}");
            other
        }
    }
}
