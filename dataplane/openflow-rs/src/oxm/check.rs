use core::fmt;

use super::{CtState, FieldInfo, Match, OxmRef, Prerequisite, fields};
use crate::VlanVid;

const ETH_IPV4: u16 = 0x0800;
const ETH_ARP: u16 = 0x0806;
const ETH_RARP: u16 = 0x8035;
const ETH_IPV6: u16 = 0x86dd;
const ETH_MPLS: [u16; 2] = [0x8847, 0x8848];
const ETH_PBB: u16 = 0x88e7;
const ETH_NSH: u16 = 0x894f;
/// TCP, UDP and SCTP.
const PORTS: [u8; 3] = [6, 17, 132];
const NEIGHBOUR_SOLICITATION: u8 = 135;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;

/// Why a switch would refuse a match (section 7.2.3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchError {
    /// The field is there without what it needs before it.
    Prerequisite(&'static FieldInfo),
    /// The field is there more than once.
    Duplicate(&'static FieldInfo),
    /// The field cannot have a mask.
    Mask(&'static FieldInfo),
}

impl fmt::Display for MatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prerequisite(info) => {
                write!(f, "{} needs {:?} before it", info.name, info.prerequisite)
            }
            Self::Duplicate(info) => write!(f, "{} is there twice", info.name),
            Self::Mask(info) => write!(f, "{} cannot have a mask", info.name),
        }
    }
}

impl core::error::Error for MatchError {}

/// What has been said so far that others may need.
#[derive(Default)]
struct Said {
    in_port: bool,
    vlan: bool,
    eth_type: Option<u16>,
    ip_proto: Option<u8>,
    icmpv6_type: Option<u8>,
    connection: bool,
    ct_nw_proto: Option<u8>,
}

impl Match {
    /// Whether fields are there once, after what they need, and with masks only where they can have them. Of fields
    /// that are not known nothing is said.
    pub fn check(&self) -> Result<(), MatchError> {
        let mut said = Said::default();
        for (before, oxm) in self.iter().enumerate() {
            let Some(info) = oxm.id.info() else { continue };
            if !said.allow(info.prerequisite) {
                return Err(MatchError::Prerequisite(info));
            }
            if oxm.mask.is_some() && !info.maskable {
                return Err(MatchError::Mask(info));
            }
            let same = |other: OxmRef<'_>| {
                (other.id.class(), other.id.number(), other.id.experimenter_id())
                    == (oxm.id.class(), oxm.id.number(), oxm.id.experimenter_id())
            };
            if self.iter().take(before).any(same) {
                return Err(MatchError::Duplicate(info));
            }
            said.hear(&oxm);
        }
        Ok(())
    }
}

/// Whether a state is that of a packet of a connection (`is_ct_valid` of Open vSwitch's `lib/flow.h`).
fn is_connection(oxm: &OxmRef<'_>) -> bool {
    let Some(state) = oxm.value(fields::CT_STATE) else { return false };
    let mask = oxm.mask(fields::CT_STATE).unwrap_or(CtState::all());
    let of_one = CtState::NEW
        | CtState::ESTABLISHED
        | CtState::RELATED
        | CtState::REPLY
        | CtState::SOURCE_NAT
        | CtState::DESTINATION_NAT;
    let not_invalid = mask.contains(CtState::INVALID) && !state.contains(CtState::INVALID);
    state.intersects(of_one) || (state.contains(CtState::TRACKED) && not_invalid)
}

impl Said {
    fn hear(&mut self, oxm: &OxmRef<'_>) {
        self.in_port |= oxm.is(fields::IN_PORT) || oxm.is(fields::NXM_IN_PORT);
        let tci_tagged = |tci: u16| tci & 0x1000 != 0;
        self.vlan |= oxm.value(fields::VLAN_VID).is_some_and(|_: VlanVid| true)
            || oxm.value(fields::NXM_VLAN_TCI).is_some_and(tci_tagged);
        self.connection |= is_connection(oxm);
        if oxm.mask.is_none() {
            let eth_type = oxm.value(fields::ETH_TYPE).or(oxm.value(fields::NXM_ETH_TYPE));
            let ip_proto = oxm.value(fields::IP_PROTO).or(oxm.value(fields::NXM_IP_PROTO));
            let icmpv6_type = oxm.value(fields::ICMPV6_TYPE).or(oxm.value(fields::NXM_ICMPV6_TYPE));
            self.ct_nw_proto = self.ct_nw_proto.or(oxm.value(fields::CT_NW_PROTO));
            self.eth_type = self.eth_type.or(eth_type);
            self.ip_proto = self.ip_proto.or(ip_proto);
            self.icmpv6_type = self.icmpv6_type.or(icmpv6_type);
        }
    }

    fn allow(&self, prerequisite: Prerequisite) -> bool {
        let eth = |number| self.eth_type == Some(number);
        let ip = eth(ETH_IPV4) || eth(ETH_IPV6);
        let proto = |number| self.ip_proto == Some(number);
        let icmpv6 = eth(ETH_IPV6) && proto(58);
        let nd = |kind| icmpv6 && self.icmpv6_type == Some(kind);
        match prerequisite {
            Prerequisite::Nothing => true,
            Prerequisite::InPort => self.in_port,
            Prerequisite::Vlan => self.vlan,
            Prerequisite::Ip => ip,
            Prerequisite::Ipv4 => eth(ETH_IPV4),
            Prerequisite::Ipv6 => eth(ETH_IPV6),
            Prerequisite::Arp => eth(ETH_ARP) || eth(ETH_RARP),
            Prerequisite::Mpls => ETH_MPLS.into_iter().any(eth),
            Prerequisite::Pbb => eth(ETH_PBB),
            Prerequisite::Nsh => eth(ETH_NSH),
            Prerequisite::Ct => self.connection,
            Prerequisite::CtIpv4 => self.connection && eth(ETH_IPV4),
            Prerequisite::CtIpv6 => self.connection && eth(ETH_IPV6),
            Prerequisite::CtPorts => {
                self.connection && ip && self.ct_nw_proto.is_some_and(|proto| PORTS.contains(&proto))
            }
            Prerequisite::Tcp => ip && proto(6),
            Prerequisite::Udp => ip && proto(17),
            Prerequisite::Sctp => ip && proto(132),
            Prerequisite::Icmpv4 => eth(ETH_IPV4) && proto(1),
            Prerequisite::Icmpv6 => icmpv6,
            Prerequisite::Nd => nd(NEIGHBOUR_SOLICITATION) || nd(NEIGHBOUR_ADVERTISEMENT),
            Prerequisite::NdSolicitation => nd(NEIGHBOUR_SOLICITATION),
            Prerequisite::NdAdvertisement => nd(NEIGHBOUR_ADVERTISEMENT),
        }
    }
}
