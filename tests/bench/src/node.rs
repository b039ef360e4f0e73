//! A whole office with 100,000 subscribers: how long after `kill -9` its agent serves them all again, and what it has
//! in memory then.

use std::time::Instant;

use anyhow::{Result, ensure};

use crate::{
    figure::Figure,
    machine::Resident,
    office::{self, FULL},
    whole::{Office, Status},
};

/// How often the agent is killed and started.
const RESTARTS: usize = 7;

pub(crate) fn run() -> Result<Vec<Figure>> {
    let mut office = Office::up()?;
    office::batches(&office.lab()?.socket(), 0..FULL)?;
    let mut generation = office.wait_serving(0)?.generation;
    let (mut restarts, mut startups) = (Vec::new(), Vec::new());
    let (mut all, mut anonymous, mut file) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RESTARTS {
        let lab = office.lab()?;
        lab.kill_agent()?;
        let started = Instant::now();
        lab.start_agent()?;
        let status = office.wait_serving(generation)?;
        restarts.push(started.elapsed().as_secs_f64());
        let Status { startup, pid, .. } = status;
        ensure!(
            (startup.kernel_steps, startup.map_writes) == (0, 0),
            "the kernel had everything, but the start took {} steps and {} writes to maps",
            startup.kernel_steps,
            startup.map_writes
        );
        startups.push(startup.seconds);
        let resident = Resident::of(pid)?;
        all.push(resident.all);
        anonymous.push(resident.anonymous);
        file.push(resident.file);
        generation = status.generation;
    }
    office.down()?;
    Ok(vec![
        Figure::of("agent.restart_s.100k", "s", restarts),
        Figure::of("agent.startup_s.100k", "s", startups),
        Figure::of("agent.rss_mb.100k", "MB", all),
        Figure::of("agent.rss_anonymous_mb.100k", "MB", anonymous),
        Figure::of("agent.rss_file_mb.100k", "MB", file),
    ])
}
