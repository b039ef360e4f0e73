//! What is said while something takes long, and what is asked before it is done.

use std::{
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    time::Duration,
};

use tokio::time::{Instant, sleep};

/// Nothing is said of what is done by then.
const PATIENCE: Duration = Duration::from_secs(2);
const PERIOD: Duration = Duration::from_secs(1);

/// Waits for `work`, and tells on standard error what is being done when it takes more than 2 s: once, or on a terminal
/// every second with the time that it has taken.
pub(crate) async fn during<T>(what: &str, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    let begun = Instant::now();
    let mut pause = PATIENCE;
    let is_terminal = io::stderr().is_terminal();
    loop {
        let done = tokio::select! {
            done = &mut work => done,
            () = sleep(pause) => {
                if is_terminal {
                    eprint!("\r{what}… {} s\x1b[K", begun.elapsed().as_secs());
                    let _is_only_told = io::stderr().flush();
                } else if pause == PATIENCE {
                    eprintln!("{what}…");
                }
                pause = if is_terminal { PERIOD } else { Duration::from_hours(1) };
                continue;
            }
        };
        if is_terminal && pause != PATIENCE {
            eprint!("\r\x1b[K");
        }
        return done;
    }
}

/// Asks somebody at the terminal; anything but yes is no.
pub(crate) fn is_agreed(question: &str) -> bool {
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).is_ok()
        && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}
