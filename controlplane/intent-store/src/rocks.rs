//! The engine on one disk: RocksDB.

use std::{ops::Range, path::Path, sync::Arc};

use rocksdb::{BlockBasedOptions, Cache, DB, DBCompressionType, DBRecoveryMode, WriteBatch};

use crate::{Engine, EngineError, Reader, Visit, Write};

/// What a scan reads from the disk at a time.
const READAHEAD_BYTES: usize = 256 << 10;

/// RocksDB in a directory of its own, which it locks against a second process.
pub struct RocksEngine {
    db: Arc<DB>,
}

struct RocksReader(Arc<DB>);

impl RocksEngine {
    /// Objects and claims are read once, when the index above is made: the cache can be small.
    const BLOCK_CACHE_BYTES: usize = 4 << 20;
    const WRITE_BUFFER_BYTES: usize = 8 << 20;
    const OPEN_FILES_MAX: i32 = 256;

    pub fn open(directory: &Path) -> Result<Self, EngineError> {
        let mut options = rocksdb::Options::default();
        options.create_if_missing(true);
        options.set_paranoid_checks(true);
        // A torn record at the very end was never acknowledged; damage anywhere else must not pass unseen.
        options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
        options.set_compression_type(DBCompressionType::Lz4);
        options.set_write_buffer_size(Self::WRITE_BUFFER_BYTES);
        options.set_max_open_files(Self::OPEN_FILES_MAX);
        options.set_keep_log_file_num(4);
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(&Cache::new_lru_cache(Self::BLOCK_CACHE_BYTES));
        options.set_block_based_table_factory(&table);
        let db = DB::open(&options, directory).map_err(|e| EngineError::new("open", e))?;
        Ok(Self { db: Arc::new(db) })
    }
}

impl Reader for RocksReader {
    fn scan(&self, range: Range<&[u8]>, visit: &mut Visit<'_>) -> Result<(), EngineError> {
        let mut options = rocksdb::ReadOptions::default();
        options.fill_cache(false);
        options.set_readahead_size(READAHEAD_BYTES);
        options.set_iterate_upper_bound(range.end);
        // An iterator sees the database as it was when the iterator was made.
        let mut pairs = self.0.raw_iterator_opt(options);
        pairs.seek(range.start);
        while let Some((key, value)) = pairs.item() {
            if visit(key, value).is_break() {
                return Ok(());
            }
            pairs.next();
        }
        pairs.status().map_err(|e| EngineError::new("read", e))
    }
}

impl Engine for RocksEngine {
    fn reader(&self) -> Box<dyn Reader> {
        Box::new(RocksReader(self.db.clone()))
    }

    fn commit(&mut self, writes: &[Write]) -> Result<(), EngineError> {
        let mut batch = WriteBatch::default();
        for Write { key, value } in writes {
            match value {
                Some(value) => batch.put(key, value),
                None => batch.delete(key),
            }
        }
        let mut options = rocksdb::WriteOptions::default();
        options.set_sync(true);
        self.db.write_opt(batch, &options).map_err(|e| EngineError::new("commit", e))
    }
}
