//! How things are shown.

use std::io::{self, IsTerminal, Write};

use comfy_table::{CellAlignment, ColumnConstraint, Table, presets};
use serde::Serialize;

use crate::{
    cli::Format,
    failure::Failure,
    sample::{Count, Device, Session, Traffic, Voice},
};

/// Writes to standard output. When nobody reads it any more (`| head`), the program is done.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        written => Ok(written?),
    }
}

/// Begins another look of a watch: on a terminal in place of the one before.
pub(crate) fn begin_look() -> Result<(), Failure> {
    if io::stdout().is_terminal() { print("\x1b[H\x1b[2J") } else { Ok(()) }
}

pub(crate) fn text<T: Serialize>(
    format: Format,
    value: &T,
    table: impl FnOnce() -> String,
) -> Result<String, Failure> {
    match format {
        Format::Table => Ok(table()),
        Format::Json => serde_json::to_string_pretty(value)
            .map(|text| text + "\n")
            .map_err(|error| Failure::Output(error.to_string())),
        Format::Yaml => serde_saphyr::to_string(value).map_err(|error| Failure::Output(error.to_string())),
    }
}

/// Aligned columns without lines; titles in small letters after `>` stand above numbers.
pub(crate) fn table(titles: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(titles.iter().map(|title| title.trim_start_matches('>')));
    for mut row in rows {
        for cell in row.iter_mut().filter(|cell| cell.is_empty()) {
            cell.push('-');
        }
        table.add_row(row);
    }
    for (column, title) in table.column_iter_mut().zip(titles) {
        column.set_padding((0, 3));
        column.set_constraint(ColumnConstraint::ContentWidth);
        if title.starts_with('>') {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt() + "\n"
}

pub(crate) fn sessions(sessions: &[Session]) -> String {
    if sessions.is_empty() {
        return "There are no sessions.\n".into();
    }
    let titles = [
        "NAME",
        "PORT",
        "TAGS",
        "MAC",
        "ADDRESS",
        "NAT/NETWORK",
        ">MAPPINGS",
        "ACTIVE",
        ">UP",
        ">DOWN",
        ">DROPS",
    ];
    let row = |session: &Session| {
        let nat = session.nat.as_ref();
        let last = |first: u16, ports: u32| (u32::from(first) + ports).saturating_sub(1);
        let nat_or_network = match nat {
            Some(nat) => {
                let own = format!("{}:{}-{}", nat.address, nat.first_port, last(nat.first_port, nat.ports));
                if nat.further.is_empty() { own } else { format!("{own} +{}", nat.further.len()) }
            }
            None => match session.public_address {
                Some(address) => format!("{address} (1:1)"),
                None => session.network.clone().unwrap_or_default(),
            },
        };
        vec![
            session.name.clone(),
            session.port.clone().unwrap_or_default(),
            tags(session),
            match &session.devices {
                Some(devices) => format!("{} devices", devices.len()),
                None => session.mac.clone().unwrap_or_default(),
            },
            session.address.to_string(),
            nat_or_network,
            nat.map(|nat| nat.mappings.to_string()).unwrap_or_default(),
            match (session.active, session.garden) {
                (true, _) => "yes",
                (false, true) => "garden",
                (false, false) => "no",
            }
            .into(),
            limited(session.up),
            limited(session.down),
            session.up.drops.saturating_add(session.down.drops).to_string(),
        ]
    };
    table(&titles, sessions.iter().map(row).collect())
}

/// The devices of homes that may have several, and how long their leases last at `now`, in seconds since 1970; nothing,
/// where there are none.
pub(crate) fn devices(sessions: &[Session], now: u64) -> String {
    let rest = |ends: u64| match ends.checked_sub(now) {
        Some(seconds @ 0..60) => format!("{seconds} s"),
        Some(seconds @ 60..3600) => format!("{} min", seconds / 60),
        Some(seconds) => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        None => "over".to_owned(),
    };
    let row = |(name, device): (&String, &Device)| {
        vec![name.clone(), device.mac.clone(), device.address.to_string(), rest(device.lease_ends)]
    };
    let rows: Vec<_> = sessions
        .iter()
        .flat_map(|session| session.devices.iter().flatten().map(|device| (&session.name, device)))
        .map(row)
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    format!("\n{}", table(&["NAME", "DEVICE", "ADDRESS", ">LEASED FOR"], rows))
}

/// What the rules of firewalls have counted; nothing, where there are none.
pub(crate) fn rules(sessions: &[Session]) -> String {
    let rows: Vec<_> = sessions
        .iter()
        .flat_map(|session| session.rules.iter().map(|rule| (&session.name, rule)))
        .map(|(name, rule)| vec![name.clone(), rule.name.clone(), rule.hits.to_string()])
        .collect();
    if rows.is_empty() { String::new() } else { format!("\n{}", table(&["NAME", "RULE", ">FLOWS"], rows)) }
}

/// What of the sessions' packets was voice; nothing, where it is no class of its own.
pub(crate) fn voice(sessions: &[Session]) -> String {
    let way = |count: Count| format!("{} in {} packets", scaled(count.bytes, "B"), count.packets);
    let row = |(name, voice): (&String, Voice)| vec![name.clone(), way(voice.up), way(voice.down)];
    let rows: Vec<_> = sessions
        .iter()
        .filter_map(|session| session.voice.map(|voice| (&session.name, voice)))
        .map(row)
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    format!("\n{}", table(&["NAME", ">VOICE UP", ">VOICE DOWN"], rows))
}

/// What parental controls have refused; nothing, where there are none.
pub(crate) fn blocked(sessions: &[Session]) -> String {
    let rows: Vec<_> = sessions
        .iter()
        .filter_map(|session| Some(vec![session.name.clone(), session.dns_blocked?.to_string()]))
        .collect();
    if rows.is_empty() { String::new() } else { format!("\n{}", table(&["NAME", ">DNS-BLOCKED"], rows)) }
}

/// As in `wcctl`; a VLAN of 0 stands for no tag.
fn tags(session: &Session) -> String {
    match (session.s_vid, session.c_vid) {
        (0, 0) => "untagged".into(),
        (0, only) => only.to_string(),
        (outer, inner) => format!("{outer}.{inner}"),
    }
}

/// Bytes so far, and of which rate.
fn limited(traffic: Traffic) -> String {
    let bytes = scaled(traffic.bytes, "B");
    traffic.rate_limit.map_or_else(|| bytes.clone(), |rate| format!("{bytes} of {}", scaled(rate, "bit/s")))
}

pub(crate) fn counters(sessions: &[Session]) -> String {
    if sessions.is_empty() {
        return "There are no sessions.\n".into();
    }
    let with_speed = sessions.iter().any(|session| session.up.speed.is_some());
    let mut titles =
        vec!["NAME", ">UP-PACKETS", ">UP-BYTES", ">UP-DROPS", ">DOWN-PACKETS", ">DOWN-BYTES", ">DOWN-DROPS"];
    if with_speed {
        titles.extend([">UP-RATE", ">DOWN-RATE", ">DROPS/S"]);
    }
    let row = |session: &Session| {
        let mut row = vec![session.name.clone()];
        for traffic in [session.up, session.down] {
            row.extend([traffic.packets, traffic.bytes, traffic.drops].map(|count| count.to_string()));
        }
        if with_speed {
            let speeds = [session.up.speed, session.down.speed];
            row.extend(
                speeds.map(|speed| speed.map(|speed| scaled(speed.bits, "bit/s")).unwrap_or_default()),
            );
            row.push(speeds.iter().flatten().map(|speed| speed.drops).sum::<u64>().to_string());
        }
        row
    };
    table(&titles, sessions.iter().map(row).collect())
}

/// A number with a decimal prefix: `12.3 Mbit/s`.
pub(crate) fn scaled(number: u64, unit: &str) -> String {
    for (factor, prefix) in [(1_000_000_000_000, "T"), (1_000_000_000, "G"), (1_000_000, "M"), (1000, "k")] {
        if number >= factor {
            let tenths = number / (factor / 10);
            return format!("{}.{} {prefix}{unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{number} {unit}")
}

#[cfg(test)]
mod tests;
