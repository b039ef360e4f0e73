//! YAML and JSON into values, remembering lines.

use std::{collections::BTreeMap, fmt};

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;

use super::split::Part;

/// The line of each field, by JSON pointer.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    first: u64,
    fields: BTreeMap<String, u64>,
}

impl Lines {
    /// The line of a field, or of the innermost field around it that has one.
    pub(super) fn of(&self, pointer: &str) -> u64 {
        let mut at = pointer;
        loop {
            if let Some(&line) = self.fields.get(at) {
                return line;
            }
            match at.rsplit_once('/') {
                Some((around, _)) => at = around,
                None => return self.first,
            }
        }
    }

    /// The lines of what `pointer` points to.
    pub(super) fn below(&self, pointer: &str) -> Self {
        let first = self.of(pointer);
        let within =
            |field: &str| field.strip_prefix(pointer).filter(|rest| rest.starts_with('/')).map(str::to_owned);
        let range =
            self.fields.range(pointer.to_owned()..).take_while(|(field, _)| field.starts_with(pointer));
        Self { first, fields: range.filter_map(|(field, &line)| Some((within(field)?, line))).collect() }
    }
}

/// What is wrong with a document, and on which line.
#[derive(Debug)]
pub(super) struct Flaw {
    pub(super) line: u64,
    pub(super) detail: String,
}

type Trees = Vec<(Value, Lines)>;

/// The values of a document, up to the first that cannot be read.
pub(super) fn read(part: &Part<'_>) -> (Trees, Option<Flaw>) {
    let as_json = part.json().map(|(text, above)| from_json(text, above));
    if let Some((values, None)) = as_json {
        return (values, None);
    }
    // What begins like JSON may be YAML. If it is neither, it was meant as that which it is for longer.
    match (from_yaml(part), as_json) {
        (Ok(values), _) => (values, None),
        (Err(yaml), Some((values, Some(json)))) if json.line >= yaml.line => (values, Some(json)),
        (Err(yaml), _) => (Vec::new(), Some(yaml)),
    }
}

/// One JSON value after the other; lines are known of values only, not of their fields.
fn from_json(text: &str, above: u64) -> (Trees, Option<Flaw>) {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let mut values = Vec::new();
    let (mut at, mut first) = (0, above + 1);
    loop {
        let begin = stream.byte_offset();
        let begin = begin + text[begin..].len() - text[begin..].trim_start().len();
        first += count(&text[at..begin]);
        at = begin;
        match stream.next() {
            None => return (values, None),
            Some(Ok(value)) => values.push((value, Lines { first, fields: BTreeMap::new() })),
            Some(Err(error)) => {
                let line = above + (error.line() as u64).max(1);
                // It ends with its place, by lines of another count.
                let text = error.to_string();
                let detail = text.rsplit_once(" at line ").map_or(text.as_str(), |(detail, _)| detail);
                let detail = format!("{detail}, at column {}", error.column());
                return (values, Some(Flaw { line, detail }));
            }
        }
    }
}

fn count(text: &str) -> u64 {
    text.matches('\n').count() as u64
}

fn from_yaml(part: &Part<'_>) -> Result<Trees, Flaw> {
    let mut options = serde_saphyr::Options::default();
    // An office of 100,000 subscribers is no attack; the length of the text is the limit.
    options.budget = serde_saphyr::budget! {
        max_documents: 1_000_000,
        max_events: 100_000_000,
        max_nodes: 100_000_000,
    };
    let documents: Vec<Spanned<Tree>> = serde_saphyr::from_multiple_with_options(part.text, options)
        .map_err(|error| {
            let line = part.above + error.location().map_or(1, |location| location.line());
            let error = error.without_snippet().to_string();
            Flaw { line, detail: error.lines().next().unwrap_or_default().into() }
        })?;
    Ok(documents
        .into_iter()
        .map(|document| {
            let first = part.above + document.referenced.line();
            let mut lines = Lines { first, fields: BTreeMap::new() };
            let value = document.value.into_value(&mut String::new(), part.above, &mut lines);
            (value, lines)
        })
        .collect())
}

/// A YAML node that JSON can express.
enum Tree {
    Scalar(Value),
    Sequence(Vec<Spanned<Tree>>),
    Mapping(Vec<(String, Spanned<Tree>)>),
}

impl Tree {
    fn into_value(self, pointer: &mut String, above: u64, lines: &mut Lines) -> Value {
        match self {
            Self::Scalar(value) => value,
            Self::Sequence(items) => Value::Array(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(i, item)| descend(&i.to_string(), item, pointer, above, lines))
                    .collect(),
            ),
            Self::Mapping(members) => {
                let mut map = Map::new();
                for (key, member) in members {
                    let token = key.replace('~', "~0").replace('/', "~1");
                    let value = descend(&token, member, pointer, above, lines);
                    map.insert(key, value);
                }
                Value::Object(map)
            }
        }
    }
}

fn descend(token: &str, node: Spanned<Tree>, pointer: &mut String, above: u64, lines: &mut Lines) -> Value {
    let len = pointer.len();
    pointer.push('/');
    pointer.push_str(token);
    lines.fields.insert(pointer.clone(), above + node.referenced.line());
    let value = node.value.into_value(pointer, above, lines);
    pointer.truncate(len);
    value
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what JSON can express")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Tree, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("JSON has no such number"))?;
        Ok(Tree::Scalar(Value::Number(number)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        Tree::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Tree::Sequence(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = access.next_entry()? {
            members.push(member);
        }
        Ok(Tree::Mapping(members))
    }
}
