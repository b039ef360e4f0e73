//! What must hold of every parser, whatever the bytes.
//!
//! Each function takes bytes and panics if what it checks does not hold. tests/fuzz calls them from libFuzzer
//! (`cargo xtask campaign fuzz`); the tests of this crate call them on a seeded slice of mutations of the same seeds.

mod access;
mod access6;
mod dns;
mod documents;
mod joining;
mod layout;
mod packets;
mod portal;
mod switches;

pub use access::{fuzz_dhcp4, fuzz_dhcp4_options, fuzz_frame};
pub use access6::{fuzz_dhcp6, fuzz_frame6, fuzz_nd};
pub use dns::fuzz_dns;
pub use documents::{fuzz_manifest, fuzz_model, fuzz_net_types, fuzz_node_state};
pub use joining::{fuzz_csr, fuzz_csr_signed, fuzz_join_token};
pub use layout::fuzz_layout;
pub use packets::{fuzz_packet_down, fuzz_packet_up};
pub use portal::fuzz_portal;
pub use switches::fuzz_openflow;

/// A check.
pub type Check = fn(&[u8]);

/// Every check by its name, which is that of its target and of its seeds' folder in tests/fuzz/corpus.
pub const ALL: [(&str, Check); 19] = [
    ("csr", fuzz_csr),
    ("csr_signed", fuzz_csr_signed),
    ("dhcp4", fuzz_dhcp4),
    ("dhcp4_options", fuzz_dhcp4_options),
    ("dhcp6", fuzz_dhcp6),
    ("dns", fuzz_dns),
    ("frame", fuzz_frame),
    ("frame6", fuzz_frame6),
    ("join_token", fuzz_join_token),
    ("layout", fuzz_layout),
    ("manifest", fuzz_manifest),
    ("model", fuzz_model),
    ("nd", fuzz_nd),
    ("net_types", fuzz_net_types),
    ("node_state", fuzz_node_state),
    ("openflow", fuzz_openflow),
    ("packet_down", fuzz_packet_down),
    ("packet_up", fuzz_packet_up),
    ("portal", fuzz_portal),
];

#[cfg(test)]
mod tests;
