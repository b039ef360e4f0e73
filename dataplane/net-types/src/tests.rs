use core::fmt::Display;

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
    fn text_round_trips(rate in BitRate::MIN..=BitRate::MAX, bits: u32, len in 0u8..=32, octets: [u8; 6]) {
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
        if let Ok(mac) = Mac::new(octets) {
            prop_assert_eq!(mac.to_string().parse(), Ok(mac));
        }
    }

    #[test]
    fn parsers_never_panic(text: alloc::string::String) {
        let _ = format!("{:?}", (
            text.parse::<BitRate>(), text.parse::<Prefix4>(), text.parse::<Mac>(),
            text.parse::<IfName>(), text.parse::<Name>(), text.parse::<Tpid>(),
        ));
    }
}
