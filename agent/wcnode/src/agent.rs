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
    // One that was killed could not say that it ends; one that ended may have left its number to another process.
    let lives = |pid: u64| status["running"] != false && Path::new("/proc").join(pid.to_string()).exists();
    let running = status["pid"].as_u64().map(lives);
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

/// Every value that is neither an object nor null, with the names that lead to it.
pub(crate) fn leaves(status: &Value) -> Vec<(String, String)> {
    match status {
        Value::Object(members) => {
            let below = |(name, value): (&String, &Value)| {
                let name = name.clone();
                leaves(value).into_iter().map(move |(inner, text)| match inner.as_str() {
                    "" => (name.clone(), text),
                    inner => (format!("{name}.{inner}"), text),
                })
            };
            members.iter().flat_map(below).collect()
        }
        Value::Null => vec![],
        Value::String(text) => vec![(String::new(), text.clone())],
        other => vec![(String::new(), other.to_string())],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_status_is_shown_leaf_by_leaf() {
        let status = json!({"node": "node1", "linkError": null, "resources": {"sessions": 3}, "errors": {}});
        let leaves = leaves(&status);
        let expected = [("node", "node1"), ("resources.sessions", "3")];
        assert_eq!(leaves, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

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
        write(json!({"pid": std::process::id(), "running": false}).to_string());
        assert_eq!(read(dir.path()).expect("a status").running, Some(false));
        write("{".into());
        let broken = read(dir.path()).expect("a status");
        assert!(broken.status.as_str().expect("an error").starts_with("unreadable: "));
    }
}
