use std::collections::BTreeMap;

use super::*;

fn route(number: u32) -> Resource {
    let text =
        format!(r#"{{"kind":"route","prefix":"10.{}.{}.0/24","target":"pool"}}"#, number >> 8, number & 255);
    Resource::decode(text.as_bytes()).expect("decodes")
}

fn rerouted(number: u32) -> Resource {
    let text = format!(
        r#"{{"kind":"route","prefix":"10.{}.{}.0/24","target":"natPool"}}"#,
        number >> 8,
        number & 255
    );
    Resource::decode(text.as_bytes()).expect("decodes")
}

fn upserts(numbers: std::ops::Range<u32>) -> Vec<Change> {
    numbers.map(|n| Change::Upsert(route(n))).collect()
}

/// What an agent has after everything that the table has to say, and in how many batches.
fn drain(table: &NodeTable, cursor: &mut Cursor, held: &mut HashMap<ResourceKey, Version>) -> usize {
    let mut batches = 0;
    while let Some(batch) = table.next(cursor).expect("in reach") {
        batches += 1;
        held.extend(batch.upserts.into_iter().map(|(key, version, _)| (key, version)));
        held.retain(|key, _| !batch.removes.contains(key));
    }
    batches
}

fn wanted(table: &NodeTable) -> BTreeMap<ResourceKey, Version> {
    let inner = table.lock();
    let present =
        inner.entries.iter().filter_map(|(key, e)| e.content.as_ref().map(|(v, _)| (key.clone(), *v)));
    present.collect()
}

#[test]
fn comparison_finds_what_differs_and_nothing_else() {
    let table = NodeTable::new();
    table.apply(Generation(1), upserts(0..4));
    let mut held: HashMap<_, _> = (1..4).map(|n| (route(n).key(), route(n).version())).collect();
    held.insert(route(1).key(), rerouted(1).version());
    held.insert(route(9).key(), route(9).version());
    let (mut cursor, mut right) = table.compare(&held);
    right.sort();
    assert_eq!(right, [route(2).key(), route(3).key()]);
    let batch = table.next(&mut cursor).expect("in reach").expect("something");
    let keys: Vec<_> = batch.upserts.iter().map(|(key, ..)| key.clone()).collect();
    assert_eq!((keys, batch.removes), (vec![route(0).key(), route(1).key()], vec![route(9).key()]));
    assert!(!batch.more);
    assert_eq!(table.next(&mut cursor), Ok(None));
}

#[test]
fn a_generation_without_changes_is_sent_once() {
    let table = NodeTable::new();
    let (mut cursor, _) = table.compare(&HashMap::new());
    let empty = |generation| Batch { generation, upserts: vec![], removes: vec![], more: false };
    assert_eq!(table.next(&mut cursor), Ok(Some(empty(Generation(0)))));
    assert_eq!(table.next(&mut cursor), Ok(None));
    table.apply(Generation(7), vec![Change::Remove(route(1).key())]);
    assert_eq!(table.next(&mut cursor), Ok(Some(empty(Generation(7)))));
    table.apply(Generation(6), vec![]);
    assert_eq!(table.next(&mut cursor), Ok(None));
}

#[test]
fn a_slow_stream_gets_each_key_once_with_its_latest_content() {
    let table = NodeTable::new();
    let (mut cursor, _) = table.compare(&HashMap::new());
    for round in 0..1000 {
        let resource = if round % 2 == 0 { route(1) } else { rerouted(1) };
        table.apply(Generation(round), vec![Change::Upsert(resource)]);
    }
    table.apply(Generation(1000), vec![Change::Upsert(route(2)), Change::Remove(route(2).key())]);
    let batch = table.next(&mut cursor).expect("in reach").expect("something");
    assert_eq!(batch.upserts.len(), 1);
    assert_eq!(batch.upserts[0].1, rerouted(1).version());
    assert_eq!(batch.removes, [route(2).key()]);
    assert_eq!(table.len(), 1);
}

#[test]
fn chunks_are_bounded_and_only_the_last_says_that_it_is() {
    let table = NodeTable::new();
    table.apply(Generation(3), upserts(0..5000));
    let (mut cursor, _) = table.compare(&HashMap::new());
    let mut mores = Vec::new();
    while let Some(batch) = table.next(&mut cursor).expect("in reach") {
        assert!(batch.upserts.len() <= CHUNK_ITEMS_MAX);
        mores.push(batch.more);
    }
    assert_eq!(mores, [true, true, false]);
}

#[test]
fn a_bulk_comes_to_its_end_while_others_come_singly_and_each_in_its_turn() {
    let table = NodeTable::new();
    let (mut cursor, _) = table.compare(&HashMap::new());
    table.apply(Generation(1), upserts(0..5000));
    let mut sent = Vec::new();
    for single in 0..10 {
        // Another in each round, and one that never rests.
        let restless = if single % 2 == 0 { rerouted(9000) } else { route(9000) };
        let changes = vec![Change::Upsert(route(6000 + single)), Change::Upsert(restless)];
        table.apply(Generation(2 + u64::from(single)), changes);
        let batch = table.next(&mut cursor).expect("in reach").expect("something");
        assert_eq!(batch.more, single < 2, "round {single}");
        sent.extend(batch.upserts.into_iter().map(|(key, ..)| key));
    }
    assert_eq!(table.next(&mut cursor), Ok(None));
    let restless = route(9000).key();
    sent.retain(|key| *key != restless);
    let others: Vec<_> = (0..5000).chain(6000..6010).map(|number| route(number).key()).collect();
    assert_eq!(sent, others, "each once, in the order in which they came");
}

#[test]
fn a_stream_behind_forgotten_removals_is_told_so_and_memory_stays_bounded() {
    let table = NodeTable::new();
    let (mut cursor, _) = table.compare(&HashMap::new());
    for n in 0..TOMBSTONES_MAX + 1000 {
        let key = ResourceKey::from(format!("session/s{n}"));
        let mut inner = table.lock();
        inner.set(key.clone(), Some((Version(1), Bytes::new())));
        inner.set(key, None);
        inner.forget_old_tombstones();
    }
    assert_eq!(table.lock().tombstones.len(), TOMBSTONES_MAX);
    assert_eq!(table.lock().entries.len(), TOMBSTONES_MAX);
    assert_eq!(table.next(&mut cursor), Err(TooFarBehind));
    let (mut cursor, _) = table.compare(&HashMap::new());
    assert_eq!(drain(&table, &mut cursor, &mut HashMap::new()), 1);
}

proptest::proptest! {
    #[test]
    fn however_changes_and_batches_interleave_the_agent_ends_with_the_table(
        steps in proptest::collection::vec((0u32..6, 0u8..4), 1..60),
    ) {
        let table = NodeTable::new();
        let mut held = HashMap::new();
        let (mut cursor, _) = table.compare(&held);
        for (generation, (number, action)) in steps.into_iter().enumerate() {
            let generation = Generation(generation as u64);
            match action {
                0 => table.apply(generation, vec![Change::Upsert(route(number))]),
                1 => table.apply(generation, vec![Change::Upsert(rerouted(number))]),
                2 => table.apply(generation, vec![Change::Remove(route(number).key())]),
                _ if number < 3 => (cursor, _) = table.compare(&held),
                _ => drop(drain(&table, &mut cursor, &mut held)),
            }
        }
        drain(&table, &mut cursor, &mut held);
        proptest::prop_assert_eq!(held.into_iter().collect::<BTreeMap<_, _>>(), wanted(&table));
    }
}
