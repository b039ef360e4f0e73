//! `cargo xtask demo`: the main job, for real, in front of one's eyes.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use lab::{Fetched, Lab, Lease};
use serde_json::Value;

use crate::{
    lab_command::{config, hints, manifest, up},
    setup,
    workspace::{build, step},
};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Tear the office down at the end; exits with 0 if everything worked, else 1
    #[arg(long)]
    once: bool,
}

/// Who lives where, and how much each downloads for the measurement (some two seconds at the bundle's rate).
const HOMES: [(&str, &str, u64); 3] =
    [("home1", "alice", 12_500_000), ("home2", "bob", 2_500_000), ("home3", "carol-inc", 12_500_000)];

/// What one subscriber got.
struct Row {
    home: &'static str,
    subscriber: Value,
    lease: Lease,
    page: Fetched,
    download: Fetched,
    round_trip_ms: String,
}

pub(crate) fn command(arguments: &Arguments) -> Result<()> {
    setup::for_lab()?;
    build()?;
    let lab = up(config()?)?;
    let shown = show(&lab);
    if arguments.once {
        step("tearing the office down", || lab.down())?;
        return shown;
    }
    println!("\n{}", hints(&lab));
    shown
}

fn show(lab: &Lab) -> Result<()> {
    let begun = Instant::now();
    step("provisioning three subscribers: wcctl apply -f tests/lab/manifests/subscribers.yaml", || {
        print!("{}", wcctl(lab, &["apply", "-f", &manifest("subscribers.yaml").display().to_string()])?);
        for (_, subscriber, _) in HOMES {
            wcctl(
                lab,
                &["wait", "--for=condition=Ready", "--timeout=30s", &format!("subscriber/{subscriber}")],
            )?;
        }
        Ok(())
    })?;
    let ready_ms = begun.elapsed().as_millis();
    let mut rows = vec![];
    for (home, subscriber, bytes) in HOMES {
        rows.push(step(&format!("{subscriber}, in {home}: lease, web page, ping, download"), || {
            one(lab, home, subscriber, bytes)
        })?);
    }
    println!("\n{}", table(&rows));
    println!(
        "provisioned, derived, stored, sent, in the kernel and acknowledged: 3 subscribers in {ready_ms} ms"
    );
    println!(
        "\n$ wcctl get subscribers -o wide\n{}",
        wcctl(lab, &["get", "subscribers", "-o", "wide"])?.trim_end()
    );
    for arguments in [&["sessions"][..], &["drops"]] {
        let output = lab.wcnode(arguments)?;
        ensure!(output.status == 0, "wcnode {arguments:?}: {}", output.stderr);
        println!("\n$ wcnode {}\n{}", arguments.join(" "), output.stdout.trim_end());
    }
    Ok(())
}

fn one(lab: &Lab, home: &'static str, subscriber: &str, bytes: u64) -> Result<Row> {
    let lease = lab.lease(home, Duration::from_secs(30))?;
    let page = lab.fetch(home, &lab.page())?;
    ensure!(page.status == 200, "{home} got HTTP {}", page.status);
    let ping = lab.exec(home, &["ping", "-c", "5", "-i", "0.2", "-q", lab.internet_address()])?;
    ensure!(ping.status == 0, "{home} cannot ping: {}", ping.stdout);
    let round_trip_ms = ping.stdout.rsplit('/').nth(2).context("ping printed no times")?.to_owned();
    let download = lab.fetch(home, &format!("{}bytes/{bytes}", lab.page()))?;
    ensure!(download.bytes == bytes, "{home} got {} of {bytes} bytes", download.bytes);
    let object = wcctl(lab, &["get", "subscriber", subscriber, "-o", "json"])?;
    Ok(Row { home, subscriber: serde_json::from_str(&object)?, lease, page, download, round_trip_ms })
}

fn wcctl(lab: &Lab, arguments: &[&str]) -> Result<String> {
    let output = lab.wcctl(arguments)?;
    if output.status != 0 {
        bail!("wcctl {} ended with {}: {}", arguments.join(" "), output.status, output.stderr.trim());
    }
    Ok(output.stdout)
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header([
        "home",
        "subscriber",
        "tags S.C",
        "leased by DHCP",
        "seen on the Internet as",
        "page",
        "ping",
        "bundle down",
        "measured",
    ]);
    for Row { home, subscriber, lease, page, download, round_trip_ms } in rows {
        let text = |pointer: &str| {
            let value = subscriber.pointer(pointer).unwrap_or(&Value::Null);
            value.as_str().map_or_else(|| value.to_string(), str::to_owned)
        };
        #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
        let measured = download.bytes as f64 * 8.0 / download.seconds / 1e6;
        table.add_row([
            (*home).to_owned(),
            text("/metadata/name"),
            format!("{}.{}", text("/spec/access/sVid"), text("/spec/access/cVid")),
            format!("{}/{}", lease.address, lease.prefix_len),
            page.body.trim().replace(' ', ":"),
            format!("{} in {:.1} ms", page.status, page.seconds * 1e3),
            format!("{round_trip_ms} ms"),
            text("/spec/bundle/rateDown"),
            format!("{measured:.1} Mbit/s"),
        ]);
    }
    table
}
