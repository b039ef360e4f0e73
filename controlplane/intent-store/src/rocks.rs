//! The engine on one disk: RocksDB.

use std::path::Path;

use rocksdb::{BlockBasedOptions, Cache, DB, DBCompressionType, DBRecoveryMode, IteratorMode, WriteBatch};

use crate::{Engine, EngineError, Write};

/// RocksDB in a directory of its own, which it locks against a second process.
pub struct RocksEngine {
    db: DB,
}

impl RocksEngine {
    /// All reads but the first are answered from the index above, so that the cache can be small.
    const BLOCK_CACHE_BYTES: usize = 4 << 20;
    const WRITE_BUFFER_BYTES: usize = 32 << 20;
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
        Ok(Self { db })
    }
}

impl Engine for RocksEngine {
    fn load(&mut self, visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), EngineError> {
        let mut options = rocksdb::ReadOptions::default();
        options.fill_cache(false);
        for pair in self.db.iterator_opt(IteratorMode::Start, options) {
            let (key, value) = pair.map_err(|e| EngineError::new("load", e))?;
            visit(&key, &value);
        }
        Ok(())
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
