//! A collector by the letter of RFC 7011, written without a look at the encoder. It panics at what is malformed.

use std::collections::BTreeMap;

/// A data record: the values of information elements by their numbers.
pub(crate) type Record = BTreeMap<u16, u64>;

/// Reads messages, and remembers the templates that came before.
#[derive(Default)]
pub(crate) struct Collector {
    templates: BTreeMap<u16, Vec<(u16, u16)>>,
}

pub(crate) struct Message {
    pub export_time: u32,
    pub sequence: u32,
    pub observation_domain: u32,
    pub templates: usize,
    pub records: Vec<Record>,
}

impl Collector {
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Message {
        let mut rest = bytes;
        assert_eq!(u16_of(&mut rest), 10, "the version");
        assert_eq!(usize::from(u16_of(&mut rest)), bytes.len(), "the length");
        let mut message = Message {
            export_time: u32_of(&mut rest),
            sequence: u32_of(&mut rest),
            observation_domain: u32_of(&mut rest),
            templates: 0,
            records: Vec::new(),
        };
        assert!(!rest.is_empty(), "a message has a set");
        while !rest.is_empty() {
            let id = u16_of(&mut rest);
            let len = usize::from(u16_of(&mut rest));
            let mut set = take(&mut rest, len.checked_sub(4).expect("a set has its header"));
            assert!(!set.is_empty(), "set {id} is empty");
            while !set.is_empty() {
                match id {
                    2 | 3 => {
                        self.template(&mut set, id == 3);
                        message.templates += 1;
                    }
                    256.. => message.records.push(self.record(&mut set, id)),
                    _ => panic!("set {id} is reserved"),
                }
            }
        }
        message
    }

    fn template(&mut self, set: &mut &[u8], options: bool) {
        let id = u16_of(set);
        assert!(id >= 256, "template {id}");
        let fields = u16_of(set);
        assert_ne!(fields, 0, "withdrawals do not go over UDP (RFC 7011, section 8.4)");
        if options {
            let scope = u16_of(set);
            assert!((1..=fields).contains(&scope), "{scope} of {fields} fields are scope");
        }
        let fields: Vec<_> = (0..fields).map(|_| (u16_of(set), u16_of(set))).collect();
        assert!(fields.iter().all(|(element, _)| element & 0x8000 == 0), "elements are IANA's");
        let known = self.templates.insert(id, fields.clone());
        assert!(known.is_none_or(|known| known == fields), "template {id} has changed");
    }

    fn record(&self, set: &mut &[u8], template: u16) -> Record {
        let fields = self.templates.get(&template).unwrap_or_else(|| panic!("no template {template} yet"));
        let value =
            |len| take(set, usize::from(len)).iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        let values: Vec<_> = fields.iter().map(|(_, len)| *len).map(value).collect();
        let record: Record = fields.iter().map(|(element, _)| *element).zip(values).collect();
        assert_eq!(record.len(), fields.len(), "an element is there twice");
        record
    }
}

fn take<'a>(bytes: &mut &'a [u8], len: usize) -> &'a [u8] {
    bytes.split_off(..len).unwrap_or_else(|| panic!("{len} bytes are to come, and {} do", bytes.len()))
}

fn u16_of(bytes: &mut &[u8]) -> u16 {
    u16::from_be_bytes(take(bytes, 2).try_into().expect("two bytes"))
}

fn u32_of(bytes: &mut &[u8]) -> u32 {
    u32::from_be_bytes(take(bytes, 4).try_into().expect("four bytes"))
}
