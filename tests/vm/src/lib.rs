//! Virtual machines with other kernels than this machine's, for tests to run in.
//!
//! ```text
//!  Kernel::fetch ── Debian's package, unpacked below the target folder, never installed
//!  Files ────────── programs with their libraries ─► initial RAM file system
//!                                                    │
//!  Vm::boot ─► QEMU, emulating (no KVM needed) ◄─────┘
//!  Vm::run ──► one command at a time over a virtio-serial port; its exit status and output come back
//! ```
//!
//! A machine is ready in some seconds, has no network and no disk, and ends with its [`Vm`] or with the process that had it,
//! whichever ends first. [`rerun`] is the short way for a test binary to have tests of its own pass on another kernel.

mod cpio;
mod error;
mod files;
mod kernel;
mod machine;
mod rerun;

pub use error::VmError;
pub use files::Files;
pub use kernel::Kernel;
pub use machine::{Output, Vm};
pub use rerun::rerun;
