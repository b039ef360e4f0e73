//! `wcctl label`.

use serde_json::{Map, Value, json};

use super::{apply::transact, report};
use crate::{
    cli::Label,
    client::{Client, Selectors, text},
    failure::{Failure, Problem},
    kinds::Reference,
};

/// What is to become of a label: its new value, or nothing.
type Change = (String, Option<String>);

pub(crate) async fn run(client: &Client, label: &Label) -> Result<(), Failure> {
    let (targets, changes) = divide(&label.words).map_err(Failure::Usage)?;
    let selectors = Selectors::from(&label.selector);
    if let (super::Targets::Kinds(_), true) = (super::parse(&targets, selectors)?, selectors.is_empty()) {
        return Err(Failure::Usage("name what is to be labelled, or pick it with -l".into()));
    }
    let groups = super::resolve(client, &targets, selectors).await?;
    let (mut references, mut operations) = (Vec::new(), Vec::new());
    for mut object in groups.into_iter().flat_map(|(_, objects)| objects) {
        let Some(reference) = Reference::of(&object) else { continue };
        change(&mut object, &changes, label.overwrite).map_err(|why| {
            let title = format!("{reference}: {why}; nothing was changed");
            Failure::Refused(Problem { status: 409, title, ..Problem::default() })
        })?;
        references.push(reference);
        // With its resourceVersion: what changes meanwhile is not undone.
        operations.push(json!({"op": "update", "object": object}));
    }
    if operations.is_empty() {
        eprintln!("The selector picks no objects.");
        return Ok(());
    }
    let results = transact(client, &operations, None).await?;
    let said = |result: String| if result == "configured" { "labelled".into() } else { result };
    let results: Vec<_> = references.into_iter().zip(results.into_iter().map(said)).collect();
    report::print(client, label.shown.output, &results).await
}

/// Which words name objects, and which labels.
fn divide(words: &[String]) -> Result<(Vec<String>, Vec<Change>), String> {
    let (mut targets, mut changes) = (Vec::new(), Vec::<Change>::new());
    for word in words {
        let change = match (word.split_once('='), word.strip_suffix('-')) {
            (Some((key, value)), _) => (key.to_owned(), Some(value.to_owned())),
            (None, Some(key)) => (key.to_owned(), None),
            (None, None) if changes.is_empty() => {
                targets.push(word.clone());
                continue;
            }
            (None, None) => return Err(format!("\"{word}\" is neither key=value nor key-")),
        };
        if change.0.is_empty() {
            return Err(format!("\"{word}\": a label has a key"));
        }
        if changes.iter().any(|(key, _)| *key == change.0) {
            return Err(format!("the label {} is named twice", change.0));
        }
        changes.push(change);
    }
    if changes.is_empty() {
        return Err("say which labels: key=value to set one, key- to remove one".into());
    }
    Ok((targets, changes))
}

fn change(object: &mut Value, changes: &[Change], overwrite: bool) -> Result<(), String> {
    let mut labels: Map<String, Value> =
        object["metadata"]["labels"].as_object().cloned().unwrap_or_default();
    for (key, value) in changes {
        match value {
            None => drop(labels.remove(key)),
            Some(value) => {
                let old = labels.insert(key.clone(), json!(value));
                if let Some(old) = old.filter(|old| old != value && !overwrite) {
                    return Err(format!("{key} is {} already: --overwrite changes it", text(&old)));
                }
            }
        }
    }
    object["metadata"]["labels"] = labels.into();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_come_after_what_they_are_of() {
        let words = |text: &str| text.split_whitespace().map(Into::into).collect::<Vec<String>>();
        let (targets, changes) = divide(&words("sub alice tier=gold trial- note=")).expect("well formed");
        assert_eq!(targets, words("sub alice"));
        let expected = [("tier", Some("gold")), ("trial", None), ("note", Some(""))];
        assert_eq!(changes, expected.map(|(key, value)| (key.to_owned(), value.map(str::to_owned))));
        for wrong in ["sub alice", "sub a=b alice", "sub alice =x", "sub alice a=b a-", "sub alice -"] {
            assert!(divide(&words(wrong)).is_err(), "{wrong}");
        }
    }
}
