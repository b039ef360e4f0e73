//! Measures the figures that the design names, medians with their spread.

mod client;
mod cpu;
mod dataplane;
mod dhcp;
mod figure;
mod latency;
mod live;
mod machine;
mod namespace;
mod networks;
mod node;
mod office;
mod provision;
mod schedule;
mod whole;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};

use figure::Figure;

/// Measures, and prints a table or one JSON object a figure.
#[derive(Parser)]
struct Arguments {
    /// What to measure; everything unless told
    areas: Vec<Area>,
    /// One JSON object a line instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Area {
    /// Nanoseconds per packet through the loaded programs
    Dataplane,
    /// Packets a CPU-second on real interfaces, beside a bare redirect, the kernel's forwarding and Open vSwitch
    Live,
    /// Leases a CPU-second of the agent, beside Kea
    Dhcp,
    /// Provisioning through the API of a running controller
    Controlplane,
    /// The agent of a node with 100,000 subscribers: its restart after a kill, and its memory
    Node,
    /// Ordering and handing out the synchronizer's work of a whole office
    Schedule,
    /// From an acknowledged change to a watcher, and to the kernel's maps
    Latency,
    /// A node's way to 1,000 virtual networks
    Networks,
}

fn main() -> Result<()> {
    let Arguments { areas, json } = Arguments::parse();
    let areas = if areas.is_empty() { Area::value_variants() } else { &areas };
    for area in areas {
        let figures = match area {
            Area::Dataplane => dataplane::run()?,
            Area::Live => live::run()?,
            Area::Dhcp => dhcp::run()?,
            Area::Controlplane => provision::run()?,
            Area::Node => node::run()?,
            Area::Schedule => schedule::run(),
            Area::Latency => latency::run()?,
            Area::Networks => networks::run()?,
        };
        if json {
            for figure in &figures {
                println!("{}", serde_json::to_string(figure)?);
            }
        } else {
            println!("{}", table(&figures));
        }
    }
    Ok(())
}

fn table(figures: &[Figure]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(["figure", "median", "min", "max", "unit", "n"]);
    for Figure { name, value, min, max, unit, n } in figures {
        let number = |x: &f64| format!("{x:.1}");
        table.add_row([
            name.clone(),
            number(value),
            number(min),
            number(max),
            (*unit).to_owned(),
            n.to_string(),
        ]);
    }
    table
}
