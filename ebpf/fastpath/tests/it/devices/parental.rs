//! Parental control is for the device that asks.

use std::collections::BTreeSet;

use fastpath::Inspector;
use net_types::Mac;
use node_state::{Blocked, Resource};

use super::{Device, LAPTOP, PHONE, PRINTER, from_home, goes_out, office, opened};
use crate::{
    dns::message::Query,
    fixtures::ADDRESSES,
    frames::{REMOTE, udp},
    runner::{Host, Kernel, Outcome, Runner},
    snapshot::snapshot,
    world::World,
};

const GAMES: &str = r#"{"kind":"blockList","name":"games","domains":["games.example"]}"#;
const CONTROL: &str = r#""parentalControl":{"utcOffset":"+00:00","rules":[{"lists":["games"]}]},"#;

#[test]
fn what_is_blocked_is_blocked_for_the_device_that_asks() {
    let world = World::new();
    let mut desired = office(CONTROL);
    desired.insert(Resource::decode(GAMES.as_bytes()).expect("a resource"));
    let mut fastpath = opened(&world, &desired);
    let games: BTreeSet<_> = ["games".parse().expect("a name")].into();
    let mac = |device: Device| Some(Mac::new(device.0).expect("unicast"));
    let blocked = Blocked::from([(None, games.clone()), (mac(PHONE), BTreeSet::new()), (mac(LAPTOP), games)]);
    fastpath.set_blocked(&"alice".parse().expect("a name"), &blocked).expect("a session");
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let tables = snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES);
    for r in [
        &mut Host { world: &world, tables } as &mut dyn Runner,
        &mut Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts },
    ] {
        let query = |device: Device, name| udp((device.1, 5353), (REMOTE, 53), 64, &Query::a(name).bytes);
        for device in [LAPTOP, PRINTER] {
            let Outcome::Redirect(answer) = r.up(&from_home(device.0, &query(device, "games.example")))
            else {
                panic!("answered")
            };
            assert_eq!((&answer[..6], &answer[38..42]), (&device.0[..], &device.1[..]), "to whoever asked");
            goes_out(r, device, &query(device, "free.example"));
        }
        goes_out(r, PHONE, &query(PHONE, "games.example"));
    }
}
