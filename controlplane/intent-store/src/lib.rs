//! The durable store of the office's intent.
//!
//! ```text
//! transact(closure) ─► queue ─► writer thread: run closures one by one ─► Engine::commit (one sync) ─► index ─► replies
//! get · page · changes ◄──────────────────────────────────────────────────────────────────── index (in memory)
//! ```
//!
//! - Transactions are closures. One thread runs them one after another, so each sees all before it and none beside it;
//!   those that wait together are committed together with one sync. All of a closure's writes become durable or none.
//! - Nobody sees a write, or a refusal that follows from one, before it is durable.
//! - Every change of an object has a revision of its own, higher than all before it, across restarts too.
//! - Two tables: objects have a history (older versions and a change log, in memory, bounded) that feeds exact paging
//!   and watches; claims (who holds which address, port block or tag) are committed with them and have none.
//! - Beside the tables there is the audit log: records that are appended with the transaction that they tell of, or
//!   with its refusal, and stay on disk: no more of them is in memory than a page that is read.
//! - A backup is a dump of all pairs as they were at one moment, taken while writes go on, with the files beside the
//!   store that belong with it. It knows nothing of the engine: what one engine dumped, another can restore.
//! - A commit that fails stops the store for good: whether it is on disk is not known until the store is opened again.
//!
//! In memory the values of a kind are packed against one of them, and unpacked for whoever reads.
//!
//! Only the [`Engine`] knows where bytes lie; revisions, ordering and history are kept above it.

mod audit;
mod backup;
mod claims;
mod disk;
mod engine;
mod index;
mod memory;
mod merge;
mod packed;
mod record;
mod rocks;
mod store;
mod transaction;
mod writer;

pub use audit::{AuditError, AuditRecord};
pub use backup::{
    BackupError, Companion, Manifest, RestoreError, VerifyError, inspect, restore, restore_into, verify,
};
pub use engine::{Engine, EngineError, Reader, Visit, Write};
pub use memory::{Fault, MemoryEngine};
pub use record::{Change, Compacted, Key, Page, Record, Table};
pub use rocks::RocksEngine;
pub use store::{OpenError, Options, Stopped, Store, StoreFigures};
pub use transaction::Transaction;
pub use writer::WriterHandle;

#[cfg(test)]
mod tests;
