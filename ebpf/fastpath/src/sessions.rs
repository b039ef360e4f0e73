//! Sessions in the maps, and the order in which they come and go.
//!
//! A session is published only when its slot is complete, and its slot is given away only when nothing leads to it.
//! `Cold::version` is 0 in between, so that whoever finds it so after a crash knows that it must be written again;
//! the slot always tells what may lead to it: tags, port, NAT blocks, address.

use std::{collections::BTreeMap, net::Ipv4Addr, str::FromStr};

use map_abi::{AccessEntry, FibTarget, NatRef, SVIDS_PER_PORT, flags};
use net_types::{Mac, Name, Prefix4};
use node_plan::forwarding::{Image, Runs};
use zerocopy::IntoBytes;

use crate::{
    error::ApplyError,
    mapped::{Writer, get, get_words, put, put_words},
    tables::{Tables, text_words},
};

/// Words of `Direction` that are configuration: all up to the policer's clock.
const CONFIG_WORDS: usize = 5;
/// The word of `Direction` with the first external port and the port's index.
const PORTS_WORD: usize = 3;

/// Where a session is reached, as its slot says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) port: u16,
    pub(crate) s_vid: u16,
    pub(crate) c_vid: u16,
    pub(crate) nat: Option<HeldNat>,
    /// Routed as it is, without NAT.
    pub(crate) network: Option<Prefix4>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeldNat {
    pub(crate) address: Ipv4Addr,
    pub(crate) first_port: u16,
    pub(crate) blocks: NatRef,
}

/// Which slots and pages are taken, and by whom.
pub(crate) struct Sessions {
    pub(crate) by_name: BTreeMap<Name, u32>,
    slots: Runs,
    blocks: Runs,
    access_pages: Runs,
    /// By page of `CVID_PAGES`: how many sessions are in it.
    population: BTreeMap<u32, u32>,
}

impl Tables {
    pub(crate) fn reach(&self, slot: u32) -> Reach {
        let session = self.sessions.at(slot);
        let up: [u64; CONFIG_WORDS] = get_words!(session, up);
        let up: Vec<u8> = up.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let address = |at: usize| Ipv4Addr::from(<[u8; 4]>::try_from(&up[at..at + 4]).unwrap_or_default());
        let number = |at: usize| u16::from_ne_bytes(<[u8; 2]>::try_from(&up[at..at + 2]).unwrap_or_default());
        let cold: [u64; 2] = get_words!(session, cold.nat);
        let [a, b, c, d, e, f, g, h] = cold[0].to_ne_bytes();
        let blocks = NatRef::from_bits(u32::from_ne_bytes([a, b, c, d]));
        let has_nat = number(6) & flags::NAT != 0;
        let netmask = u8::try_from(address(12).to_bits().leading_ones()).unwrap_or(32);
        Reach {
            port: number(PORTS_WORD * 8 + 2),
            s_vid: u16::from_ne_bytes([e, f]),
            c_vid: u16::from_ne_bytes([g, h]),
            nat: (has_nat && !blocks.is_none()).then(|| HeldNat {
                address: address(16),
                first_port: number(PORTS_WORD * 8),
                blocks,
            }),
            network: if has_nat { None } else { Prefix4::new(address(8), netmask).ok() },
        }
    }

    pub(crate) fn mac_of(&self, slot: u32) -> Option<Mac> {
        let [word]: [u64; 1] = get_words!(self.sessions.at(slot), up);
        let [a, b, c, d, e, f, low, high] = word.to_ne_bytes();
        if u16::from_ne_bytes([low, high]) & flags::MAC_KNOWN == 0 {
            return None;
        }
        Mac::new([a, b, c, d, e, f]).ok()
    }

    /// Puts an address, or that none is known, in both directions of a session: in each with one store.
    pub(crate) fn set_mac(&self, writer: &mut Writer, slot: u32, mac: Option<Mac>) {
        let session = self.sessions.at(slot);
        let others = get!(session, up.flags) & !flags::MAC_KNOWN;
        let bits = others | if mac.is_some() { flags::MAC_KNOWN } else { 0 };
        let [a, b, c, d, e, f] = mac.map_or([0; 6], Mac::octets);
        let [low, high] = bits.to_ne_bytes();
        let word = u64::from_ne_bytes([a, b, c, d, e, f, low, high]);
        put_words!(writer, session, [word], down);
        put_words!(writer, session, [word], up);
    }

    pub(crate) fn set_outer_tag(&self, writer: &mut Writer, slot: u32, tag: [u8; 4]) {
        let session = self.sessions.at(slot);
        let [word]: [u64; 1] = get_words!(session, down.external_or_outer_tag);
        let [_, _, _, _, a, b, c, d] = word.to_ne_bytes();
        let [e, f, g, h] = tag;
        put_words!(
            writer,
            session,
            [u64::from_ne_bytes([e, f, g, h, a, b, c, d])],
            down.external_or_outer_tag
        );
    }

    fn svid_index(port: u16, s_vid: u16) -> u32 {
        u32::from(port) * SVIDS_PER_PORT + u32::from(s_vid & 0xfff)
    }

    fn access_page(&self, port: u16, s_vid: u16) -> Option<u32> {
        let at = self.svid_pages.at(Self::svid_index(port, s_vid));
        // SAFETY: aligned, and inside the mapping.
        let page = unsafe { crate::mapped::Word::load(at) };
        u32::try_from(page).ok().filter(|page| *page != 0 && *page < self.cvid_pages.len())
    }

    fn access_word(&self, page: u32, c_vid: u16) -> *mut u64 {
        let page = self.cvid_pages.at(page);
        // SAFETY: inside the page, by the mask.
        unsafe { core::ptr::addr_of_mut!((*page).entries).cast::<u64>().add(usize::from(c_vid & 0xfff)) }
    }

    /// The session that the tags lead to; 0: none.
    pub(crate) fn slot_by_tags(&self, port: u16, s_vid: u16, c_vid: u16) -> u32 {
        let Some(page) = self.access_page(port, s_vid) else { return 0 };
        // SAFETY: aligned, and inside the mapping.
        slot_of(unsafe { crate::mapped::Word::load(self.access_word(page, c_vid)) })
    }

    fn group_words(&self, nat: &HeldNat) -> Option<(*mut u64, u32)> {
        let target = self.lookup(nat.address);
        if target.kind() != FibTarget::KIND_NAT || target.index() >= self.nat_ports.len() {
            return None;
        }
        Some(self.group_words_at(target.index(), nat))
    }

    fn group_words_at(&self, address_index: u32, nat: &HeldNat) -> (*mut u64, u32) {
        let first = u32::from(nat.first_port) / 64;
        let count = nat.blocks.blocks().min(1024 - first);
        let ports = self.nat_ports.at(address_index);
        // SAFETY: `first` is below 1024, the number of groups.
        (unsafe { core::ptr::addr_of_mut!((*ports).groups).cast::<u64>().add(first as usize) }, count)
    }

    /// The session that one of the ports leads to, other than `slot`.
    pub(crate) fn holder_of_ports(&self, address_index: u32, nat: &HeldNat, slot: u32) -> Option<u32> {
        let (first, count) = self.group_words_at(address_index, nat);
        (0..count as usize)
            // SAFETY: `count` groups from `first` on are inside the value.
            .map(|n| slot_of(unsafe { crate::mapped::Word::load(first.add(n)) }))
            .find(|holder| *holder != 0 && *holder != slot)
    }
}

fn slot_of(entry: u64) -> u32 {
    let [a, b, c, d, ..] = entry.to_ne_bytes();
    u32::from_ne_bytes([a, b, c, d])
}

fn entry_word(slot: u32, nat: NatRef) -> u64 {
    let bytes = AccessEntry { slot, nat };
    u64::from_ne_bytes(<[u8; 8]>::try_from(bytes.as_bytes()).unwrap_or_default())
}

impl Sessions {
    /// Takes stock of the maps, and removes from them what leads to no session.
    pub(crate) fn survey(tables: &Tables, writer: &mut Writer) -> Self {
        let mut sessions = Self {
            by_name: BTreeMap::new(),
            slots: Runs::new(tables.sessions.len()),
            blocks: Runs::new(tables.nat_blocks.len()),
            access_pages: Runs::new(tables.cvid_pages.len()),
            population: BTreeMap::new(),
        };
        for slot in tables.slots_in_use() {
            let is_new = sessions.slots.take_at(slot, 0);
            let nat = tables.reach(slot).nat;
            let has_blocks =
                nat.is_none_or(|nat| sessions.blocks.take_at(nat.blocks.first_block(), nat.blocks.order()));
            match Name::from_str(&tables.name_in_slot(slot)) {
                Ok(name) if is_new && has_blocks && !sessions.by_name.contains_key(&name) => {
                    sessions.by_name.insert(name, slot);
                }
                // Not as this program writes it: nothing may lead there, and then it is free.
                _ => put!(writer, tables.sessions.at(slot), 0, cold.in_use),
            }
        }
        sessions.survey_access(tables, writer);
        sessions
    }

    fn survey_access(&mut self, tables: &Tables, writer: &mut Writer) {
        for index in 0..tables.svid_pages.len() {
            let at = tables.svid_pages.at(index);
            // SAFETY: aligned, and inside the mapping.
            let page = unsafe { crate::mapped::Word::load(at) };
            if page == 0 {
                continue;
            }
            let page = u32::try_from(page).unwrap_or(u32::MAX);
            if !self.access_pages.take_at(page, 0) {
                // SAFETY: aligned, and inside a mapping for writing.
                unsafe { writer.put(at, 0_u64) };
                continue;
            }
            let (port, s_vid) = (index / SVIDS_PER_PORT, index % SVIDS_PER_PORT);
            let mut population = 0;
            for c_vid in 0..4096_u16 {
                let word = tables.access_word(page, c_vid);
                // SAFETY: aligned, and inside the mapping.
                let slot = slot_of(unsafe { crate::mapped::Word::load(word) });
                if slot == 0 {
                    continue;
                }
                let is_right =
                    slot < tables.sessions.len() && get!(tables.sessions.at(slot), cold.in_use) != 0 && {
                        let reach = tables.reach(slot);
                        (u32::from(reach.port), u32::from(reach.s_vid), reach.c_vid) == (port, s_vid, c_vid)
                    };
                if is_right {
                    population += 1;
                } else {
                    // SAFETY: aligned, and inside a mapping for writing.
                    unsafe { writer.put(word, 0_u64) };
                }
            }
            self.population.insert(page, population);
        }
    }

    pub(crate) fn take_slot(&mut self, tables: &Tables) -> Result<u32, ApplyError> {
        let full = ApplyError::Full { table: "sessions", size: tables.sessions.len() - 1 };
        self.slots.take(0).ok_or(full)
    }

    pub(crate) fn give_back_slot(&mut self, slot: u32) {
        self.slots.release(slot, 0);
    }

    pub(crate) fn take_blocks(&mut self, tables: &Tables, order: u32) -> Result<NatRef, ApplyError> {
        let run = self.blocks.take(order).and_then(|first| NatRef::new(first, order));
        run.ok_or(ApplyError::Full { table: "NAT blocks", size: tables.nat_blocks.len() - 1 })
    }

    pub(crate) fn give_back_blocks(&mut self, blocks: NatRef) {
        self.blocks.release(blocks.first_block(), blocks.order());
    }

    /// Finds or makes the page for an S-VID.
    pub(crate) fn prepare_page(
        &mut self,
        tables: &Tables,
        writer: &mut Writer,
        port: u16,
        s_vid: u16,
    ) -> Result<(), ApplyError> {
        if tables.access_page(port, s_vid).is_some() {
            return Ok(());
        }
        let size = tables.cvid_pages.len() - 1;
        let page = self.access_pages.take(0).ok_or(ApplyError::Full { table: "S-VIDs", size })?;
        self.population.insert(page, 0);
        // SAFETY: aligned, and inside a mapping for writing. Pages that were given back are empty.
        unsafe { writer.put(tables.svid_pages.at(Tables::svid_index(port, s_vid)), u64::from(page)) };
        Ok(())
    }

    /// Fills in everything but the counters; a slot that is new begins with none.
    pub(crate) fn write(
        tables: &Tables,
        writer: &mut Writer,
        slot: u32,
        name: &Name,
        image: &Image,
        is_new: bool,
    ) {
        let session = tables.sessions.at(slot);
        put!(writer, session, 0_u64, cold.version);
        if is_new {
            for direction in [0, 1] {
                // SAFETY: `up` and `down` are the first two of a session's lines.
                let clock = unsafe { session.cast::<u64>().add(direction * 8 + CONFIG_WORDS) };
                // SAFETY: the three words from there on are the direction's clock and counters.
                unsafe { writer.put_words(clock, &[0; 3]) };
            }
            put_words!(writer, session, [0, 0, 0], cold.drops_up);
        }
        let [a, b, c, d] = image.nat.to_bits().to_ne_bytes();
        let ([e, f], [g, h]) = (image.s_vid.to_ne_bytes(), image.c_vid.to_ne_bytes());
        put_words!(writer, session, text_words::<8>(name.as_str()), name);
        put_words!(writer, session, [u64::from_ne_bytes([a, b, c, d, e, f, g, h])], cold.nat);
        let [a, b, c, d] = image.address.octets();
        let [e, f, g, h] = 1_u32.to_ne_bytes();
        put_words!(writer, session, config_words(&image.up), up);
        put_words!(writer, session, config_words(&image.down), down);
        put_words!(writer, session, [u64::from_ne_bytes([a, b, c, d, e, f, g, h])], cold.address);
    }

    /// Lets packets find the session.
    pub(crate) fn publish(&mut self, tables: &Tables, writer: &mut Writer, slot: u32, reach: &Reach) {
        if let Some(nat) = &reach.nat
            && let Some((first, count)) = tables.group_words(nat)
        {
            for n in 0..count {
                let block = NatRef::new(nat.blocks.first_block() + n, 0).unwrap_or(NatRef::NONE);
                // SAFETY: `count` groups from `first` on are inside the value.
                unsafe { writer.put(first.add(n as usize), entry_word(slot, block)) };
            }
        }
        let Some(page) = tables.access_page(reach.port, reach.s_vid) else { return };
        let word = tables.access_word(page, reach.c_vid);
        let blocks = reach.nat.map_or(NatRef::NONE, |nat| nat.blocks);
        // SAFETY: aligned, and inside a mapping for writing.
        unsafe {
            if crate::mapped::Word::load(word) == 0_u64 {
                *self.population.entry(page).or_default() += 1;
            }
            writer.put(word, entry_word(slot, blocks));
        }
    }

    /// The reverse of `publish`; NAT mappings are forgotten, and the blocks are free.
    pub(crate) fn withdraw(&mut self, tables: &Tables, writer: &mut Writer, slot: u32) {
        let reach = tables.reach(slot);
        put!(writer, tables.sessions.at(slot), 0_u64, cold.version);
        if let Some(page) = tables.access_page(reach.port, reach.s_vid)
            && tables.slot_by_tags(reach.port, reach.s_vid, reach.c_vid) == slot
        {
            // SAFETY: aligned, and inside a mapping for writing.
            unsafe { writer.put(tables.access_word(page, reach.c_vid), 0_u64) };
            let population = self.population.entry(page).or_default();
            *population = population.saturating_sub(1);
            if *population == 0 {
                self.population.remove(&page);
                // SAFETY: as above.
                unsafe {
                    writer.put(tables.svid_pages.at(Tables::svid_index(reach.port, reach.s_vid)), 0_u64);
                }
                self.access_pages.release(page, 0);
            }
        }
        let Some(nat) = reach.nat else { return };
        if let Some((first, count)) = tables.group_words(&nat) {
            for n in 0..count as usize {
                // SAFETY: `count` groups from `first` on are inside the value.
                unsafe {
                    if slot_of(crate::mapped::Word::load(first.add(n))) == slot {
                        writer.put(first.add(n), 0_u64);
                    }
                }
            }
        }
        for block in nat.blocks.first_block()..nat.blocks.first_block() + nat.blocks.blocks() {
            // SAFETY: a block has 128 words.
            unsafe { writer.put_words(tables.nat_blocks.at(block).cast::<u64>(), &[0; 128]) };
        }
        self.give_back_blocks(nat.blocks);
        // From here on the slot says that it has none.
        put_words!(writer, tables.sessions.at(slot), [0], cold.nat);
    }
}

fn config_words(direction: &map_abi::Direction) -> [u64; CONFIG_WORDS] {
    let bytes = direction.as_bytes();
    std::array::from_fn(|n| {
        u64::from_ne_bytes(<[u8; 8]>::try_from(&bytes[n * 8..n * 8 + 8]).unwrap_or_default())
    })
}
