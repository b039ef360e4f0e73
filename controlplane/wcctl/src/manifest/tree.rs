//! YAML and JSON into values, remembering lines.

use std::{collections::BTreeMap, fmt};

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;

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

/// One JSON value after the other; lines are known of values only, not of their fields.
pub(super) fn from_json(text: &str) -> Result<Vec<(Value, Lines)>, String> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let mut values = Vec::new();
    loop {
        let begin = stream.byte_offset();
        let blank = text[begin..].len() - text[begin..].trim_start().len();
        let first = 1 + text[..begin + blank].matches('\n').count() as u64;
        match stream.next() {
            None => return Ok(values),
            Some(Ok(value)) => values.push((value, Lines { first, fields: BTreeMap::new() })),
            Some(Err(error)) => return Err(format!("{}: {error}", error.line())),
        }
    }
}

/// The documents of a YAML text.
pub(super) fn from_yaml(text: &str) -> Result<Vec<(Value, Lines)>, String> {
    let mut options = serde_saphyr::Options::default();
    // An office of 100,000 subscribers is no attack; the length of the text is the limit.
    options.budget = serde_saphyr::budget! {
        max_documents: 1_000_000,
        max_events: 100_000_000,
        max_nodes: 100_000_000,
    };
    let documents: Vec<Spanned<Tree>> =
        serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
            let line = error.location().map_or(1, |location| location.line());
            let error = error.without_snippet().to_string();
            format!("{line}: {}", error.lines().next().unwrap_or_default())
        })?;
    Ok(documents
        .into_iter()
        .map(|document| {
            let mut lines = Lines { first: document.referenced.line(), fields: BTreeMap::new() };
            let value = document.value.into_value(&mut String::new(), &mut lines);
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
    fn into_value(self, pointer: &mut String, lines: &mut Lines) -> Value {
        match self {
            Self::Scalar(value) => value,
            Self::Sequence(items) => Value::Array(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(i, item)| descend(&i.to_string(), item, pointer, lines))
                    .collect(),
            ),
            Self::Mapping(members) => {
                let mut map = Map::new();
                for (key, member) in members {
                    let token = key.replace('~', "~0").replace('/', "~1");
                    let value = descend(&token, member, pointer, lines);
                    map.insert(key, value);
                }
                Value::Object(map)
            }
        }
    }
}

fn descend(token: &str, node: Spanned<Tree>, pointer: &mut String, lines: &mut Lines) -> Value {
    let len = pointer.len();
    pointer.push('/');
    pointer.push_str(token);
    lines.fields.insert(pointer.clone(), node.referenced.line());
    let value = node.value.into_value(pointer, lines);
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
