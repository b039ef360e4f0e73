//! What the agent says of itself, in a file that outlives it.

use std::{fs, path::Path, time::SystemTime};

use serde::Serialize;
use serde_json::Value;

/// The agent's status as it was last written.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AgentStatus {
    /// Whether the process that wrote it lives; `None`: the file does not name one.
    pub(crate) running: Option<bool>,
    /// Seconds since it was written.
    pub(crate) age_s: Option<u64>,
    /// What it says; an error in its place if it is no JSON.
    pub(crate) status: Value,
}

/// `None`: there is no such file.
pub(crate) fn read(run_dir: &Path) -> Option<AgentStatus> {
    let path = run_dir.join("status.json");
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => return Some(unreadable(&error)),
        Ok(bytes) => bytes,
    };
    let written = fs::metadata(&path).and_then(|metadata| metadata.modified()).ok();
    let age_s = written.and_then(|at| SystemTime::now().duration_since(at).ok()).map(|age| age.as_secs());
    let status: Value = match serde_json::from_slice(&bytes) {
        Ok(status) => status,
        Err(error) => return Some(AgentStatus { age_s, ..unreadable(&error) }),
    };
    let running = status["pid"].as_u64().map(|pid| Path::new("/proc").join(pid.to_string()).exists());
    Some(AgentStatus { running, age_s, status })
}

fn unreadable(error: &dyn std::fmt::Display) -> AgentStatus {
    AgentStatus { running: None, age_s: None, status: Value::String(format!("unreadable: {error}")) }
}

impl AgentStatus {
    /// One line for people.
    pub(crate) fn summary(&self) -> String {
        let state = match self.running {
            Some(true) => "running",
            Some(false) => "not running",
            None => "unknown",
        };
        self.age_s.map_or_else(|| state.into(), |age| format!("{state}, status written {age} s ago"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_file_tells_whether_its_writer_lives() {
        let dir = tempfile::tempdir().expect("a directory");
        assert_eq!(read(dir.path()), None);
        let write = |text: String| fs::write(dir.path().join("status.json"), text).expect("written");
        write(json!({"pid": std::process::id(), "generation": 7}).to_string());
        let status = read(dir.path()).expect("a status");
        assert_eq!((status.running, &status.status["generation"]), (Some(true), &json!(7)));
        // Above the largest process identifier that Linux gives (2^22).
        write(json!({"pid": 1 << 30}).to_string());
        assert_eq!(read(dir.path()).expect("a status").running, Some(false));
        write("{".into());
        let broken = read(dir.path()).expect("a status");
        assert!(broken.status.as_str().expect("an error").starts_with("unreadable: "));
    }
}
