use std::{path::Path, time::Instant as StdInstant};

use access_protocols::dhcp4::{Binding, BindingChange};
use fastpath::{Extension, KernelEvent};
use net_types::Mac;
use node_state::Resource;

use super::{
    fakes::{Fake, chunk, port, session, status},
    *,
};

fn reconciler(dir: &Path, fake: &Fake) -> Reconciler<Fake> {
    let (store, kept) = Store::open(dir).expect("opens");
    Reconciler::new(Arc::new(store), kept, fake.clone(), status(dir))
}

async fn started(dir: &Path, fake: &Fake) -> Reconciler<Fake> {
    let mut reconciler = reconciler(dir, fake);
    reconciler.start(StdInstant::now()).await;
    fake.world().log.clear();
    reconciler
}

fn mac(last: u8) -> Mac {
    Mac::new([2, 0, 0, 0, 0, last]).expect("unicast")
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_sessions_are_changed_alone_and_all_else_is_compared() {
    let dir = tempfile::tempdir().expect("directory");
    let (fake, _events) = Fake::new(dir.path());
    let mut reconciler = started(dir.path(), &fake).await;
    let (alice, bob) = (session("alice", 1), session("bob", 2));
    let outcomes = reconciler.apply(chunk(1, &[port("access0", 1500), alice.clone()], &[])).await;
    assert_eq!(outcomes.expect("kept").len(), 2);
    assert_eq!(std::mem::take(&mut fake.world().log), ["kernel", "fastpath"]);
    let outcomes = reconciler.apply(chunk(2, std::slice::from_ref(&bob), &[alice.key()])).await;
    assert_eq!(outcomes, Ok(vec![(bob.key(), bob.version(), Ok(())), (alice.key(), REMOVED, Ok(()))]));
    assert_eq!(std::mem::take(&mut fake.world().log), ["2 changes"]);
    assert!(fake.world().maps.contains_key(&bob.key()) && !fake.world().maps.contains_key(&alice.key()));
    // A generation that changes nothing here touches nothing.
    assert_eq!(reconciler.apply(chunk(3, &[], &[])).await, Ok(vec![]));
    assert!(fake.world().log.is_empty());
    assert_eq!(reconciler.holdings().generation, Generation(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_the_outcome_of_its_resource_and_its_end_is_news() {
    let dir = tempfile::tempdir().expect("directory");
    let (fake, _events) = Fake::new(dir.path());
    let mut reconciler = started(dir.path(), &fake).await;
    let (access, alice) = (port("access0", 1500), session("alice", 1));
    let failed = Err("no such thing".to_owned());
    fake.world().refused.extend([access.key(), alice.key()]);
    let outcomes = reconciler.apply(chunk(1, &[access.clone(), alice.clone()], &[])).await;
    let told = [&access, &alice].map(|resource| (resource.key(), resource.version(), failed.clone()));
    assert_eq!(outcomes, Ok(told.to_vec()));
    reconciler.write_status();
    let written = std::fs::read_to_string(dir.path().join("run").join(StatusFile::FILE)).expect("written");
    let written: serde_json::Value = serde_json::from_str(&written).expect("JSON");
    assert_eq!(written["errors"]["session/alice"], "no such thing");
    assert_eq!((&written["programmed"], &written["errorCount"]), (&1.into(), &2.into()));
    fake.world().refused.remove(&access.key());
    reconciler.repair(Extent::Everything).await;
    let news = reconciler.news();
    assert_eq!(news.take().await, [(access.key(), access.version(), Ok(()))]);
    // What goes bad by itself is news too; what is unchanged is not told again.
    fake.world().refused.insert(access.key());
    reconciler.repair(Extent::Kernel).await;
    reconciler.repair(Extent::Kernel).await;
    assert_eq!(news.take().await, [(access.key(), access.version(), failed.clone())]);
    let mut held = reconciler.holdings().resources;
    held.sort();
    assert_eq!(held, told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_takes_over_what_is_there_and_a_reboot_restores_it() {
    let dir = tempfile::tempdir().expect("directory");
    let (fake, _events) = Fake::new(dir.path());
    let mut first = started(dir.path(), &fake).await;
    let alice = session("alice", 1);
    first.apply(chunk(7, &[port("access0", 1500), alice.clone()], &[])).await.expect("kept");
    let subscriber = alice.key().subscriber().expect("a session");
    let binding = Binding { mac: mac(9), expires_s: 5 };
    first.store.keep_bindings(&[(subscriber.clone(), BindingChange::Set(binding))], &[], &[]).expect("kept");
    let inventory = first.holdings();
    drop(first);
    let mut second = reconciler(dir.path(), &fake);
    assert_eq!(second.compare(Extent::Everything).await, (0, 0));
    let mut again = second.holdings();
    again.resources.sort();
    let mut before = inventory;
    before.resources.sort();
    assert_eq!(again, before);
    drop(second);
    let (fake, _events) = Fake::new(dir.path());
    let mut third = reconciler(dir.path(), &fake);
    assert_eq!(third.compare(Extent::Everything).await, (1, 2));
    assert_eq!(fake.world().macs.get(&subscriber), Some(&mac(9)));
}

/// Devices that have leases are told to the fast path again; those whose leases have ended are not.
#[tokio::test(flavor = "multi_thread")]
async fn devices_are_put_back_after_a_restart_and_go_when_the_session_has_other_addresses() {
    let dir = tempfile::tempdir().expect("directory");
    let (fake, _events) = Fake::new(dir.path());
    let mut first = started(dir.path(), &fake).await;
    let bridged = |block: u8| {
        let Resource::Session(alice) = session("alice", block) else { panic!("a session") };
        let network = format!("100.64.0.{block}/31").parse().expect("a prefix");
        Resource::Session(node_state::Session { devices: 2, network, ..alice })
    };
    first.apply(chunk(1, &[port("access0", 1500), bridged(4)], &[])).await.expect("kept");
    let subscriber = bridged(4).key().subscriber().expect("a session");
    let now = since_1970().as_secs();
    let bound = [(4, 10, now + 1000), (5, 11, now - 1000)].map(|(address, device, expires_s)| {
        ([100, 64, 0, address].into(), Binding { mac: mac(device), expires_s })
    });
    let leases = access_protocols::dhcp4::devices::Leases::new(bound);
    first.store.keep_bindings(&[], &[], &[(subscriber.clone(), leases)]).expect("kept");
    drop(first);
    let (fake, _events) = Fake::new(dir.path());
    let mut second = started(dir.path(), &fake).await;
    let told = |fake: &Fake| -> Vec<(u8, Mac)> {
        let world = fake.world();
        world.devices[&subscriber].iter().map(|device| (device.address.octets()[3], device.mac)).collect()
    };
    assert_eq!(told(&fake), [(4, mac(10))]);
    second.apply(chunk(2, &[bridged(8)], &[])).await.expect("kept");
    assert_eq!(told(&fake), []);
    assert!(second.leases.devices[&subscriber].all().next().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_before_any_effect_leaves_a_disk_that_knows_of_it() {
    let (dir, crashes) = (tempfile::tempdir().expect("directory"), tempfile::tempdir().expect("directory"));
    let (fake, _events) = Fake::new(dir.path());
    let mut reconciler = started(dir.path(), &fake).await;
    fake.world().crashes = Some(crashes.path().into());
    let (alice, bob) = (session("alice", 1), session("bob", 2));
    let histories: [(&[Resource], &[ResourceKey]); 4] = [
        (&[port("access0", 1500), alice.clone()], &[]),
        (std::slice::from_ref(&bob), &[]),
        (&[session("alice", 3)], &[bob.key()]),
        (&[port("access0", 1400)], &[alice.key()]),
    ];
    for (generation, (upserts, removes)) in (1..).zip(histories) {
        let before = fake.world().disks;
        reconciler.apply(chunk(generation, upserts, removes)).await.expect("kept");
        for disk in before..fake.world().disks {
            let (_, kept) = Store::open(&crashes.path().join(disk.to_string())).expect("opens after a crash");
            assert_eq!(kept.generation, Generation(generation));
            assert_eq!(kept.desired, reconciler.desired, "disk {disk}");
        }
        assert!(fake.world().disks > before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_repaired_when_the_kernel_tells_of_it() {
    let dir = tempfile::tempdir().expect("directory");
    let (fake, events) = Fake::new(dir.path());
    let mut reconciler = started(dir.path(), &fake).await;
    let access = port("access0", 1500);
    reconciler.apply(chunk(1, std::slice::from_ref(&access), &[])).await.expect("kept");
    fake.world().log.clear();
    let (requests, inbox) = mpsc::channel(1);
    let running = tokio::spawn(reconciler.run(inbox));
    fake.world().kernel.clear();
    for _ in 0..100 {
        events.send(Event::Routes).expect("heard");
    }
    let repaired = async {
        while fake.world().kernel.is_empty() {
            sleep(DEBOUNCE).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), repaired).await.expect("repaired");
    let passes = fake.world().log.iter().filter(|what| *what == "kernel").count();
    assert!(passes < 100, "{passes} comparisons for one burst");
    drop(requests);
    running.await.expect("ends well");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_office_begins_with_generation_0_and_the_resources_stay() {
    let dir = tempfile::tempdir().expect("directory");
    let (fake, _events) = Fake::new(dir.path());
    let mut reconciler = started(dir.path(), &fake).await;
    reconciler.apply(chunk(7, &[session("alice", 1)], &[])).await.expect("kept");
    let identity = Identity { office: vec![], certificate: vec![], key: vec![], token_digest: [0; 32] };
    let (reply, answer) = oneshot::channel();
    reconciler.serve(Request::KeepIdentity { identity, new_office: true, reply }).await;
    assert_eq!(answer.await, Ok(Ok(())));
    let holdings = reconciler.holdings();
    assert_eq!((holdings.generation, holdings.resources.len()), (Generation(0), 1));
}

/// Three frames that went out, and eleven that a line might not send.
fn tally() -> fastpath::Tally {
    let mut tally = fastpath::Tally::default();
    tally.ends[0] = 3;
    tally.drops[fastpath::DropReason::SourceMac as usize] = 11;
    tally
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nat_log_is_a_resource_that_says_what_is_wrong_with_it() {
    let dir = tempfile::tempdir().expect("directory");
    let (fake, events) = Fake::new(dir.path());
    let mut reconciler = started(dir.path(), &fake).await;
    let log = Resource::decode(
        br#"{"kind":"natLog","collector":"192.0.2.66:4739","observationDomain":7,"perFlow":true}"#,
    );
    let log = log.expect("decodes");
    let Resource::Session(mut alice) = session("alice", 1) else { panic!("a session") };
    alice.nat = Some(node_state::Nat { address: [198, 51, 100, 1].into(), first_port: 1024, ports: 64 });
    let alice = Resource::Session(alice);
    let unreachable = Err("Network is unreachable".to_owned());
    fake.world().export_ends = Some((0, unreachable.clone()));
    reconciler.apply(chunk(1, std::slice::from_ref(&log), &[])).await.expect("kept");
    reconciler.tell_log();
    let news = reconciler.news();
    assert_eq!(news.take().await, [(log.key(), log.version(), unreachable.map(drop))]);
    fake.world().export_ends = None;
    fake.world().losses.events = 2;
    fake.world().tally = Some(tally());
    // A session that changes alone is compared alone.
    reconciler.apply(chunk(2, std::slice::from_ref(&alice), &[])).await.expect("kept");
    let (requests, inbox) = mpsc::channel(1);
    let running = tokio::spawn(reconciler.run(inbox));
    assert_eq!(news.take().await, [(log.key(), log.version(), Ok(()))], "it tries again by itself");
    events.send(Event::Nat(Vec::new())).expect("heard");
    drop(requests);
    running.await.expect("ends well");
    let told = news.counters();
    let of = |name: &str| told.get(name).copied();
    assert_eq!(
        [of("drops.source_mac.volt"), of("drops.arp.volt"), of("drops.arp.vbng")],
        [Some(11), Some(0), None]
    );
    assert_eq!(
        [of("stages.volt.up.in"), of("stages.volt.up.out"), of("stages.vbng.up.out")],
        [Some(14), Some(3), Some(3)]
    );
    let written = std::fs::read_to_string(dir.path().join("run").join(StatusFile::FILE)).expect("written");
    let written: serde_json::Value = serde_json::from_str(&written).expect("JSON");
    let shown = &written["natLog"];
    assert_eq!((&shown["collector"], &shown["blocks"]), (&"192.0.2.66:4739".into(), &1.into()), "{shown}");
    assert_eq!((&shown["waiting"], &shown["dropped"]), (&0.into(), &2.into()), "{shown}");
    assert_eq!(written["losses"]["events"], 2);
    assert_eq!(written["frames"]["drops"], serde_json::json!({"source_mac": {"volt": 11}}));
    let volt = serde_json::json!({"in": 14, "out": 3, "turned": 0, "answered": 0, "userSpace": 0, "kernel": 0,
                                  "dropped": 11});
    assert_eq!(written["frames"]["stages"]["volt"]["up"], volt);
    // Without a collector nobody is told.
    let mut again = self::reconciler(dir.path(), &fake);
    again.compare(Extent::Everything).await;
    again.apply(chunk(3, &[], &[log.key()])).await.expect("kept");
    fake.world().log.clear();
    again.tell_log();
    assert!(fake.world().log.is_empty());
}

/// What the kernel asks for is given, counted and told, each as it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_ports_are_exhausted_gets_more_of_them() {
    let dir = tempfile::tempdir().expect("directory");
    let (fake, events) = Fake::new(dir.path());
    let mut reconciler = started(dir.path(), &fake).await;
    let log = br#"{"kind":"natLog","collector":"192.0.2.66:4739","observationDomain":7,"perFlow":false}"#;
    let log = Resource::decode(log).expect("decodes");
    let Resource::Session(mut alice) = session("alice", 1) else { panic!("a session") };
    alice.nat = Some(node_state::Nat { address: [198, 51, 100, 1].into(), first_port: 1024, ports: 64 });
    let asks = || Event::Nat(vec![KernelEvent::PortsExhausted { session: 1 }]);
    reconciler.apply(chunk(1, &[log], &[])).await.expect("kept");
    reconciler.apply(chunk(2, &[Resource::Session(alice)], &[])).await.expect("kept");
    reconciler.hear(asks()).await;
    fake.world().denied = Some(Extension::Quota { blocks: 1 });
    reconciler.hear(asks()).await;
    fake.world().denied = Some(Extension::NoneFree);
    reconciler.hear(asks()).await;
    reconciler.hear(Event::Nat(vec![KernelEvent::PortsExhausted { session: 7 }])).await;
    let blocks = |reconciler: &mut Reconciler<Fake>| reconciler.nat_log.status(0).expect("it has one").blocks;
    assert_eq!(blocks(&mut reconciler), 2);
    reconciler.reclaim_nat();
    assert_eq!(blocks(&mut reconciler), 1);
    let (requests, inbox) = mpsc::channel(1);
    let running = tokio::spawn(reconciler.run(inbox));
    drop((requests, events));
    running.await.expect("ends well");
    let written = std::fs::read_to_string(dir.path().join("run").join(StatusFile::FILE)).expect("written");
    let written: serde_json::Value = serde_json::from_str(&written).expect("JSON");
    let expected = serde_json::json!({"given": 1, "overQuota": 1, "noneFree": 1});
    assert_eq!(written["natOverflow"], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_that_the_kernel_has_extended_are_kept_each_quarter_of_their_time() {
    let dir = tempfile::tempdir().expect("directory");
    let (fake, _events) = Fake::new(dir.path());
    let mut first = started(dir.path(), &fake).await;
    let (alice, mut bob, carol) = (session("alice", 1), session("bob", 2), session("carol", 3));
    let Resource::Session(configured) = &mut bob else { panic!("a session") };
    configured.mac = Some(mac(2));
    let [a, b, c] = [&alice, &bob, &carol].map(|one| one.key().subscriber().expect("a session"));
    first.apply(chunk(1, &[alice, bob, carol], &[])).await.expect("kept");
    let binding = |last: u8, expires_s| Binding { mac: mac(last), expires_s };
    let kept = [(a.clone(), binding(1, 10_000)), (c.clone(), binding(3, 10_000))];
    for (name, binding) in &kept {
        let set = [(name.clone(), BindingChange::Set(*binding))];
        first.store.keep_bindings(&set, &[], &[]).expect("kept");
    }
    drop(first);
    // An agent that starts anew reads what the kernel has done meanwhile. The lease is for an hour.
    let given = |fake: &Fake, all: [(&Name, Binding); 3]| {
        fake.world().given = all.map(|(name, binding)| (name.clone(), binding)).into();
    };
    given(&fake, [(&a, binding(1, 10_900)), (&b, binding(2, 20_000)), (&c, binding(9, 99_999))]);
    let mut second = started(dir.path(), &fake).await;
    let expected = HashMap::from([
        (a.clone(), binding(1, 10_900)),
        // Of a configured device nothing had to be kept before.
        (b.clone(), binding(2, 20_000)),
        // The kernel speaks of a device that the lease was taken from.
        (c.clone(), binding(3, 10_000)),
    ]);
    assert_eq!(second.leases.v4, expected);
    given(&fake, [(&a, binding(1, 11_799)), (&b, binding(2, 19_000)), (&c, binding(9, 99_999))]);
    second.keep_extended();
    assert_eq!(second.leases.v4, expected, "not a quarter yet, and not backwards");
    given(&fake, [(&a, binding(1, 11_800)), (&b, binding(2, 19_000)), (&c, binding(9, 99_999))]);
    second.keep_extended();
    drop(second);
    let (_store, kept) = Store::open(dir.path()).expect("opens");
    assert_eq!(kept.leases.v4[&a], binding(1, 11_800));
    assert_eq!((kept.leases.v4[&b], kept.leases.v4[&c]), (expected[&b], expected[&c]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_blocked_follows_the_clock_and_touches_nothing_else() {
    let dir = tempfile::tempdir().expect("directory");
    let (fake, _events) = Fake::new(dir.path());
    let mut reconciler = started(dir.path(), &fake).await;
    let control = r#""parentalControl":{"utcOffset":"+01:00","rules":[{"lists":["malware"]},
        {"lists":["games"],"times":[{"from":"21:00","to":"07:00"}]}]}"#;
    let text = String::from_utf8(session("alice", 1).encode()).expect("JSON");
    let text = format!("{},{control}}}", text.strip_suffix('}').expect("an object"));
    let alice = Resource::decode(text.as_bytes()).expect("decodes");
    reconciler.apply(chunk(1, &[port("access0", 1500), session("bob", 2)], &[])).await.expect("kept");
    assert_eq!(reconciler.blocking.wait(since_1970()), None);
    reconciler.apply(chunk(2, &[alice], &[])).await.expect("kept");
    assert!(
        fake.world().log.ends_with(&["1 changes".into(), "block alice".into()]),
        "{:?}",
        fake.world().log
    );
    let lists = |reconciler: &mut Reconciler<Fake>, seconds| {
        fake.world().log.clear();
        reconciler.block_all(Duration::from_secs(seconds));
        assert_eq!(fake.world().log, ["block alice"]);
        let blocked = fake.world().blocked.values().next().expect("alice's").clone();
        blocked[&None].iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let day = 20_000 * 24 * 3600;
    assert_eq!(lists(&mut reconciler, day + 20 * 3600 - 1), ["malware"]);
    assert_eq!(lists(&mut reconciler, day + 20 * 3600), ["games", "malware"]);
    assert_eq!(lists(&mut reconciler, day + 30 * 3600), ["malware"]);
    assert!(reconciler.blocking.wait(since_1970()).is_some());
}
