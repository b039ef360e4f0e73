//! Whether a session's devices can each have an address of their own.

use map_abi::DEVICES_MAX;
use net_types::Prefix4;
use node_state::Session;

const _: () = assert!(Session::DEVICES_MAX as u32 == DEVICES_MAX, "there is room for all that are accepted");

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DevicesError {
    #[error("devices is {0}, not 1 to {max}", max = Session::DEVICES_MAX)]
    Count(u8),
    #[error("devices: several are told apart by what DHCP leases to them, not with {0}")]
    Not(&'static str),
    #[error("devices: {network} has no {devices} addresses for them")]
    Network { network: Prefix4, devices: u8 },
}

/// Refuses what the kernel could not keep apart.
pub fn check_devices(session: &Session) -> Result<(), DevicesError> {
    let Session { devices, network, .. } = *session;
    if !(1..=Session::DEVICES_MAX).contains(&devices) {
        return Err(DevicesError::Count(devices));
    }
    if !session.has_devices() {
        return Ok(());
    }
    let others = [
        (session.mac.is_some(), "mac"),
        (session.nat_address.is_some(), "natAddress"),
        (!session.more_networks.is_empty(), "moreNetworks"),
        (session.ipv6.is_some(), "ipv6"),
    ];
    if let Some((_, other)) = others.into_iter().find(|(is_there, _)| *is_there) {
        return Err(DevicesError::Not(other));
    }
    // The kernel reckons a device's address from the block's first.
    let is_block = session.nat.is_none() || network.size() == u64::from(devices).next_power_of_two();
    let has_all = session.device_addresses().count() >= usize::from(devices);
    if is_block && has_all { Ok(()) } else { Err(DevicesError::Network { network, devices }) }
}

#[cfg(test)]
mod tests {
    use node_state::Resource;

    use super::*;

    const NAT: &str = r#""nat":{"address":"198.51.100.1","firstPort":1024,"ports":64}"#;
    const NO_NAT: &str = r#""nat":null"#;
    const OF_POOL: &str = r#""lease":"100.64.0.4/16","gateway":"100.64.0.1","network":"100.64.0.4/30""#;
    const ROUTED: &str = r#""lease":"203.0.113.10/29","gateway":"203.0.113.9","network":"203.0.113.8/29""#;

    /// With three devices behind NAT, but for what is replaced.
    fn session(replaced: &[(&str, &str)]) -> Session {
        let text = format!(
            r#"{{"kind":"session","subscriber":"alice","port":"access0","tags":{{"sVid":100,"cVid":7}},"state":"active","mac":null,"devices":3,{OF_POOL},"dnsServers":[],"leaseSeconds":3600,{NAT},"rateUp":null,"rateDown":null}}"#
        );
        let text = replaced.iter().fold(text, |text, (from, to)| text.replace(from, to));
        let Ok(Resource::Session(session)) = Resource::decode(text.as_bytes()) else { panic!("a session") };
        session
    }

    /// What is replaced, and what is said.
    type Case = (&'static [(&'static str, &'static str)], &'static str);

    #[test]
    fn each_device_has_an_address_and_nothing_else_tells_them_apart() {
        const FINE: &str = "as it should be";
        let cases: [Case; 11] = [
            (&[], FINE),
            (&[(":3,", ":4,")], FINE),
            (&[(":3,", ":5,")], "devices: 100.64.0.4/30 has no 5 addresses for them"),
            (&[(":3,", ":2,")], "devices: 100.64.0.4/30 has no 2 addresses for them"),
            (&[(":3,", ":0,")], "devices is 0, not 1 to 32"),
            (&[(":3,", ":33,")], "devices is 33, not 1 to 32"),
            (&[(OF_POOL, ROUTED), (NAT, NO_NAT)], FINE),
            (&[(OF_POOL, ROUTED), (NAT, NO_NAT), (":3,", ":5,")], FINE),
            (
                &[(OF_POOL, ROUTED), (NAT, NO_NAT), (":3,", ":6,")],
                "devices: 203.0.113.8/29 has no 6 addresses for them",
            ),
            (
                &[(r#""mac":null"#, r#""mac":"02:00:00:00:00:01""#)],
                "devices: several are told apart by what DHCP leases to them, not with mac",
            ),
            (
                &[(NAT, r#""nat":null,"natAddress":"203.0.113.9""#)],
                "devices: several are told apart by what DHCP leases to them, not with natAddress",
            ),
        ];
        for (replaced, expected) in cases {
            let said = match check_devices(&session(replaced)) {
                Ok(()) => FINE.to_owned(),
                Err(error) => error.to_string(),
            };
            assert_eq!(said, expected, "{replaced:?}");
        }
    }

    #[test]
    fn addresses_are_given_in_order_and_those_of_the_office_to_nobody() {
        let of = |session: &Session| session.device_addresses().map(|a| a.to_string()).collect::<Vec<_>>();
        let block = session(&[]);
        assert_eq!(of(&block), ["100.64.0.4", "100.64.0.5", "100.64.0.6", "100.64.0.7"]);
        let routed = session(&[(OF_POOL, ROUTED), (NAT, NO_NAT)]);
        assert_eq!(of(&routed), ["203.0.113.10", "203.0.113.11", "203.0.113.12", "203.0.113.13"]);
        assert_eq!(of(&Session { devices: 5, ..routed })[4..], ["203.0.113.14"]);
    }
}
