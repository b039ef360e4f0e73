//! Descriptions of how maps are laid out, which an agent finds pinned by another one, against a reader of them that is
//! written apart from the one under test.

use std::collections::BTreeMap;

use fastpath::Reading;
use map_abi::layout::TEXT;

/// A record: its length, and its fields with where they begin, how long they are, and whether they begin anew.
#[derive(Default)]
struct Record<'a> {
    bytes: usize,
    fields: Vec<(&'a str, usize, usize, bool)>,
}

/// Whatever is pinned, it is a description or an error. By one, a record becomes what its fields say by their names, as far
/// as there is room, and zeros; what of it has no place is told.
pub fn fuzz_layout(bytes: &[u8]) {
    let Ok(reading) = Reading::of(bytes) else { return };
    let len = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let old = read(std::str::from_utf8(&bytes[..len]).expect("what is understood is text"));
    for (name, new) in read(std::str::from_utf8(TEXT).expect("text")) {
        let Some(old) = old.get(name) else {
            assert_eq!(reading.record(name, &[]), None, "{name} is not described");
            continue;
        };
        // No two bytes of a word are alike, and none is zero.
        let value: Vec<u8> = (1..=250).cycle().take(old.bytes).collect();
        let (carried, lost) = reading.record(name, &value).expect("it is described");
        assert_eq!(carried, expected(old, &new, &value), "{name}");
        for field in lost {
            let field = field.split_once('.').map_or("", |(_, field)| field);
            let (_, _, len, _) = old.fields.iter().find(|(known, ..)| *known == field).expect("a field");
            let room = new.fields.iter().find(|(known, ..)| *known == field).map_or(0, |(_, _, len, _)| *len);
            assert!(room < *len, "{name}.{field} has a place");
        }
        if old.bytes > 0 {
            assert_eq!(reading.record(name, &value[1..]), None, "{name} is shorter than it should be");
        }
    }
}

fn expected(old: &Record, new: &Record, value: &[u8]) -> Vec<u8> {
    let mut expected = vec![0; new.bytes];
    for (name, to, room, is_anew) in &new.fields {
        let before = old.fields.iter().find(|(known, ..)| known == name);
        if let Some((_, from, len, _)) = before.filter(|_| !is_anew) {
            let len = *len.min(room);
            expected[*to..to + len].copy_from_slice(&value[*from..from + len]);
        }
    }
    expected
}

/// The records of a description that is known to be one.
fn read(text: &str) -> BTreeMap<&str, Record<'_>> {
    let number = |word: &str| word.parse::<usize>().expect("a number");
    let mut records = BTreeMap::new();
    let mut last = "";
    for line in text.lines() {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["record", name, bytes] => {
                last = name;
                records.insert(name, Record { bytes: number(bytes), fields: Vec::new() });
            }
            ["field", name, at, len, keeper] => {
                let record = records.get_mut(last).expect("a record before its fields");
                assert!(number(at) + number(len) <= record.bytes, "{name} lies in its record");
                record.fields.push((name, number(at), number(len), keeper == "anew"));
            }
            _ => {}
        }
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::seed;

    #[test]
    fn the_seeds_are_descriptions() {
        for name in ["office", "otherwise"] {
            Reading::of(&seed("layout", name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        fuzz_layout(TEXT);
        let reading = Reading::of(TEXT).expect("this very layout");
        let (carried, lost) = reading.record("NatEntry", &[7; 16]).expect("a mapping");
        assert_eq!((carried, lost), (vec![7; 16], Vec::new()));
    }
}
