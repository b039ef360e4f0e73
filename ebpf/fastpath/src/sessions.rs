//! Sessions in the maps, and the order in which they come and go.
//!
//! A session is published only when its home is complete, and its home is given away only when nothing leads to it.
//! `Session::version` is 0 in between, so that whoever finds it so after a crash knows that it must be written again;
//! the session always tells what may lead to it: tags, port, home, address.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use map_abi::{Chunk, HOME_ORDER_MAX, HomeRef, LinePage, NatPorts, UNIT_INDICES_PER_CHUNK, UNITS_PER_CHUNK};
use net_types::{Mac, Name};
use node_plan::forwarding::{Forward, Image, Runs, forward_words};
use zerocopy::IntoBytes;

use crate::{
    clerk::Clerk,
    error::{ApplyError, OpenError},
    mapped::{Writer, get_words, put, put_words},
    overflow::{Overflow, set_blocks},
    paged::Growing,
    reach::{HeldNat, Reach},
    shared::Lines,
    tables::{Tables, text_words},
};

/// Words of `Up` and `Down` that are configuration: all up to the meter.
const CONFIG_WORDS: usize = 4;
/// The same of `Six`.
const SIX_CONFIG_WORDS: usize = 4;
/// Words of a line.
pub(crate) const LINE_WORDS: u32 = 8;
/// The words of a meter that count bytes and packets.
const COUNTERS: [u32; 2] = [6, 7];
/// The first word of a session's configuration.
const MAC_WORD: usize = 4;
/// The word of `Session` that `voice` begins with, which alone of it is configuration.
const VOICE_WORD: usize = std::mem::offset_of!(map_abi::Session, voice) / 8;
/// The words of a session's configuration, up to the spare ones.
const SESSION_CONFIG: std::ops::Range<usize> = MAC_WORD..18;

/// Which indices, homes and pages are taken, and by whom.
pub(crate) struct Sessions {
    pub(crate) by_name: BTreeMap<Name, u32>,
    pub(super) members: Lines,
    /// By address and first group of 64 ports: how many groups, and whose.
    pub(super) by_ports: BTreeMap<(Ipv4Addr, u16), (u16, u32)>,
    pub(super) indices: Runs,
    pub(super) units: Runs,
    pub(super) line_pages: Runs,
    /// By page of `LINES`: how many sessions are on it.
    pub(super) population: BTreeMap<u32, u32>,
    pub(super) homes: Growing<Chunk>,
    pub(super) lines: Growing<LinePage>,
    pub(super) ports: Growing<NatPorts>,
    pub(crate) overflow: Overflow,
    /// Versions to be stored when all that was written before is in place.
    pending: BTreeMap<u32, u64>,
}

/// What a session has counted: bytes and packets, up and down.
pub(crate) type Counted = [u64; 4];

impl Sessions {
    pub(super) fn new(
        tables: &Tables,
        homes: Growing<Chunk>,
        lines: Growing<LinePage>,
        ports: Growing<NatPorts>,
        members: Lines,
    ) -> Self {
        let mut units = Runs::new(homes.pages.len() * UNIT_INDICES_PER_CHUNK);
        for chunk in 0..homes.pages.len() {
            // The last index of each chunk is no unit.
            let is_free = units.take_at(chunk * UNIT_INDICES_PER_CHUNK + UNITS_PER_CHUNK, 0);
            debug_assert!(is_free, "nothing was taken yet");
        }
        Self {
            by_name: BTreeMap::new(),
            members,
            by_ports: BTreeMap::new(),
            indices: Runs::new(tables.sessions.len()),
            units,
            line_pages: Runs::new(lines.pages.len()),
            population: BTreeMap::new(),
            homes,
            lines,
            ports,
            overflow: Overflow::default(),
            pending: BTreeMap::new(),
        }
    }

    /// How many public addresses there can be.
    pub(crate) fn nat_addresses(&self) -> u32 {
        self.ports.pages.len()
    }

    pub(crate) fn take_index(&mut self, tables: &Tables) -> Result<u32, ApplyError> {
        let full = ApplyError::Full { table: "sessions", size: tables.sessions.len() - 1 };
        self.indices.take(0).ok_or(full)
    }

    pub(crate) fn give_back_index(&mut self, index: u32) {
        self.indices.release(index, 0);
    }

    pub(crate) fn take_home(&mut self, order: u32) -> Result<HomeRef, ApplyError> {
        let size = self.homes.pages.len() * UNITS_PER_CHUNK;
        let home = self.units.take(order).and_then(|unit| HomeRef::new(unit, order));
        let home = home.ok_or(ApplyError::Full { table: "homes", size })?;
        self.homes
            .ensure(home.unit() / UNIT_INDICES_PER_CHUNK)
            .inspect_err(|_| self.units.release(home.unit(), order))?;
        Ok(home)
    }

    pub(crate) fn give_back_home(&mut self, home: HomeRef) {
        self.units.release(home.unit(), home.order());
    }

    /// Makes room at once for as many homes of each order, and for as many S-VIDs.
    pub(crate) fn reserve(&mut self, homes: &BTreeMap<u32, u32>, s_vids: u32) -> Result<(), ApplyError> {
        let chunks: u32 = homes.iter().map(|(order, count)| count.div_ceil(UNITS_PER_CHUNK >> order)).sum();
        self.homes.ensure_all(0..chunks.min(self.homes.pages.len()))?;
        self.lines.ensure_all(1..s_vids.saturating_add(1).min(self.lines.pages.len()))
    }

    /// Makes room at once for the ports of these public addresses.
    pub(crate) fn reserve_ports(&mut self, address_indices: BTreeSet<u32>) -> Result<(), ApplyError> {
        self.ports.ensure_all(address_indices)
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
        let size = self.lines.pages.len() - 1;
        let page = self.line_pages.take(0).ok_or(ApplyError::Full { table: "S-VIDs", size })?;
        self.lines.ensure(page).inspect_err(|_| self.line_pages.release(page, 0))?;
        self.population.insert(page, 0);
        // SAFETY: aligned, and inside a mapping for writing. Pages that were given back are empty.
        unsafe { writer.put(tables.svid_pages.at(Tables::svid_index(port, s_vid)), u64::from(page)) };
        Ok(())
    }

    /// A session other than `index` that one of the ports leads to.
    pub(crate) fn with_ports(&self, reach: &Reach, index: u32) -> Option<u32> {
        let nat = reach.nat?;
        let (first, count) = reach.groups(nat);
        // The largest home that begins before may reach so far.
        let from = first.saturating_sub((1 << HOME_ORDER_MAX) - 1);
        self.by_ports
            .range((nat.address, from)..(nat.address, first + count))
            .filter(|((_, begins), (groups, holder))| begins + groups > first && *holder != index)
            .map(|(_, (_, holder))| *holder)
            .next()
    }

    /// Fills in everything but the counters; a session that is new begins with none, or with what it counted elsewhere.
    pub(crate) fn write(
        &mut self,
        (tables, writer, clerk): (&Tables, &mut Writer, &mut Clerk),
        index: u32,
        (name, is_new): (&Name, bool),
        image: &Image,
        counted: Option<Counted>,
    ) {
        let session = tables.sessions.at(index);
        put!(writer, session, 0_u64, version);
        if is_new {
            put_words!(writer, session, [0, 0, 0], drops_up);
            put!(writer, session, 0_u64, portal_arrival_q6);
            put!(writer, session, 0_u64, broadcast_arrival_q6);
            put_words!(writer, session, [0; 8], voice);
            put!(writer, session, 0_u64, dns_blocked);
        }
        let [held_mac]: [u64; 1] = get_words!(session, mac);
        if (held_mac ^ word_of_mac(image.session.mac)) & MAC_BITS != 0 {
            put!(writer, session, 0_u64, lease_ends_s);
        }
        let words = words_of::<{ size_of::<map_abi::Session>() / 8 }>(image.session.as_bytes());
        put_words!(writer, session, text_words::<8>(name.as_str()), name);
        // SAFETY: the words of the configuration are inside the session.
        let config = unsafe { session.cast::<u64>().add(MAC_WORD) };
        // SAFETY: as above.
        unsafe { writer.put_words(config, &words[SESSION_CONFIG]) };
        put_words!(writer, session, [words[VOICE_WORD]], voice);
        // Which further port blocks it has is not the image's to say.
        set_blocks(tables, writer, index, tables.session(index).overflow, image.session.overflow_share);
        let home = image.session.home;
        let lines = [words_of::<8>(image.up.as_bytes()), words_of::<8>(image.down.as_bytes())];
        // A home that was free is all zeros.
        let poke = |clerk: &mut Clerk, word, value| {
            if value != 0 || !is_new {
                clerk.poke_home(home, word, value);
            }
        };
        // The word with the flags last: they say whether packets pass. What they lead to is there before, or goes after.
        let poke_six = |clerk: &mut Clerk| {
            for (word, value) in (0..).zip(words_of::<8>(image.six.as_bytes())).take(SIX_CONFIG_WORDS) {
                poke(clerk, 2 * LINE_WORDS + word, value);
            }
        };
        let is_firewall = image.up.flags & map_abi::flags::FIREWALL != 0;
        if is_firewall {
            poke_six(clerk);
        }
        for (line, words) in (0..).zip(lines) {
            for word in (0..CONFIG_WORDS).rev() {
                let at = line * LINE_WORDS + u32::try_from(word).unwrap_or(0);
                poke(clerk, at, words[word]);
            }
        }
        if !is_firewall {
            poke_six(clerk);
        }
        let places = (0..2).flat_map(|line| COUNTERS.map(|word| line * LINE_WORDS + word));
        for (at, value) in places.zip(counted.into_iter().flatten()) {
            clerk.poke_home(home, at, value);
        }
        if is_new {
            self.by_name.insert(name.clone(), index);
        }
    }

    /// Makes these the port forwards of a home, and leaves its other mappings alone.
    pub(crate) fn forward(
        &self,
        clerk: &mut Clerk,
        home: HomeRef,
        forwards: &[Forward],
    ) -> Result<(), ApplyError> {
        // What the home held for another may still have to be wiped.
        clerk.flush()?;
        let chunk = self.homes.pages.read(home.unit() / UNIT_INDICES_PER_CHUNK);
        let lines = chunk.as_deref().and_then(|chunk| crate::homes::lines(chunk, home));
        for (word, value) in forward_words(forwards, lines.unwrap_or_default()) {
            clerk.poke_home(home, word, value);
        }
        Ok(())
    }

    /// All of the session is written: `finish` says so with its version.
    pub(crate) fn written(&mut self, index: u32, version: u64) {
        self.pending.insert(index, version);
    }

    /// Lets packets find the session; needs its S-VID's page, and its public address's.
    pub(crate) fn publish(
        &mut self,
        tables: &Tables,
        clerk: &mut Clerk,
        index: u32,
        home: HomeRef,
        reach: &Reach,
    ) {
        if let Some(nat) = reach.nat
            && let Some(address) = tables.nat_address(nat.address)
        {
            let (first, count) = reach.groups(nat);
            for n in 0..count {
                clerk.poke_ports(address, (first + n).into(), home.ports(n.into()).to_bits());
            }
            self.by_ports.insert((nat.address, first), (count, index));
        }
        let Some(page) = tables.access_page(reach.port, reach.s_vid) else { return };
        clerk.poke_line(
            page,
            reach.c_vid,
            self.members.target(reach.tags(), |member| {
                if member == index { home } else { tables.session(member).home }
            }),
        );
    }

    /// Notes that a session is behind its tags, which have a page.
    pub(crate) fn join_line(
        &mut self,
        tables: &Tables,
        (index, mac, home): (u32, Option<Mac>, HomeRef),
        reach: &Reach,
    ) -> Result<(), ApplyError> {
        let is_first = self.members.is_empty(reach.tags());
        self.members.join(reach.tags(), (index, mac, home), |member| tables.session(member).home)?;
        if is_first && let Some(page) = tables.access_page(reach.port, reach.s_vid) {
            *self.population.entry(page).or_default() += 1;
        }
        Ok(())
    }

    /// The reverse; the page goes with the last of its lines.
    pub(crate) fn leave_line(
        &mut self,
        (tables, writer, clerk): (&Tables, &mut Writer, &mut Clerk),
        index: u32,
        reach: &Reach,
    ) {
        let Some(page) = tables.access_page(reach.port, reach.s_vid) else { return };
        if !self.members.leave(reach.tags(), index) {
            return;
        }
        let target = self.members.target(reach.tags(), |member| tables.session(member).home);
        clerk.poke_line(page, reach.c_vid, target);
        if !target.is_none() {
            return;
        }
        let population = self.population.entry(page).or_default();
        *population = population.saturating_sub(1);
        if *population == 0 {
            self.population.remove(&page);
            // SAFETY: aligned, and inside a mapping for writing.
            unsafe {
                writer.put(tables.svid_pages.at(Tables::svid_index(reach.port, reach.s_vid)), 0_u64);
            }
            self.line_pages.release(page, 0);
        }
    }

    /// Sees to it that a public address's ports can lead somewhere.
    pub(crate) fn prepare_ports(&mut self, tables: &Tables, nat: HeldNat) -> Result<(), ApplyError> {
        let address = tables.nat_address(nat.address).ok_or(ApplyError::NoNatPool(nat.address))?;
        self.ports.ensure(address)
    }

    /// The reverse of `publish`; NAT mappings are forgotten, and the home is free.
    pub(crate) fn withdraw(&mut self, tables: &Tables, writer: &mut Writer, clerk: &mut Clerk, index: u32) {
        let session = tables.session(index);
        let reach = Reach::of(&session);
        self.pending.remove(&index);
        put!(writer, tables.sessions.at(index), 0_u64, version);
        self.take_blocks((tables, writer, clerk), index, |_| true);
        self.leave_line((tables, writer, clerk), index, &reach);
        if let Some(nat) = reach.nat {
            let (first, count) = reach.groups(nat);
            if self.by_ports.get(&(nat.address, first)) == Some(&(count, index)) {
                self.by_ports.remove(&(nat.address, first));
                if let Some(address) = tables.nat_address(nat.address) {
                    (0..count).for_each(|n| clerk.poke_ports(address, (first + n).into(), 0));
                }
            }
        }
        if !session.home.is_none() {
            clerk.wipe(session.home);
            self.give_back_home(session.home);
            // From here on the session says that it has none.
            put_words!(writer, tables.sessions.at(index), [1 << 32], home);
            put_words!(writer, tables.sessions.at(index), [0, 0, 0, 0, 0], link);
        }
    }

    /// What a session has counted so far.
    pub(crate) fn counted(&self, home: HomeRef) -> Option<Counted> {
        crate::homes::counted(&*self.homes.pages.read(home.unit() / UNIT_INDICES_PER_CHUNK)?, home)
    }

    /// Sees to it that what was written is in place, and says so in the sessions.
    pub(crate) fn finish(
        &mut self,
        tables: &Tables,
        writer: &mut Writer,
        clerk: &mut Clerk,
    ) -> Result<(), ApplyError> {
        let pending = std::mem::take(&mut self.pending);
        clerk.flush()?;
        self.members.settle();
        for (index, version) in pending {
            put!(writer, tables.sessions.at(index), version, version);
        }
        Ok(())
    }
}

impl Tables {
    /// Puts an address, or that none is known, in both directions of a session: in each with one store.
    pub(crate) fn set_mac(&self, writer: &mut Writer, clerk: &mut Clerk, index: u32, mac: Option<Mac>) {
        let session = self.session(index);
        if session.flags & map_abi::flags::DEVICES != 0 {
            // None of them is the home's.
            return;
        }
        let others = session.flags & !map_abi::flags::MAC_KNOWN;
        let bits = others | if mac.is_some() { map_abi::flags::MAC_KNOWN } else { 0 };
        let [a, b, c, d, e, f] = mac.map_or([0; 6], Mac::octets);
        let [low, high] = bits.to_ne_bytes();
        let word = u64::from_ne_bytes([a, b, c, d, e, f, low, high]);
        let [now]: [u64; 1] = get_words!(self.sessions.at(index), mac);
        if (now ^ word) & MAC_BITS != 0 {
            // What the kernel gave was another device's.
            put!(writer, self.sessions.at(index), 0_u64, lease_ends_s);
        }
        if now != word && !session.home.is_none() {
            clerk.poke_home(session.home, LINE_WORDS, word);
            clerk.poke_home(session.home, 0, word);
        }
        put_words!(writer, self.sessions.at(index), [word], mac);
    }
}

/// The bits of an Ethernet address in the word that begins with it.
const MAC_BITS: u64 = (1 << 48) - 1;

fn word_of_mac([a, b, c, d, e, f]: [u8; 6]) -> u64 {
    u64::from_ne_bytes([a, b, c, d, e, f, 0, 0])
}

pub(crate) fn words_of<const N: usize>(bytes: &[u8]) -> [u64; N] {
    std::array::from_fn(|n| {
        u64::from_ne_bytes(<[u8; 8]>::try_from(&bytes[n * 8..n * 8 + 8]).unwrap_or_default())
    })
}

pub(super) fn opened(tables: &Tables, pin_dir: &std::path::Path) -> Result<Sessions, OpenError> {
    let members = Lines::open(pin_dir)?;
    Ok(Sessions::new(
        tables,
        Growing::open(pin_dir)?,
        Growing::open(pin_dir)?,
        Growing::open(pin_dir)?,
        members,
    ))
}
