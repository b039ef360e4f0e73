//! How user space reads and writes homes and pages, which cannot be mapped into its memory: it hands the program `clerk` a
//! list of [`Poke`]s, the program `wiper` a list of units, or the program `reader` a [`Peek`], as a frame, by
//! `BPF_PROG_TEST_RUN`. (The kernel's own calls for maps in maps wait for all CPUs, on Linux 6.1 even to read.)

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// One aligned word to be stored; when the clerk is done, the frame says what was there before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct Poke {
    /// Index of the chunk or page in its map, or of the counter.
    pub page: u32,
    /// Which of its words: of eight bytes in a home's chunk, of four in the other two.
    pub word: u16,
    /// One of `poke_table`.
    pub table: u16,
    /// In words of four bytes, the lower half counts. Afterwards what was there; all ones: there is no such place.
    pub value: u64,
}

/// Values of `Poke::table` and `Peek::table`.
pub mod poke_table {
    use crate::map;

    pub const HOMES: u16 = 1;
    pub const LINES: u16 = 2;
    pub const NAT_PORTS: u16 = 3;
    /// As `HOMES`, but added to what is there.
    pub const HOMES_ADD: u16 = 4;
    /// Added to a counter of the CPU that the clerk runs on: user space cannot while the programs count.
    pub const DROPS_ADD: u16 = 5;
    pub const ENDS_ADD: u16 = 6;
    pub const LOSSES_ADD: u16 = 7;
    pub const DHCP_ANSWERS_ADD: u16 = 8;
    pub const DNS_COUNTS_ADD: u16 = 9;

    /// Maps of counters that each CPU has its own of.
    pub const COUNTERS: [(&str, u16); 5] = [
        (map::DROPS, DROPS_ADD),
        (map::ENDS, ENDS_ADD),
        (map::LOSSES, LOSSES_ADD),
        (map::DHCP_ANSWERS, DHCP_ANSWERS_ADD),
        (map::DNS_COUNTS, DNS_COUNTS_ADD),
    ];
}

/// Pokes that the clerk looks at in one frame, which must fit in a page with what the kernel puts around it.
pub const POKES_MAX: usize = 96;
/// Units that the wiper fills with zeros in one frame, each a `u32`; 0: nothing.
pub const WIPES_MAX: usize = 16;

/// What is to be read: words of eight bytes, into the rest of the frame, from a word of a page on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct Peek {
    /// As in `Poke`.
    pub page: u32,
    /// The first word of eight bytes.
    pub word: u16,
    /// One of `poke_table`; afterwards 0: it was read. What is beyond the page's end is left as it was.
    pub table: u16,
}

/// Words that the reader reads in one frame.
pub const PEEK_WORDS_MAX: usize = 384;
