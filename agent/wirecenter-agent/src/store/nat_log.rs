//! What the NAT log has told.

use std::net::Ipv4Addr;

use fastpath::NatBlock;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use super::{Store, StoreError};
use crate::nat_log::{BlockChange, Told};

/// Subscriber and, after a space, the first port, to its inside and its public address, and to the first and the number of its ports
/// (no ports: the whole address).
const BLOCKS: TableDefinition<&str, (u32, u32, u16, u16)> = TableDefinition::new("nat_log_port_blocks");
/// Whom it was told.
const COLLECTOR: TableDefinition<(), &str> = TableDefinition::new("nat_log_collector");

pub(super) fn make_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(BLOCKS)?;
    transaction.open_table(COLLECTOR)?;
    Ok(())
}

pub(super) fn load(database: &Database) -> Result<Told, redb::Error> {
    let transaction = database.begin_read()?;
    let mut told = Told::default();
    if let Some(to) = transaction.open_table(COLLECTOR)?.get(())? {
        told.to = to.value().into();
    }
    for entry in transaction.open_table(BLOCKS)?.iter()? {
        let (name, row) = entry?;
        let (inside, external, first_port, ports) = row.value();
        let (inside, external) = (Ipv4Addr::from_bits(inside), Ipv4Addr::from_bits(external));
        // Names have no spaces.
        let name = name.value().split(' ').next().unwrap_or_default();
        if let Ok(name) = name.parse() {
            let blocks: &mut Vec<NatBlock> = told.blocks.entry(name).or_default();
            blocks.push(NatBlock { inside, external, first_port, ports });
        }
    }
    for blocks in told.blocks.values_mut() {
        blocks.sort_unstable_by_key(|block| block.first_port);
    }
    Ok(told)
}

impl Store {
    /// Keeps which blocks were told of, in the order in which they were.
    pub(crate) fn keep_told(&self, changes: &[BlockChange]) -> Result<(), StoreError> {
        let keep = || -> Result<(), redb::Error> {
            let transaction = self.database.begin_write()?;
            {
                let mut blocks = transaction.open_table(BLOCKS)?;
                for BlockChange { subscriber, block, is_held, .. } in changes {
                    let NatBlock { inside, external, first_port, ports } = block;
                    let row = (inside.to_bits(), external.to_bits(), *first_port, *ports);
                    let key = format!("{subscriber} {first_port}");
                    if *is_held {
                        blocks.insert(key.as_str(), row)?;
                    } else {
                        blocks.remove(key.as_str())?;
                    }
                }
            }
            Ok(transaction.commit()?)
        };
        Ok(keep()?)
    }

    /// From now on `to` is told, which knows of nothing.
    pub(crate) fn tell_anew(&self, to: &str) -> Result<(), StoreError> {
        let keep = || -> Result<(), redb::Error> {
            let transaction = self.database.begin_write()?;
            transaction.delete_table(BLOCKS)?;
            transaction.open_table(BLOCKS)?;
            transaction.open_table(COLLECTOR)?.insert((), to)?;
            Ok(transaction.commit()?)
        };
        Ok(keep()?)
    }
}
