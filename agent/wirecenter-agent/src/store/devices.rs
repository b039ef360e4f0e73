//! The leases of homes with several devices: all of a home's are written when one of them changes.

use std::{collections::HashMap, net::Ipv4Addr};

use access_protocols::dhcp4::{Binding, devices::Leases};
use net_types::{Mac, Name};
use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, Table, TableDefinition, WriteTransaction};

/// Subscriber and address, to the device's MAC address and the lease's end (seconds since 1970).
const DEVICES: TableDefinition<(&str, u32), ([u8; 6], u64)> = TableDefinition::new("devices");

pub(super) fn make_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(DEVICES)?;
    Ok(())
}

pub(super) fn load(transaction: &ReadTransaction) -> Result<HashMap<Name, Leases>, redb::Error> {
    let mut bound: HashMap<Name, Vec<(Ipv4Addr, Binding)>> = HashMap::new();
    for entry in transaction.open_table(DEVICES)?.iter()? {
        let (key, row) = entry?;
        let ((name, address), (octets, expires_s)) = (key.value(), row.value());
        if let (Ok(name), Ok(mac)) = (name.parse(), Mac::new(octets)) {
            bound.entry(name).or_default().push((Ipv4Addr::from_bits(address), Binding { mac, expires_s }));
        }
    }
    Ok(bound.into_iter().map(|(name, bound)| (name, Leases::new(bound))).collect())
}

/// Keeps what homes' leases have become.
pub(super) fn keep(transaction: &WriteTransaction, homes: &[(Name, Leases)]) -> Result<(), redb::Error> {
    if homes.is_empty() {
        return Ok(());
    }
    let mut table = transaction.open_table(DEVICES)?;
    for (name, leases) in homes {
        clear(&mut table, name)?;
        for (address, Binding { mac, expires_s }) in leases.all() {
            table.insert((name.as_str(), address.to_bits()), (mac.octets(), expires_s))?;
        }
    }
    Ok(())
}

/// Forgets the leases of homes.
pub(super) fn forget<'n>(
    transaction: &WriteTransaction,
    homes: impl IntoIterator<Item = &'n Name>,
) -> Result<(), redb::Error> {
    let mut table = transaction.open_table(DEVICES)?;
    if table.is_empty()? {
        return Ok(());
    }
    homes.into_iter().try_for_each(|name| clear(&mut table, name))
}

fn clear(table: &mut Table<'_, (&'static str, u32), ([u8; 6], u64)>, name: &Name) -> Result<(), redb::Error> {
    Ok(table.retain_in((name.as_str(), 0)..=(name.as_str(), u32::MAX), |_, _| false)?)
}
