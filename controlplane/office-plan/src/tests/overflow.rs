//! Ports that are lent.

use node_state::NatOverflow;
use serde_json::json;
use xos_model::{AddressPoolSpec, SubscriberStatus};

use super::*;

/// The pools of the other tests, of whose public addresses so many ports are lent.
fn lending(ports: u16) -> NodePools {
    let change = |pool: &NodePool| {
        let mut pool = pool.clone();
        if pool.name.as_str() == "public" {
            pool.spec = AddressPoolSpec { overflow_ports: Some(ports), ..pool.spec };
        }
        pool
    };
    NodePools::new(pools().iter().map(change).collect())
}

#[test]
fn what_is_lent_is_nobodys_own() {
    let all = |pools: &NodePools| {
        let (mut book, mut hints, mut blocks) = (Book::default(), Hints::default(), Vec::new());
        let subscriber = spec(json!({}));
        while let Ok(given) = allocate(&subscriber, &SubscriberStatus::default(), pools, &book, &mut hints) {
            let mut status = SubscriberStatus::default();
            given.write_to(&mut status);
            let nat = status.nat.expect("NAT");
            blocks.push((nat.address.octets()[3], nat.first_port));
            let holder: Name = format!("s{}", blocks.len()).parse().expect("a name");
            for claim in claims_of(&subscriber, &status) {
                book.claims.insert(claim.to_string(), holder.clone());
            }
        }
        blocks
    };
    let (first, second, third) = (16_384, 32_768, 49_152);
    assert_eq!(
        all(&pools()),
        [(1, first), (1, second), (1, third), (2, first), (2, second), (2, third)],
        "of an address"
    );
    assert_eq!(all(&lending(16_384)), [(1, first), (1, second), (2, first), (2, second)]);
    // Who has a block in there keeps it.
    let mut status = SubscriberStatus::default();
    let nat = xos_model::NatBlock { address: [198, 51, 100, 2].into(), first_port: third, ports: 16_384 };
    status.nat = Some(nat);
    let kept = allocate(&spec(json!({})), &status, &lending(16_384), &Book::default(), &mut Hints::default());
    assert_eq!(kept.expect("allocated").nat, Some(nat));
}

#[test]
fn a_session_is_told_what_it_may_borrow() {
    let status = json!({"observedGeneration": 1, "address": "100.64.0.2", "gateway": "100.64.0.1",
                        "nat": {"address": "198.51.100.1", "firstPort": 16384, "ports": 16384}});
    let of = |bundle: serde_json::Value, pools: &NodePools| {
        let subscriber = subscriber(json!({"bundle": bundle}), &status);
        session(&subscriber, &office(), pools).expect("allocated").nat_overflow
    };
    let lends = |blocks| Some(NatOverflow { first_port: 49_152, ports: 16_384, blocks });
    assert_eq!(of(json!({}), &pools()), None);
    assert_eq!(of(json!({"overflowBlocks": 2}), &pools()), None);
    assert_eq!(of(json!({}), &lending(16_384)), lends(1));
    assert_eq!(of(json!({"overflowBlocks": 2}), &lending(16_384)), lends(2));
    assert_eq!(of(json!({"overflowBlocks": 0}), &lending(16_384)), None);
}
