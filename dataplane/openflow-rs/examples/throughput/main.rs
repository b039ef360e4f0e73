//! How many messages a second of one CPU encodes and decodes, beside os-ken doing the same: JSON lines.
//!
//! `cargo run --release --example throughput -- [PYTHON [ROUNDS]]`, where PYTHON is one that has os-ken; without it, os-ken is left out.
//! The two take turns, so that what else the machine does is the same for both.

mod measure;

use std::{
    error::Error,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use measure::Work;

/// How long each measures before it is the other's turn.
const SPAN: Duration = Duration::from_millis(500);
const ROUNDS: usize = 5;

/// The same in Python.
struct OsKen {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl OsKen {
    fn start(python: &str) -> Result<Self, Box<dyn Error>> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/throughput/os_ken_twin.py");
        let mut command = Command::new(python);
        let mut child = command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take().ok_or("no input")?;
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        Ok(Self { child, input, output })
    }

    fn rate(&mut self, work: Work) -> Result<f64, Box<dyn Error>> {
        writeln!(self.input, "{} {}", work.name(), SPAN.as_secs_f64())?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim().parse()?)
    }
}

impl Drop for OsKen {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut os_ken = arguments.next().map(|python| OsKen::start(&python)).transpose()?;
    let rounds = arguments.next().map_or(Ok(ROUNDS), |rounds| rounds.parse())?;
    for work in Work::ALL {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            ours.push(work.rate(SPAN)?);
            if let Some(os_ken) = &mut os_ken {
                theirs.push(os_ken.rate(work)?);
            }
        }
        let (name, ours) = (work.name(), median(ours));
        if theirs.is_empty() {
            println!(r#"{{"work":"{name}","per_cpu_second":{ours:.0}}}"#);
        } else {
            let theirs = median(theirs);
            let ratio = ours / theirs;
            println!(
                r#"{{"work":"{name}","per_cpu_second":{ours:.0},"os_ken":{theirs:.0},"ratio":{ratio:.1}}}"#
            );
        }
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
