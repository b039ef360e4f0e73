//! ARP on an access port: the office answers for every address that is not the subscriber's own (RFC 826, RFC 1027),
//! so that neighbours on the same prefix reach each other through it although their links are apart.

use map_abi::{DropReason, flags};

use crate::{
    Frame, Tables, Window,
    access::Arrival,
    live::field,
    parse::{is_martian, netmask},
};

const ETHERNET_IPV4: u32 = 0x0001_0800_u32.to_be();
const LENGTHS_REQUEST: u32 = 0x0604_0001_u32.to_be();
const REPLY: u16 = 2;

/// Makes the answer of a request that the session's own host sent.
#[inline(always)]
pub(crate) fn answer<T: Tables>(
    frame: Frame<'_>,
    header: Window<'_, 14>,
    tables: &T,
    arrival: &Arrival,
) -> Result<(), DropReason> {
    let (home, port_mac) = (arrival.home, arrival.port_mac);
    let arp = frame.window::<28>(arrival.packet_at()).ok_or(DropReason::Truncated)?;
    if arp.raw32::<0>() != ETHERNET_IPV4 || arp.raw32::<4>() != LENGTHS_REQUEST {
        return Err(DropReason::Arp);
    }
    let sender_mac = arp.mac_word::<8>();
    if sender_mac != header.mac_word::<6>() {
        return Err(DropReason::SourceMac);
    }
    let (sender, target) = (arp.raw32::<14>(), arp.raw32::<24>());
    // Of whoever sends a probe nothing is known but that it is on the line.
    let is_probe = sender == 0 && arrival.has(flags::DEVICES);
    if !arrival.is_from(sender_mac) && !is_probe {
        arrival.check_device(tables, sender, sender_mac)?;
    }
    let network = field!(home.up(), network).raw();
    let netmask = netmask(field!(home.up(), prefix_len).get());
    // An address probe (RFC 5227) has no sender address yet.
    if sender != 0 && sender & netmask != network {
        return Err(DropReason::SourceAddress);
    }
    let session = home.session(tables).ok_or(DropReason::Inconsistent)?;
    let is_gateway = target == field!(session, gateway).raw();
    if !is_gateway && (target & netmask == network || is_martian(target)) {
        return Err(DropReason::Arp);
    }
    header.set_mac_word::<0>(sender_mac);
    header.set_mac_word::<6>(port_mac);
    arp.set_be16::<6>(REPLY);
    arp.set_mac_word::<8>(port_mac);
    arp.set_raw32::<14>(target);
    arp.set_mac_word::<18>(sender_mac);
    arp.set_raw32::<24>(sender);
    Ok(())
}
