//! Claims: what one subscriber, or machine, holds and no other can hold at the same time.

use std::{fmt, net::Ipv4Addr};

use net_types::{IfName, Mac, Name, Prefix4, Prefix6, Vid};
use node_state::AccessTags;
use xos_model::{Access, SubscriberSpec, SubscriberStatus};

use crate::allocate::hosts;

/// Something that has at most one holder. Its text is the key under which the holder's name is stored.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// What comes in by an access port with these tags; or only what one device sends, if the subscriber names its own.
    Line { node: Name, port: IfName, tags: AccessTags, mac: Option<Mac> },
    /// An inside address; nodes may use the same ones, as NAT is between them.
    Address { node: Name, address: Ipv4Addr },
    /// A port block, by its first port.
    Block { address: Ipv4Addr, first_port: u16 },
    /// A routed subnet.
    Subnet(Prefix4),
    /// A link's prefix of IPv6, or one that is delegated. Pools overlap nowhere, and what is given of one is of one length:
    /// so no two of these overlap.
    Subnet6(Prefix6),
    /// A machine's place on its node; there are as many as machines.
    Placed { node: Name, slice: Name, instance: Name },
}

impl fmt::Display for Claim {
    /// Numbers have a fixed width, so that keys sort as what they stand for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { node, port, tags, mac } => {
                write!(f, "{}", Self::tags_of_line(node, port, *tags))?;
                mac.map_or(Ok(()), |mac| write!(f, "/{mac}"))
            }
            Self::Address { node, address } => write!(f, "address/{node}/{:08x}", address.to_bits()),
            Self::Block { address, first_port } => {
                write!(f, "block/{:08x}/{first_port:05}", address.to_bits())
            }
            Self::Subnet(subnet) => {
                write!(f, "subnet/{:08x}/{:02}", subnet.network().to_bits(), subnet.len())
            }
            Self::Subnet6(subnet) => {
                write!(f, "{}{:032x}/{:03}", Self::SUBNETS6, subnet.network().to_bits(), subnet.len())
            }
            Self::Placed { node, slice, instance } => write!(f, "{}{node}/{slice}/{instance}", Self::PLACED),
        }
    }
}

impl Claim {
    /// What the keys of all tags begin with: every subscriber holds some.
    pub const TAGS: &str = "tags/";

    /// What the keys of all subnets of IPv6 begin with; then comes the network as 32 hexadecimal digits.
    pub const SUBNETS6: &str = "subnet6/";

    /// What the keys of all places of machines begin with.
    pub const PLACED: &str = "placed/";

    /// The node and the slice of a key of a machine's place.
    pub fn placed_of_key(key: &str) -> Option<(Name, Name)> {
        let (node, rest) = key.strip_prefix(Self::PLACED)?.split_once('/')?;
        Some((node.parse().ok()?, rest.split_once('/')?.0.parse().ok()?))
    }

    /// What the keys of all tags of a port begin with.
    pub fn tags_of_port(node: &Name, port: &IfName) -> String {
        format!("tags/{node}/{port}/")
    }

    /// What the keys of all lines with these tags on a port begin with; a VLAN of 0 stands for no tag.
    pub fn tags_of_line(node: &Name, port: &IfName, tags: AccessTags) -> String {
        let [s_vid, c_vid] = [tags.s_vid, tags.c_vid].map(|vid| vid.map_or(0, Vid::get));
        format!("tags/{node}/{port}/{s_vid:04}.{c_vid:04}")
    }

    /// The line that a subscriber with this spec has.
    pub fn line_of(spec: &SubscriberSpec) -> Self {
        let Access { node, port, s_vid, c_vid } = &spec.access;
        let tags = AccessTags { s_vid: *s_vid, c_vid: *c_vid };
        Self::Line { node: node.clone(), port: port.clone(), tags, mac: spec.mac }
    }

    /// The subnet that a key of its kind stands for.
    pub fn subnet_of_key(key: &str) -> Option<Prefix4> {
        let (network, len) = key.strip_prefix("subnet/")?.split_once('/')?;
        let network = Ipv4Addr::from_bits(u32::from_str_radix(network, 16).ok()?);
        Prefix4::new(network, len.parse().ok()?).ok()
    }
}

/// All that a subscriber with this allocation holds.
pub fn claims_of(spec: &SubscriberSpec, status: &SubscriberStatus) -> Vec<Claim> {
    let access = &spec.access;
    let mut claims = vec![Claim::line_of(spec)];
    if let Some(subnet) = status.subnet {
        claims.push(Claim::Subnet(subnet));
    } else {
        let addresses = status.addresses.or(status.address.map(Prefix4::host));
        let claim = |address| Claim::Address { node: access.node.clone(), address };
        claims.extend(addresses.into_iter().flat_map(hosts).map(claim));
    }
    claims.extend(status.more_subnets.iter().copied().map(Claim::Subnet));
    claims.extend(status.public_address.map(|address| Claim::Subnet(Prefix4::host(address))));
    claims.extend(status.nat.map(|nat| Claim::Block { address: nat.address, first_port: nat.first_port }));
    let ipv6 = status.ipv6.into_iter().flat_map(|ipv6| [ipv6.link, ipv6.delegated]);
    claims.extend(ipv6.map(Claim::Subnet6));
    claims
}
