//! Which IPv4 networks lead to a session.

use net_types::Prefix4;
use node_state::Session;

/// Networks of either family beside its own ones that a session has at most.
pub const MORE_NETWORKS_MAX: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    #[error("natAddress: a session has either a public address or, with nat, a share of one")]
    TwoNats,
    #[error("natExempt: only with nat or natAddress is there anything to be exempt from")]
    Exempt,
    #[error("moreNetworks: with nat or natAddress a session has no networks that are routed")]
    Translated,
    #[error("moreNetworks are {0}; at most {MORE_NETWORKS_MAX} are possible")]
    TooMany(usize),
    #[error("moreNetworks: {0} and {1} overlap")]
    Overlap(Prefix4, Prefix4),
}

/// Networks that lead to a session as they are, and to it alone; ports of a shared address are not among them.
pub fn networks(session: &Session) -> Result<Vec<Prefix4>, NetworkError> {
    let more = &session.more_networks;
    let is_translated = session.nat.is_some() || session.nat_address.is_some();
    if session.nat.is_some() && session.nat_address.is_some() {
        return Err(NetworkError::TwoNats);
    }
    if session.nat_exempt && !is_translated {
        return Err(NetworkError::Exempt);
    }
    if is_translated && !more.is_empty() {
        return Err(NetworkError::Translated);
    }
    if is_translated {
        let own = session.nat_exempt.then_some(session.network);
        return Ok(session.nat_address.map(Prefix4::host).into_iter().chain(own).collect());
    }
    if more.len() > MORE_NETWORKS_MAX {
        return Err(NetworkError::TooMany(more.len()));
    }
    let all: Vec<Prefix4> = std::iter::once(session.network).chain(more.iter().copied()).collect();
    for (n, network) in all.iter().enumerate() {
        if let Some(other) = all[..n].iter().find(|other| other.overlaps(*network)) {
            return Err(NetworkError::Overlap(*network, *other));
        }
    }
    Ok(all)
}
