//! Maps that are not understood: the office begins anew, says why, and works.

use fastpath::{Inspector, Migration, OpenError, change_over};

use super::{PROBE, change_to_probe};
use crate::{
    frames::{ALICE, REMOTE, from_alice, udp},
    live::Wire,
    world::{World, desired, settle},
};

/// The office begins anew, and says why.
fn begins_anew(world: &World, why: &str) {
    let mut fastpath = world.open();
    let migration = fastpath.migration().expect("the maps are not those of this program").clone();
    let failure = migration.failure.clone().expect("a reason");
    assert!(failure.contains(why), "{failure}");
    assert_eq!(migration, Migration { failure: Some(failure), ..Migration::default() });
    settle(&mut fastpath, &desired());
    let (home, upstream) = (Wire::on("home0"), Wire::on("up0"));
    home.send(&from_alice(&udp((ALICE, 5000), (REMOTE, 53), 64, b"question")));
    assert!(upstream.receive().is_some(), "a packet goes out");
}

/// The probe, with its description spoilt.
fn spoilt(from: &str, to: &str) -> Vec<u8> {
    let at = |text: &str| PROBE.windows(text.len()).position(|window| window == text.as_bytes());
    let mut object = PROBE.to_vec();
    let at = at(from).expect("it is in the description");
    object[at..at + from.len()].copy_from_slice(to.as_bytes());
    object
}

#[test]
fn maps_without_a_description_are_not_taken_over() {
    let world = World::new();
    drop(world.office(&desired()));
    std::fs::remove_file(world.pin_dir.join("LAYOUT")).expect("pinned");
    begins_anew(&world, "no description");
}

#[test]
fn garbage_for_a_description_is_an_error_in_words() {
    let world = World::new();
    drop(world.office(&desired()));
    change_over(&world.options(), &spoilt("\nend\n", "\nenX\n")).unwrap_or_else(|error| panic!("{error}"));
    begins_anew(&world, "cut off");
}

#[test]
fn who_looks_at_maps_of_another_layout_is_told_so() {
    let world = World::new();
    drop(world.office(&desired()));
    change_to_probe(&world);
    assert!(matches!(Inspector::open(&world.pin_dir), Err(OpenError::OtherLayout(_))));
}

#[test]
fn what_a_process_left_that_ended_in_between_is_put_in_order() {
    let world = World::new();
    drop(world.office(&desired()));
    // Maps that were being filled are of no use.
    std::fs::create_dir(world.pin_dir.join("next")).expect("a directory");
    std::fs::rename(world.pin_dir.join("DROPS"), world.pin_dir.join("next/DROPS")).expect("moved");
    let fastpath = world.open();
    assert_eq!(fastpath.migration(), None);
    drop(fastpath);
    assert!(!world.pin_dir.join("next").exists());
    // Those that ports may be on already are the ones.
    std::fs::create_dir(world.pin_dir.join("swapped")).expect("a directory");
    let pins = std::fs::read_dir(&world.pin_dir).expect("pins").flatten();
    let maps: Vec<_> = pins.filter(|pin| pin.file_type().is_ok_and(|kind| kind.is_file())).collect();
    for pin in maps.iter().filter(|pin| !pin.file_name().to_string_lossy().starts_with("link-")) {
        std::fs::rename(pin.path(), world.pin_dir.join("swapped").join(pin.file_name())).expect("moved");
    }
    let mut fastpath = world.open();
    assert_eq!(fastpath.migration(), None);
    settle(&mut fastpath, &desired());
    assert_eq!(fastpath.writes(), 0, "everything is there already");
    assert!(!world.pin_dir.join("swapped").exists());
}
