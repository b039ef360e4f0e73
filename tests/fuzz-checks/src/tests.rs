use std::{fs, path::Path};

use super::*;

/// Mutations of each seed.
const ROUNDS: u64 = 2000;
const LEN_MAX: usize = 2048;

/// A generator that always gives the same (Marsaglia, "Xorshift RNGs", 2003).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 16).expect("48 bits") % bound.max(1)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[2]
    }

    /// Changes one thing about the bytes.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len());
        match self.below(6) {
            0 if !bytes.is_empty() => bytes[at] = self.byte(),
            1 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
            2 if !bytes.is_empty() => drop(bytes.remove(at)),
            3 if bytes.len() < LEN_MAX => bytes.insert(at, self.byte()),
            4 => bytes.truncate(at),
            5 if bytes.len() < LEN_MAX / 2 => {
                let len = self.below(bytes.len() - at);
                bytes.extend_from_within(at..at + len);
            }
            _ => {}
        }
    }
}

pub(crate) fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("seed-")));
    paths.sort();
    assert!(!paths.is_empty(), "{} has no seeds", folder.display());
    paths.iter().map(|path| fs::read(path).expect("readable")).collect()
}

pub(crate) fn seed(check: &str, name: &str) -> Vec<u8> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(check).join(format!("seed-{name}"));
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_parser_stands_a_slice_of_what_the_fuzzer_does() {
    for (name, check) in ALL {
        for (index, seed) in (1..).zip(seeds(name)) {
            check(&seed);
            let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ index);
            for _ in 0..ROUNDS {
                let mut bytes = seed.clone();
                for _ in 0..=random.below(8) {
                    random.mutate(&mut bytes);
                }
                check(&bytes);
            }
        }
    }
}

#[test]
fn the_seeds_of_joining_and_of_manifests_are_accepted() {
    for name in ["p256", "p384", "ed25519", "rsa", "extensions"] {
        agent_link::SigningRequest::from_der(&seed("csr", name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    for name in ["p256", "extensions"] {
        let said = joining::signed(&seed("csr_signed", name));
        agent_link::SigningRequest::from_der(&said).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    let token = String::from_utf8(seed("join_token", "token")).expect("text");
    token.parse::<agent_link::JoinToken>().expect("a token");
    for name in ["anchors", "blocks", "flow", "json"] {
        let text = String::from_utf8(seed("manifest", name)).expect("text");
        assert!(wcctl::parse_manifest(name, &text).unwrap_or_else(|e| panic!("{e}")).len() >= 2, "{name}");
    }
}

#[test]
fn every_check_has_its_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
    for (name, _) in ALL {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not in tests/fuzz/Cargo.toml");
        let target =
            fs::read_to_string(folder.join("fuzz_targets").join(format!("{name}.rs"))).expect("a target");
        assert!(target.contains(&format!("fuzz_checks::fuzz_{name}(")), "{name} calls its check");
    }
}

/// Without one that is accepted, the fuzzer would hardly get beyond the parser.
macro_rules! every_kind_has_a_seed {
    ($($kind:ident $plural:literal $short:literal $spec:ident;)*) => {
        #[test]
        fn every_kind_has_a_seed_that_is_accepted() {
            let seeds = seeds("model");
            $({
                let mut drafts = seeds
                    .iter()
                    .filter_map(|seed| xos_model::parse::<xos_model::Draft<xos_model::$spec>>(seed).ok());
                assert!(drafts.any(|draft| draft.validate().is_empty()), stringify!($kind));
            })*
        }
    };
}

xos_model::for_each_kind!(every_kind_has_a_seed);
