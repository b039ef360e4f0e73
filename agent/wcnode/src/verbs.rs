//! What each verb shows.

mod diff;
mod drops;
mod stages;

pub(crate) use diff::diff;
pub(crate) use drops::drops;
pub(crate) use stages::stages;

use std::{
    collections::BTreeMap,
    fs, thread,
    time::{Duration, Instant, SystemTime},
};

use fastpath::{Inspector, OpenError, PortView, Summary};
use serde::Serialize;

use crate::{
    agent::{self, AgentStatus},
    cli::{Counters, Format, Place, Sessions, Watching},
    failure::Failure,
    sample::{self, Session, Traffic},
    show,
};

fn open(place: &Place) -> Result<Inspector, Failure> {
    let path = &place.pin_dir;
    let is_empty = fs::read_dir(path).map(|mut entries| entries.next().is_none());
    match is_empty {
        Ok(true) => return Err(Failure::NotLoaded(path.clone())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Failure::NotLoaded(path.clone()));
        }
        // Why it cannot be read, the fast path says better.
        Ok(false) | Err(_) => {}
    }
    Inspector::open(path).map_err(|source| unreadable(place, source))
}

fn unreadable(place: &Place, source: OpenError) -> Failure {
    Failure::Unreadable { path: place.pin_dir.clone(), source: Box::new(source) }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    fastpath: Option<Totals>,
    agent: Option<AgentStatus>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Totals {
    abi_version: u32,
    sessions: u32,
    sessions_max: u32,
    home_units_used: u32,
    home_units_max: u32,
    up: Traffic,
    down: Traffic,
    drops: u64,
    losses: Losses,
    dhcp_offers: u64,
    dhcp_acks: u64,
    dns: Dns,
}

/// What parental control has done.
#[derive(Serialize)]
struct Dns {
    queries: u64,
    blocked: u64,
    refused: u64,
    /// By list, how many queries it has blocked.
    categories: BTreeMap<String, u64>,
}

/// What found no room on its way to the agent.
#[derive(Serialize)]
struct Losses {
    events: u64,
    punts: u64,
}

impl From<Summary> for Totals {
    fn from(summary: Summary) -> Self {
        Self {
            abi_version: summary.abi_version,
            sessions: summary.sessions,
            sessions_max: summary.sessions_max,
            home_units_used: summary.home_units_used,
            home_units_max: summary.home_units_max,
            up: summary.up.into(),
            down: summary.down.into(),
            drops: summary.drops,
            losses: Losses { events: summary.losses.events, punts: summary.losses.punts },
            dhcp_offers: summary.dhcp_offers,
            dhcp_acks: summary.dhcp_acks,
            dns: Dns {
                queries: summary.dns.queries,
                blocked: summary.dns.blocked,
                refused: summary.dns.refused,
                categories: summary.dns.categories.into_iter().collect(),
            },
        }
    }
}

/// Shows what there is, even if the fast path is missing; that is a failure all the same.
pub(crate) fn status(place: &Place, format: Format) -> Result<(), Failure> {
    let inspector = open(place);
    let totals = inspector.as_ref().ok().map(|inspector| Totals::from(inspector.summary()));
    let status = Status { fastpath: totals, agent: agent::read(&place.run_dir) };
    show::print(&show::text(format, &status, || status_lines(&status))?)?;
    inspector.map(drop)
}

fn status_lines(status: &Status) -> String {
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut line = |title: &str, value: String| lines.push((title.into(), value));
    match &status.fastpath {
        Some(totals) => {
            line("fast path", format!("loaded, map version {}", totals.abi_version));
            line("sessions", format!("{} of {}", totals.sessions, totals.sessions_max));
            line("homes", format!("{} KiB of {}", totals.home_units_used, totals.home_units_max));
            for (title, traffic) in [("up", totals.up), ("down", totals.down)] {
                let bytes = show::scaled(traffic.bytes, "B");
                line(title, format!("{} packets, {bytes}, {} dropped", traffic.packets, traffic.drops));
            }
            line("drops", totals.drops.to_string());
            let Losses { events, punts } = totals.losses;
            line("lost", format!("{events} events and {punts} packets on their way to the agent"));
            let (offers, leases) = (totals.dhcp_offers, totals.dhcp_acks);
            line("dhcp", format!("{offers} offers and {leases} leases by the kernel alone"));
            let Dns { queries, blocked, refused, categories } = &totals.dns;
            line(
                "dns",
                format!("{queries} queries looked into, {blocked} blocked, {refused} connections refused"),
            );
            for (category, count) in categories {
                line(&format!("  {category}"), format!("{count} blocked"));
            }
        }
        None => line("fast path", "not loaded, or not readable".into()),
    }
    match &status.agent {
        Some(agent) => {
            line("agent", agent.summary());
            // Of frames, `stages` and `drops` show more.
            let leaves = agent::leaves(&agent.status).into_iter();
            for (name, value) in leaves.filter(|(name, _)| !name.starts_with("frames.")) {
                line(&format!("  {}", if name.is_empty() { "status" } else { &name }), value);
            }
        }
        None => line("agent", "has left no status".into()),
    }
    let width = lines.iter().map(|(title, _)| title.len() + 1).max().unwrap_or_default();
    lines
        .iter()
        .map(|(title, value)| format!("{:<width$}  {value}\n", format!("{title}:")))
        .collect::<Vec<_>>()
        .concat()
}

fn all_sessions(inspector: &Inspector) -> Vec<Session> {
    inspector.sessions().into_iter().map(Session::from).collect()
}

pub(crate) fn sessions(place: &Place, arguments: &Sessions) -> Result<(), Failure> {
    let sessions = sample::select(all_sessions(&open(place)?), &arguments.selection)?;
    let is_named = !arguments.selection.names.is_empty();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let named = || {
        if is_named {
            show::devices(&sessions, now.as_secs())
                + &show::rules(&sessions)
                + &show::voice(&sessions)
                + &show::blocked(&sessions)
        } else {
            String::new()
        }
    };
    show::print(&show::text(arguments.output, &sessions, || show::sessions(&sessions) + &named())?)
}

pub(crate) fn counters(place: &Place, arguments: &Counters) -> Result<(), Failure> {
    let inspector = open(place)?;
    let mut before: Option<Vec<Session>> = None;
    look(&arguments.watching, |elapsed| {
        let now = all_sessions(&inspector);
        let shown = match &before {
            Some(before) => sample::with_speed(now.clone(), before, elapsed),
            None => now.clone(),
        };
        before = Some(now);
        let shown = sample::select(shown, &arguments.selection)?;
        show::text(arguments.output, &shown, || show::counters(&shown))
    })
}

/// Shows what `look` gives, once or again and again; it is told how long ago the look before was.
fn look(
    watching: &Watching,
    mut look: impl FnMut(Duration) -> Result<String, Failure>,
) -> Result<(), Failure> {
    let mut at = Instant::now();
    let mut looks = 0;
    loop {
        let elapsed = at.elapsed();
        at = Instant::now();
        let text = look(elapsed)?;
        if watching.watch {
            show::begin_look()?;
        }
        show::print(&text)?;
        looks += 1;
        if !watching.watch || watching.count.is_some_and(|count| looks >= count) {
            return Ok(());
        }
        thread::sleep(watching.interval.saturating_sub(at.elapsed()));
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Port {
    name: String,
    role: &'static str,
    ifindex: u32,
    mac: Option<String>,
    mtu: u16,
    attached: bool,
}

pub(crate) fn ports(place: &Place, format: Format) -> Result<(), Failure> {
    let port = |view: PortView| Port {
        name: view.name.to_string(),
        role: if view.access { "access" } else { "core" },
        ifindex: view.ifindex,
        mac: view.mac.map(|mac| mac.to_string()),
        mtu: view.mtu,
        attached: view.attached,
    };
    let ports: Vec<Port> = open(place)?.ports().into_iter().map(port).collect();
    show::print(&show::text(format, &ports, || ports_table(&ports))?)
}

fn ports_table(ports: &[Port]) -> String {
    if ports.is_empty() {
        return "There are no ports.\n".into();
    }
    let row = |port: &Port| {
        vec![
            port.name.clone(),
            port.role.into(),
            port.ifindex.to_string(),
            port.mac.clone().unwrap_or_default(),
            port.mtu.to_string(),
            if port.attached { "yes" } else { "no" }.into(),
        ]
    };
    show::table(&["NAME", "ROLE", ">IFINDEX", "MAC", ">MTU", "ATTACHED"], ports.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_status_shows_what_there_is() {
        let losses = fastpath::Losses { events: 3, punts: 0 };
        let summary = Summary {
            abi_version: 1,
            sessions: 2,
            sessions_max: 16_384,
            drops: 7,
            losses,
            dhcp_offers: 9,
            dhcp_acks: 8,
            dns: fastpath::DnsView {
                queries: 6,
                blocked: 2,
                refused: 1,
                categories: vec![("games".into(), 2)],
            },
            ..Summary::default()
        };
        let agent = AgentStatus {
            running: Some(false),
            age_s: Some(90),
            status: json!({"generation": 12, "controller": "connected", "frames": {"drops": {"arp": {"volt": 2}}}}),
        };
        let lines = status_lines(&Status { fastpath: Some(summary.into()), agent: Some(agent) });
        let expected = "\
fast path:     loaded, map version 1
sessions:      2 of 16384
homes:         0 KiB of 0
up:            0 packets, 0 B, 0 dropped
down:          0 packets, 0 B, 0 dropped
drops:         7
lost:          3 events and 0 packets on their way to the agent
dhcp:          9 offers and 8 leases by the kernel alone
dns:           6 queries looked into, 2 blocked, 1 connections refused
  games:       2 blocked
agent:         not running, status written 90 s ago
  controller:  connected
  generation:  12
";
        assert_eq!(lines, expected);
        let nothing = status_lines(&Status { fastpath: None, agent: None });
        assert_eq!(nothing, "fast path:  not loaded, or not readable\nagent:      has left no status\n");
    }

    #[test]
    fn ports_as_a_table() {
        let port =
            Port { name: "access0".into(), role: "access", ifindex: 4, mac: None, mtu: 1500, attached: true };
        let expected = "NAME      ROLE     IFINDEX   MAC    MTU   ATTACHED\naccess0   access         4   -     1500   yes\n";
        assert_eq!(ports_table(&[port]), expected);
    }
}
