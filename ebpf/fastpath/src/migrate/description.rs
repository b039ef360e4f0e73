//! A layout's description, read back: see `map_abi::layout`.

use std::collections::BTreeMap;

use map_abi::layout::Keeper;

/// Longer than any description is.
const TEXT_MAX: usize = 1 << 18;
/// Longer than any record is.
const RECORD_MAX: usize = 1 << 20;

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum DescriptionError {
    #[error("there is no description of them")]
    None,
    #[error("their description is cut off, or not text")]
    CutOff,
    #[error("their description is of another form: {0:?}")]
    Form(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldLayout {
    pub(crate) name: String,
    pub(crate) offset: usize,
    pub(crate) bytes: usize,
    pub(crate) keeper: Keeper,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RecordLayout {
    pub(crate) bytes: usize,
    pub(crate) fields: Vec<FieldLayout>,
}

impl RecordLayout {
    pub(crate) fn field(&self, name: &str) -> Option<&FieldLayout> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// A number of a record, of at most eight bytes; 0 if there is no such field.
    pub(crate) fn number(&self, record: &[u8], name: &str) -> u64 {
        let place = self.field(name).filter(|field| field.bytes <= 8);
        let bytes = place.and_then(|field| record.get(field.offset..field.offset + field.bytes));
        let mut word = [0; 8];
        for (to, from) in word.iter_mut().zip(bytes.unwrap_or_default()) {
            *to = *from;
        }
        u64::from_ne_bytes(word)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Description {
    pub(crate) constants: BTreeMap<String, u64>,
    /// By map, in order.
    pub(crate) indices: BTreeMap<String, Vec<String>>,
    pub(crate) records: BTreeMap<String, RecordLayout>,
}

impl Description {
    /// Whatever the bytes are; zeros at their end are none of the text.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, DescriptionError> {
        let len = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let text = std::str::from_utf8(&bytes[..len]).map_err(|_| DescriptionError::CutOff)?;
        if text.len() > TEXT_MAX || !text.ends_with("\nend\n") {
            return Err(DescriptionError::CutOff);
        }
        let mut found = Self::default();
        let mut lines = text.lines();
        let form = |line: &str| DescriptionError::Form(line.chars().take(80).collect());
        let first = lines.next().unwrap_or_default();
        if first != "wirecenter layout 1" {
            return Err(form(first));
        }
        let mut record: Option<&mut RecordLayout> = None;
        for line in lines {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["version", _] | ["end"] => {}
                ["constant", name, value] => {
                    let value = value.parse().map_err(|_| form(line))?;
                    found.constants.insert(name.to_owned(), value);
                }
                ["index", map, name] => {
                    found.indices.entry(map.to_owned()).or_default().push(name.to_owned());
                }
                ["record", name, bytes] => {
                    let bytes = bytes.parse().ok().filter(|bytes| *bytes <= RECORD_MAX);
                    let layout = RecordLayout { bytes: bytes.ok_or_else(|| form(line))?, fields: Vec::new() };
                    let entry = found.records.entry(name.to_owned()).or_default();
                    *entry = layout;
                    record = Some(entry);
                }
                ["field", name, offset, bytes, keeper] => {
                    let record = record.as_mut().ok_or_else(|| form(line))?;
                    let field = field(name, offset, bytes, keeper);
                    let field =
                        field.filter(|field| field.offset.saturating_add(field.bytes) <= record.bytes);
                    record.fields.push(field.ok_or_else(|| form(line))?);
                }
                _ => return Err(form(line)),
            }
        }
        Ok(found)
    }

    pub(crate) fn record(&self, name: &str) -> Option<&RecordLayout> {
        self.records.get(name)
    }
}

fn field(name: &str, offset: &str, bytes: &str, keeper: &str) -> Option<FieldLayout> {
    // A keeper of another version's: then it is carried over as it is.
    let keeper = Keeper::ALL.into_iter().find(|known| known.name() == keeper).unwrap_or(Keeper::Kernel);
    let (offset, bytes) = (offset.parse().ok()?, bytes.parse().ok()?);
    Some(FieldLayout { name: name.to_owned(), offset, bytes, keeper })
}
