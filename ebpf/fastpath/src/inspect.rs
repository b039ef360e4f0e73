//! What is in the maps, with or without an agent running.

use std::{collections::BTreeMap, net::Ipv4Addr, path::Path};

use map_abi::{
    Category, Chunk, DropReason, HomeRef, LinePage, Meter, OVERFLOW_BLOCKS_MAX, Session, Tally,
    UNIT_INDICES_PER_CHUNK, dhcp_answer, dns_count, flags, map, port_role,
};
use net_types::{IfName, Mac, Prefix4};
use node_plan::forwarding::{HeldRule, held_rules};

use crate::{
    devices::{DevicesMap, LeasedDevice, of_home},
    error::OpenError,
    homes,
    losses::{Counters, Losses, counters, losses, sum},
    mapped::{Access, Mapped, get, get_words},
    migrate,
    object::OFFICE,
    paged::Paged,
    ports::link_pin,
    reach::Reach,
    tables::{Tables, pinned, text},
};

/// Reads what is pinned.
pub struct Inspector {
    tables: Tables,
    homes: Paged<Chunk>,
    lines: Paged<LinePage>,
    drops: Counters,
    ends: Counters,
    losses: Counters,
    dhcp_answers: Counters,
    dns_counts: Counters,
    categories: Mapped<Category>,
    devices: DevicesMap,
    pin_dir: std::path::PathBuf,
}

#[derive(Clone, Debug)]
pub struct SessionView {
    pub name: String,
    pub index: u32,
    pub port: Option<IfName>,
    pub s_vid: u16,
    pub c_vid: u16,
    /// Configured, or learned by DHCP.
    pub mac: Option<Mac>,
    /// The devices that have leases, of a home that may have several; `None`: it may have one.
    pub devices: Option<Vec<LeasedDevice>>,
    /// What DHCP leases.
    pub address: Ipv4Addr,
    /// What the subscriber may send from.
    pub network: Option<Prefix4>,
    pub nat: Option<SessionNat>,
    /// What stands for `address` outside, with one to one NAT.
    pub public_address: Option<Ipv4Addr>,
    pub admission: Admission,
    /// The firewall's rules, in order, and what they have counted.
    pub rules: Vec<HeldRule>,
    /// Of `up` and `down`, what was voice; `None`: it is no class of its own.
    pub voice: Option<VoiceView>,
    /// What parental control has refused; `None`: there is none.
    pub dns_blocked: Option<u64>,
    pub up: TrafficView,
    pub down: TrafficView,
}

/// Voice, up and down: packets, and their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoiceView {
    pub up: (u64, u64),
    pub down: (u64, u64),
}

/// What passes from and to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    All,
    /// What is in the walled garden.
    Garden,
    /// Nothing.
    None,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionNat {
    pub address: Ipv4Addr,
    pub first_port: u16,
    pub ports: u32,
    /// First ports of the further blocks of as many ports.
    pub further: Vec<u16>,
    /// Mappings in use (those that ran out but were not reclaimed yet included).
    pub mappings: u32,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct TrafficView {
    pub packets: u64,
    pub bytes: u64,
    pub drops: u64,
    /// Bits per second; `None`: unlimited.
    pub rate: Option<u64>,
}

/// What parental control has done.
#[derive(Clone, Debug, Default)]
pub struct DnsView {
    /// Queries that were looked into.
    pub queries: u64,
    /// Those of them that were for a blocked name.
    pub blocked: u64,
    /// Connections to encrypted resolvers that were reset.
    pub refused: u64,
    /// The categories of the node, and how many queries each has blocked: of several, the one that the node knew first.
    pub categories: Vec<(String, u64)>,
}

#[derive(Clone, Debug)]
pub struct PortView {
    pub name: IfName,
    /// 0: there is no such interface (yet).
    pub ifindex: u32,
    pub mac: Option<Mac>,
    pub mtu: u16,
    pub access: bool,
    pub attached: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Summary {
    pub abi_version: u32,
    pub sessions: u32,
    pub sessions_max: u32,
    /// Of 1 KiB each.
    pub home_units_used: u32,
    pub home_units_max: u32,
    pub up: TrafficView,
    pub down: TrafficView,
    pub drops: u64,
    pub losses: Losses,
    /// What the kernel has answered DHCPv4 clients by itself.
    pub dhcp_offers: u64,
    pub dhcp_acks: u64,
    /// What parental control has done.
    pub dns: DnsView,
}

impl Inspector {
    pub fn open(pin_dir: &Path) -> Result<Self, OpenError> {
        if migrate::is_held(pin_dir, &migrate::text_of(OFFICE)?) == Some(false) {
            return Err(OpenError::OtherLayout(pin_dir.to_owned()));
        }
        Ok(Self {
            tables: Tables::open(pin_dir, Access::Read)?,
            homes: Paged::open(pin_dir)?,
            lines: Paged::open(pin_dir)?,
            drops: counters(pin_dir, map::DROPS)?,
            ends: counters(pin_dir, map::ENDS)?,
            losses: counters(pin_dir, map::LOSSES)?,
            dhcp_answers: counters(pin_dir, map::DHCP_ANSWERS)?,
            dns_counts: counters(pin_dir, map::DNS_COUNTS)?,
            devices: DevicesMap::open(pin_dir)?,
            categories: pinned(pin_dir, map::CATEGORIES, Access::Read)?,
            pin_dir: pin_dir.to_owned(),
        })
    }

    /// All sessions, by index.
    pub fn sessions(&self) -> Vec<SessionView> {
        let ports: BTreeMap<u16, IfName> =
            self.tables.held_ports().map(|port| (port.index, port.name)).collect();
        let has_garden = get!(self.tables.settings.at(0), garden) != 0;
        let leased = self.devices.read();
        let mut views: Vec<SessionView> = Vec::new();
        self.each_home(|index, session, chunk| {
            let admission = admission(session.flags, has_garden);
            let rules = self.rules(session.rules.record());
            let view = view(index, self.tables.name_of(index), session, chunk, &ports, admission);
            let nat = view.nat.map(|nat| self.with_further(session, nat));
            let has_devices = session.flags & flags::DEVICES != 0;
            let devices = has_devices.then(|| of_home(&leased, session.home));
            views.push(SessionView { devices, nat, rules, ..view });
        });
        views.sort_unstable_by_key(|view| view.index);
        views
    }

    fn with_further(&self, session: &Session, mut nat: SessionNat) -> SessionNat {
        let mut at = session.overflow;
        while !at.is_none() && nat.further.len() < OVERFLOW_BLOCKS_MAX as usize {
            let Some(chunk) = self.homes.read(at.unit() / UNIT_INDICES_PER_CHUNK) else { break };
            let Some((first, next)) = homes::further(&chunk, at, session.home) else { break };
            nat.further.push(first * 64);
            nat.mappings += homes::mappings(&chunk, at);
            at = next;
        }
        nat
    }

    fn rules(&self, record: HomeRef) -> Vec<HeldRule> {
        if record.is_none() {
            return Vec::new();
        }
        let chunk = self.homes.read(record.unit() / UNIT_INDICES_PER_CHUNK);
        chunk.and_then(|chunk| homes::lines(&chunk, record).map(held_rules)).unwrap_or_default()
    }

    /// Each session with the chunk that its home is in, which is read once for all that are in it.
    fn each_home(&self, mut each: impl FnMut(u32, &Session, Option<&Chunk>)) {
        let mut sessions: Vec<(u32, Session)> =
            self.tables.sessions_in_use().map(|index| (index, self.tables.session(index))).collect();
        sessions.sort_unstable_by_key(|(_, session)| session.home.unit());
        let mut held: Option<(u32, Option<Box<Chunk>>)> = None;
        for (index, session) in &sessions {
            let wanted = session.home.unit() / UNIT_INDICES_PER_CHUNK;
            if held.as_ref().is_none_or(|(chunk, _)| *chunk != wanted) {
                held = Some((wanted, self.homes.read(wanted)));
            }
            let chunk = held.as_ref().and_then(|(_, chunk)| chunk.as_deref());
            each(*index, session, chunk.filter(|_| !session.home.is_none()));
        }
    }

    /// The index of the session that the tags lead to on a port: what the kernel would find for a frame now. `None` also
    /// where several have the same tags.
    pub fn session_by_tags(&self, port: &IfName, s_vid: u16, c_vid: u16) -> Option<u32> {
        let port = self.tables.held_port(port)?;
        let page = self.lines.read(self.tables.access_page(port.index, s_vid)?)?;
        let home: HomeRef = page.homes[usize::from(c_vid & 0xfff)];
        if home.is_none() || home.is_shared() {
            return None;
        }
        homes::session(&*self.homes.read(home.unit() / UNIT_INDICES_PER_CHUNK)?, home)
    }

    /// Packets dropped since the maps were made, by reason, over all CPUs.
    pub fn drops(&self) -> Result<Vec<(DropReason, u64)>, OpenError> {
        let tally = self.tally()?;
        Ok(DropReason::ALL.iter().map(|reason| (*reason, tally.drops_for(*reason))).collect())
    }

    /// How all packets ended that came in since the maps were made, over all CPUs.
    pub fn tally(&self) -> Result<Tally, OpenError> {
        let mut tally = Tally::default();
        for (counters, name, counts) in
            [(&self.ends, map::ENDS, &mut tally.ends[..]), (&self.drops, map::DROPS, &mut tally.drops[..])]
        {
            for (index, count) in (0..).zip(counts) {
                *count = sum(counters, name, index)?;
            }
        }
        Ok(tally)
    }

    /// What was lost on the way to user space.
    pub fn losses(&self) -> Result<Losses, OpenError> {
        losses(&self.losses)
    }

    /// What parental control has done since the maps were made.
    pub fn dns(&self) -> Result<DnsView, OpenError> {
        let count = |what: u32| sum(&self.dns_counts, map::DNS_COUNTS, what);
        let mut view = DnsView {
            queries: count(dns_count::QUERIES)?,
            blocked: count(dns_count::BLOCKED)?,
            refused: count(dns_count::REFUSED)?,
            categories: Vec::new(),
        };
        for bit in 0..self.categories.len() {
            let words: [u64; 8] = get_words!(self.categories.at(bit), name);
            let name = text(&words);
            if !name.is_empty() {
                view.categories.push((name, count(bit)?));
            }
        }
        view.categories.sort();
        Ok(view)
    }

    fn dhcp_answers(&self, answer: u32) -> u64 {
        self.dhcp_answers.get(&answer, 0).map_or(0, |counts| counts.iter().sum())
    }

    pub fn ports(&self) -> Vec<PortView> {
        let view = |port: crate::ports::HeldPort| {
            let link = self.tables.port_links.at(u32::from(port.index));
            let [word]: [u64; 1] = get_words!(link, mac);
            let [a, b, c, d, e, f, ..] = word.to_ne_bytes();
            PortView {
                ifindex: port.ifindex,
                mac: Mac::new([a, b, c, d, e, f]).ok(),
                mtu: get!(link, mtu),
                access: port.role == port_role::ACCESS,
                attached: port.ifindex != 0 && link_pin(&self.pin_dir, port.index).exists(),
                name: port.name,
            }
        };
        self.tables.held_ports().map(view).collect()
    }

    pub fn summary(&self) -> Summary {
        let mut summary = Summary {
            abi_version: get!(self.tables.settings.at(0), abi_version),
            sessions_max: self.tables.sessions.len() - 1,
            home_units_max: self.homes.len() * map_abi::UNITS_PER_CHUNK,
            dhcp_offers: self.dhcp_answers(dhcp_answer::OFFER),
            dhcp_acks: self.dhcp_answers(dhcp_answer::ACK),
            dns: self.dns().unwrap_or_default(),
            drops: self.drops().map_or(0, |drops| drops.iter().map(|(_, count)| count).sum()),
            losses: self.losses().unwrap_or_default(),
            ..Summary::default()
        };
        self.each_home(|_, session, chunk| {
            let (up, down) = traffic(session, chunk);
            summary.sessions += 1;
            summary.home_units_used += if session.home.is_none() { 0 } else { session.home.units() };
            for (sum, one) in [(&mut summary.up, up), (&mut summary.down, down)] {
                sum.packets += one.packets;
                sum.bytes += one.bytes;
                sum.drops += one.drops;
            }
        });
        summary
    }
}

fn traffic(session: &Session, chunk: Option<&Chunk>) -> (TrafficView, TrafficView) {
    let meters = chunk.and_then(|chunk| homes::meters(chunk, session.home)).unwrap_or_default();
    let of = |meter: Meter, drops, limits: map_abi::Limits| TrafficView {
        packets: meter.packets,
        bytes: meter.bytes,
        drops,
        rate: limits.peak.bits_per_second(),
    };
    (of(meters.0, session.drops_up, session.limits_up), of(meters.1, session.drops_down, session.limits_down))
}

fn admission(bits: u16, has_garden: bool) -> Admission {
    if bits & flags::ACTIVE != 0 {
        Admission::All
    } else if has_garden && bits & flags::GARDEN != 0 {
        Admission::Garden
    } else {
        Admission::None
    }
}

fn view(
    index: u32,
    name: String,
    session: &Session,
    chunk: Option<&Chunk>,
    ports: &BTreeMap<u16, IfName>,
    admission: Admission,
) -> SessionView {
    let reach = Reach::of(session);
    let (up, down) = traffic(session, chunk);
    let len = u8::try_from(session.prefix_len).unwrap_or(32);
    SessionView {
        name,
        index,
        port: ports.get(&reach.port).cloned(),
        s_vid: reach.s_vid,
        c_vid: reach.c_vid,
        mac: if session.flags & flags::MAC_KNOWN == 0 { None } else { Mac::new(session.mac).ok() },
        devices: None,
        address: session.address.into(),
        network: Prefix4::new(session.network.into(), len).ok(),
        nat: reach.nat.map(|nat| SessionNat {
            address: nat.address,
            first_port: nat.first_port,
            ports: map_abi::ENTRIES_PER_BLOCK << reach.order.unwrap_or(0),
            further: Vec::new(),
            mappings: chunk.map_or(0, |chunk| homes::mappings(chunk, session.home)),
        }),
        public_address: (session.flags & flags::ONE_TO_ONE != 0).then(|| session.external.into()),
        admission,
        rules: Vec::new(),
        voice: (session.flags & flags::VOICE != 0).then_some(VoiceView {
            up: (session.voice.up_packets, session.voice.up_bytes),
            down: (session.voice.down_packets, session.voice.down_bytes),
        }),
        dns_blocked: (session.flags & flags::DNS != 0).then_some(session.dns_blocked),
        up,
        down,
    }
}
