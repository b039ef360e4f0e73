//! Files that only their owner may read.

use std::{
    fs::{self, DirBuilder},
    io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};

use crate::failure::Failure;

/// Reads what nobody else may be able to read.
pub(crate) fn read_secret(path: &Path) -> Result<String, Failure> {
    let fail = |source| Failure::File { path: path.into(), source };
    let mode = fs::metadata(path).map_err(fail)?.permissions().mode();
    if mode & 0o077 != 0 {
        let path = path.display();
        return Err(Failure::Usage(format!(
            "{path}: others may read or write this secret (mode {:04o}): chmod 600 {path}",
            mode & 0o7777
        )));
    }
    fs::read_to_string(path).map_err(fail)
}

/// Asks for a password at the terminal, where it is not shown; without a terminal, the first line of standard input.
pub(crate) fn read_password(prompt: &str) -> Result<String, Failure> {
    let stdin = io::stdin();
    let fail = |source| Failure::File { path: "standard input".into(), source };
    let shown = stdin.is_terminal().then(|| tcgetattr(&stdin)).transpose().map_err(|e| fail(e.into()))?;
    if let Some(shown) = &shown {
        eprint!("{prompt}");
        let mut hidden = shown.clone();
        hidden.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(&stdin, SetArg::TCSAFLUSH, &hidden).map_err(|e| fail(e.into()))?;
    }
    let mut line = String::new();
    let read = stdin.lock().take(LINE_BYTES_MAX).read_line(&mut line);
    if let Some(shown) = &shown {
        tcsetattr(&stdin, SetArg::TCSAFLUSH, shown).map_err(|e| fail(e.into()))?;
        eprintln!();
    }
    read.map_err(fail)?;
    match line.trim_end_matches(['\r', '\n']) {
        "" => Err(Failure::Usage("no password was given".into())),
        password => Ok(password.to_owned()),
    }
}

/// More than a password may have.
const LINE_BYTES_MAX: u64 = 4096;

/// Writes a file of mode 0600 as a whole or not at all, and the folder that it stands in.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        // Temporary files are made with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|source| Failure::File { path: path.into(), source })
}

/// `~/…` as a path in the home directory.
pub(crate) fn expand_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::var_os("HOME")) {
        (Ok(rest), Some(home)) => Path::new(&home).join(rest),
        _ => path.into(),
    }
}
