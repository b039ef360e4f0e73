//! A running machine.

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::Shutdown,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::PathBuf,
    process::{Child, Command},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    error::{Result, VmError, missing},
    files::Files,
    kernel::Kernel,
};

/// A virtual machine; dropping it ends it.
pub struct Vm {
    qemu: Child,
    channel: BufReader<UnixStream>,
    /// Open for as long as the machine is to live.
    _lifeline: UnixStream,
    folder: TempDir,
}

/// What a command in the machine did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its exit status, or 128 and the number of the signal that ended it.
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

const QEMU: &str = "qemu-system-x86_64";

/// Ten times what it takes: other things run on the machine that this runs on.
const BOOT_PATIENCE: Duration = Duration::from_mins(2);
const RUN_PATIENCE: Duration = Duration::from_mins(15);

/// Most bytes of output that a command may have.
const OUTPUT_LEN_MAX: usize = 64 << 20;

const MEMORY: &str = "1024";

/// The kernel would measure the processor's clock while it boots, and on a machine with other things to do measure wrongly:
/// its seconds were a quarter of true ones then. The emulated timer needs no measuring. The last word: a kernel that panics
/// restarts at once, and QEMU ends instead.
const APPEND: &str = "console=ttyS0 quiet mitigations=off tsc=unstable clocksource=hpet no_timer_check random.trust_cpu=on panic=-1";

impl Vm {
    /// Boots a kernel with these files, and returns when it takes commands.
    pub fn boot(kernel: Kernel, files: &Files) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("wirecenter-vm-")
            .tempdir()
            .map_err(VmError::io("make a temporary folder"))?;
        let initrd = folder.path().join("initrd");
        files.pack(kernel, &initrd)?;
        let pair = || UnixStream::pair().map_err(VmError::io("make a channel to the machine"));
        let ((ours, theirs), (lifeline, their_lifeline)) = (pair()?, pair()?);
        let qemu = Command::new(QEMU)
            .args(["-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-m", MEMORY])
            // Two processors under emulation have been seen to end in an oops.
            .args(["-smp", "1", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"])
            .arg("-kernel")
            .arg(kernel.image()?)
            .arg("-initrd")
            .arg(&initrd)
            .args(["-append", APPEND, "-serial"])
            .arg(format!("file:{}", console_in(&folder).display()))
            // Both are QEMU's own ends of sockets: when this process ends, however it does, they are closed, and the machine
            // turns itself off.
            .args(["-device", "virtio-serial-pci", "-chardev", "socket,id=channel,fd=0"])
            .args(["-device", "virtserialport,chardev=channel,nr=1", "-chardev", "socket,id=lifeline,fd=1"])
            .args(["-device", "virtserialport,chardev=lifeline,nr=2"])
            .stdin(OwnedFd::from(theirs))
            .stdout(OwnedFd::from(their_lifeline))
            .spawn()
            .map_err(|source| match source.kind() {
                io::ErrorKind::NotFound => missing(QEMU),
                _ => VmError::Io { doing: format!("start {QEMU}"), source },
            })?;
        let mut vm = Self { qemu, channel: BufReader::new(ours), _lifeline: lifeline, folder };
        let mut late = Deadline::new("boot", BOOT_PATIENCE);
        let ready = vm.line(&mut late)?;
        if ready != "ready" {
            return Err(vm.unexpected(&ready));
        }
        // It is large, and in the machine's memory by now. Left behind, it is in nobody's way.
        let _removed = fs::remove_file(&initrd);
        Ok(vm)
    }

    /// Runs a command to its end.
    pub fn run(&mut self, words: &[&str]) -> Result<Output> {
        self.run_within(RUN_PATIENCE, words)
    }

    /// Runs a command that has its own time to end.
    pub fn run_within(&mut self, patience: Duration, words: &[&str]) -> Result<Output> {
        let line = quoted(words)?;
        let mut late = Deadline::new(words.join(" "), patience);
        if let Err(error) = self.channel.get_mut().write_all(line.as_bytes()) {
            return Err(self.lost(&late, &error));
        }
        let answer = self.line(&mut late)?;
        let numbers: Vec<usize> = answer.split(' ').filter_map(|number| number.parse().ok()).collect();
        let &[status, stdout_len, stderr_len] = numbers.as_slice() else {
            return Err(self.unexpected(&answer));
        };
        if stdout_len.max(stderr_len) > OUTPUT_LEN_MAX {
            return Err(self.unexpected(&answer));
        }
        let status = i32::try_from(status).map_err(|_| self.unexpected(&answer))?;
        let stdout = self.text(&mut late, stdout_len)?;
        let stderr = self.text(&mut late, stderr_len)?;
        Ok(Output { status, stdout, stderr })
    }

    /// The last lines that the kernel and the first process wrote.
    pub fn console(&self) -> String {
        let text = fs::read(console_in(&self.folder)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    fn line(&mut self, late: &mut Deadline) -> Result<String> {
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') {
            self.wait(late)?;
            match self.channel.read_until(b'\n', &mut line) {
                Ok(0) => return Err(self.lost(late, &io::ErrorKind::UnexpectedEof.into())),
                Err(error) => return Err(self.lost(late, &error)),
                Ok(_) => {}
            }
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    fn text(&mut self, late: &mut Deadline, len: usize) -> Result<String> {
        let mut text = vec![0; len];
        self.wait(late)?;
        match self.channel.read_exact(&mut text) {
            Ok(()) => Ok(String::from_utf8_lossy(&text).into_owned()),
            Err(error) => Err(self.lost(late, &error)),
        }
    }

    /// Lets the next read take as long as there is time.
    fn wait(&self, late: &mut Deadline) -> Result<()> {
        // Zero would be for ever.
        let left = late.end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        let set = self.channel.get_ref().set_read_timeout(Some(left));
        set.map_err(VmError::io("set a deadline"))
    }

    fn lost(&self, late: &Deadline, error: &io::Error) -> VmError {
        // What still comes would be taken for the answer to what is said next.
        let _closed = self.channel.get_ref().shutdown(Shutdown::Both);
        let (doing, console) = (late.doing.clone(), self.console());
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                VmError::Late { doing, patience: late.patience, console }
            }
            _ => VmError::Ended { doing, console },
        }
    }

    fn unexpected(&self, answer: &str) -> VmError {
        VmError::Ended { doing: format!("the machine answered {answer:?}"), console: self.console() }
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        // Either fails only if it has ended already.
        let _killed = self.qemu.kill();
        let _reaped = self.qemu.wait();
    }
}

struct Deadline {
    doing: String,
    patience: Duration,
    end: Instant,
}

impl Deadline {
    fn new(doing: impl Into<String>, patience: Duration) -> Self {
        Self { doing: doing.into(), patience, end: Instant::now() + patience }
    }
}

fn console_in(folder: &TempDir) -> PathBuf {
    folder.path().join("console")
}

/// The words as the shell there takes them, one line.
fn quoted(words: &[&str]) -> Result<String> {
    if let Some(word) = words.iter().find(|word| word.contains(['\n', '\0'])) {
        return Err(VmError::Word((*word).to_owned()));
    }
    let quoted: Vec<_> = words.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
    Ok(quoted.join(" ") + "\n")
}
