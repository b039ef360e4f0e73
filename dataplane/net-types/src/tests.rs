use core::{fmt::Display, net::Ipv6Addr};

use alloc::{format, string::ToString};
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

use super::*;

fn accepts<T: DeserializeOwned + Serialize>(json: &str) {
    let value: T = serde_json::from_str(json).unwrap_or_else(|e| panic!("{json}: {e}"));
    assert_eq!(serde_json::to_string(&value).expect("serializes"), json);
}

fn refuses<T: DeserializeOwned + core::fmt::Debug>(json: &str, why: impl Display) {
    let error = serde_json::from_str::<T>(json).expect_err(json).to_string();
    assert!(error.starts_with(&why.to_string()), "{json}: {error}");
}

#[test]
fn vlan_identifiers() {
    accepts::<Vid>("1");
    accepts::<Vid>("4094");
    refuses::<Vid>("0", VidError(0));
    refuses::<Vid>("4095", VidError(4095));
    accepts::<Tpid>(r#""0x88a8""#);
    accepts::<Tpid>(r#""0x8100""#);
    refuses::<Tpid>(r#""0x9100""#, TpidError);
}

#[test]
fn limits_of_broadcast_frames() {
    accepts::<BroadcastLimit>("1");
    accepts::<BroadcastLimit>("100000");
    refuses::<BroadcastLimit>("0", BroadcastLimitError(0));
    refuses::<BroadcastLimit>("100001", BroadcastLimitError(100_001));
    assert_eq!(BroadcastLimit::default().per_second(), 100);
}

#[test]
fn vxlan_network_identifiers() {
    accepts::<Vni>("1");
    accepts::<Vni>("16777215");
    refuses::<Vni>("0", VniError(0));
    refuses::<Vni>("16777216", VniError(16_777_216));
}

#[test]
fn ethernet_addresses() {
    accepts::<Mac>(r#""02:00:5e:10:00:01""#);
    refuses::<Mac>(r#""ff:ff:ff:ff:ff:ff""#, MacError::Group);
    refuses::<Mac>(r#""00:00:00:00:00:00""#, MacError::Zero);
    refuses::<Mac>(r#""2:0:5e:10:0:1""#, MacError::Syntax);
    refuses::<Mac>(r#""02:00:5e:10:00:01:02""#, MacError::Syntax);
}

#[test]
fn collectors() {
    accepts::<Collector>(r#""192.0.2.9:4739""#);
    accepts::<Collector>(r#""[2001:db8::9]:4739""#);
    refuses::<Collector>(r#""192.0.2.9:0""#, CollectorError::Port);
    for wrong in ["0.0.0.0:1", "224.0.0.1:1", "255.255.255.255:1", "[::]:1", "[ff02::1]:1", "[fe80::1]:1"] {
        refuses::<Collector>(&format!("\"{wrong}\""), CollectorError::Address);
    }
    for wrong in ["192.0.2.9", "2001:db8::9:4739", "collector.example:4739", "192.0.2.9:65536", ""] {
        refuses::<Collector>(&format!("\"{wrong}\""), CollectorError::Syntax);
    }
}

#[test]
fn names() {
    accepts::<IfName>(r#""eth0.100""#);
    refuses::<IfName>(r#""a-name-too-long-""#, IfNameError::Length);
    refuses::<IfName>(r#""a/b""#, IfNameError::Character);
    accepts::<Name>(r#""alice-2""#);
    refuses::<Name>(r#""-alice""#, NameError::Character);
    refuses::<Name>(r#""Alice""#, NameError::Character);
    refuses::<Name>(r#""""#, NameError::Length);
}

#[test]
fn prefixes() {
    accepts::<Prefix4>(r#""198.51.100.0/24""#);
    accepts::<Prefix4>(r#""0.0.0.0/0""#);
    refuses::<Prefix4>(r#""198.51.100.1/24""#, "the prefix has host bits set; write 198.51.100.0/24");
    refuses::<Prefix4>(r#""198.51.100.0/33""#, PrefixError::Syntax);
    refuses::<Prefix4>(r#""198.51.100.0""#, PrefixError::Syntax);
    accepts::<Prefix>(r#""198.51.100.0/24""#);
    accepts::<Prefix>(r#""2001:db8::/32""#);
    refuses::<Prefix>(r#""198.51.100.1/24""#, "the prefix has host bits set; write 198.51.100.0/24");
    refuses::<Prefix>(r#""2001:db8::1/32""#, "the prefix has host bits set; write 2001:db8::/32");
    refuses::<Prefix>(r#""2001:db8::/129""#, Prefix6Error::Syntax);
    refuses::<Prefix>(r#""everywhere""#, AnyPrefixError::Syntax);
    accepts::<Prefix6>(r#""2001:db8::/32""#);
    accepts::<Prefix6>(r#""::/0""#);
    accepts::<Prefix6>(r#""::ffff:192.0.2.0/120""#);
    refuses::<Prefix6>(r#""2001:db8::1/64""#, "the prefix has host bits set; write 2001:db8::/64");
    refuses::<Prefix6>(r#""2001:db8::/129""#, Prefix6Error::Syntax);
    refuses::<Prefix6>(r#""2001:db8::""#, Prefix6Error::Syntax);
    refuses::<Prefix6>(r#""198.51.100.0/24""#, Prefix6Error::Syntax);
    assert_eq!(Prefix6::new(Ipv6Addr::UNSPECIFIED, 129), Err(Prefix6Error::Length(129)));
}

#[test]
fn subnets_of_an_ipv6_prefix() {
    let prefix = |text: &str| text.parse::<Prefix6>().expect("a prefix");
    let pool = prefix("2001:db8::/40");
    for (len, index, subnet) in [
        (56, 0, Some("2001:db8::/56")),
        (56, 0x102, Some("2001:db8:1:200::/56")),
        (56, 0xffff, Some("2001:db8:ff:ff00::/56")),
        (56, 0x1_0000, None),
        (40, 0, Some("2001:db8::/40")),
        (40, 1, None),
        (39, 0, None),
        (128, 1, Some("2001:db8::1/128")),
        (129, 0, None),
    ] {
        assert_eq!(pool.nth_subnet(len, index), subnet.map(prefix), "/{len} number {index}");
    }
    let all = prefix("::/0");
    let last = prefix("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
    assert_eq!((all.nth_subnet(128, u128::MAX), all.index_of_subnet(last)), (Some(last), Some(u128::MAX)));
    assert_eq!((all.nth_subnet(0, 0), all.nth_subnet(0, 1)), (Some(all), None));
    assert_eq!(pool.index_of_subnet(prefix("2001:db9::/56")), None);
    assert_eq!(pool.index_of_subnet(prefix("2001:db7::/56")), None);
    assert_eq!(pool.index_of_subnet(all), None);
}

/// The example of RFC 2464, section 4, and what Linux makes of an address of the local kind.
#[test]
fn link_local_addresses() {
    for (mac, address) in
        [("34:56:78:9a:bc:de", "fe80::3656:78ff:fe9a:bcde"), ("02:00:5e:10:00:01", "fe80::5eff:fe10:1")]
    {
        let mac: Mac = mac.parse().expect("an address");
        assert_eq!(mac.link_local().to_string(), address);
    }
}

#[test]
fn bit_rates() {
    accepts::<BitRate>(r#""100M""#);
    accepts::<BitRate>(r#""1G""#);
    accepts::<BitRate>(r#""2500M""#);
    accepts::<BitRate>(r#""128001""#);
    refuses::<BitRate>(r#""127k""#, BitRateError::Range);
    refuses::<BitRate>(r#""101G""#, BitRateError::Range);
    refuses::<BitRate>(r#""99999999999999999999G""#, BitRateError::Range);
    refuses::<BitRate>(r#""MM""#, BitRateError::Syntax);
    refuses::<BitRate>(r#""1MM""#, BitRateError::Syntax);
}

proptest! {
    #[test]
    fn text_round_trips(
        rate in BitRate::MIN..=BitRate::MAX, bits: u32, len in 0u8..=32, octets: [u8; 6],
        bits6: u128, len6 in 0u8..=128, longer: u8, index: u128,
    ) {
        let rate = BitRate::from_bits_per_second(rate).expect("in range");
        prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
        let prefix = Prefix4::new((bits & mask).into(), len).expect("canonical");
        prop_assert_eq!(prefix.to_string().parse(), Ok(prefix));
        for offset in [0, prefix.size() / 2, prefix.size() - 1] {
            let address = prefix.nth(offset).expect("inside");
            prop_assert_eq!(prefix.offset_of(address), Some(offset));
        }
        prop_assert_eq!(prefix.nth(prefix.size()), None);
        let mask = u128::MAX.checked_shl(128 - u32::from(len6)).unwrap_or(0);
        let prefix = Prefix6::new((bits6 & mask).into(), len6).expect("canonical");
        prop_assert_eq!(prefix.to_string().parse(), Ok(prefix));
        for offset in [0, !mask / 2, !mask] {
            let address = prefix.nth(offset).expect("inside");
            prop_assert!(prefix.contains(address));
            prop_assert_eq!(prefix.offset_of(address), Some(offset));
        }
        prop_assert_eq!((!mask).checked_add(1).and_then(|beyond| prefix.nth(beyond)), None);
        let subnet_len = len6 + longer % (129 - len6);
        let index = index & !u128::MAX.checked_shl((subnet_len - len6).into()).unwrap_or(0);
        let subnet = prefix.nth_subnet(subnet_len, index).expect("inside");
        prop_assert!(prefix.contains_prefix(subnet));
        prop_assert_eq!(prefix.index_of_subnet(subnet), Some(index));
        if let Ok(mac) = Mac::new(octets) {
            prop_assert_eq!(mac.to_string().parse(), Ok(mac));
        }
    }

    #[test]
    fn parsers_never_panic(text: alloc::string::String) {
        let _ = format!("{:?}", (
            text.parse::<BitRate>(), text.parse::<Prefix4>(), text.parse::<Prefix6>(), text.parse::<Mac>(),
            text.parse::<IfName>(), text.parse::<Name>(), text.parse::<Tpid>(),
        ));
    }
}
