//! Addresses of ports and of our links.

use std::collections::BTreeSet;

use net_types::{IfName, InterfaceAddress4, Prefix4};

use super::{NodePlan, Observed, ObservedAddress, ObservedRoute, Op, Why, links::Links};

/// The addresses that will be there.
pub(super) struct Addresses {
    pub(super) staying: BTreeSet<(IfName, InterfaceAddress4)>,
}

impl Addresses {
    pub(super) fn of<'a>(&'a self, name: &'a IfName) -> impl Iterator<Item = InterfaceAddress4> + 'a {
        self.staying.iter().filter(move |(link, _)| link == name).map(|&(_, address)| address)
    }
}

pub(super) fn plan(observed: &Observed, links: &Links, plan: &mut NodePlan) -> Addresses {
    let there: Vec<&ObservedAddress> =
        observed.addresses.iter().filter(|address| !links.removed.contains(&address.link)).collect();
    let mut staying: BTreeSet<_> = there
        .iter()
        .filter(|address| !address.is_own())
        .map(|address| (address.link.clone(), address.address))
        .collect();
    for (name, usable) in &links.usable {
        for &address in &usable.addresses {
            let in_the_way = there.iter().find(|found| {
                !found.is_own()
                    && found.address.address() == address.address()
                    && !(&found.link == name && found.address == address && found.peer.is_none())
            });
            if let Some(found) = in_the_way {
                let text = format!(
                    "{} is on {} already as {}, which is not ours: remove it there",
                    address.address(),
                    found.link,
                    found.address
                );
                plan.problem(Why::Wanted(usable.key.clone()), text);
                continue;
            }
            if !there.iter().any(|found| &found.link == name && found.address == address) {
                plan.want(&usable.key, Op::AddAddress { link: name.clone(), address });
            }
            staying.insert((name.clone(), address));
        }
    }
    let mut addresses = Addresses { staying };
    remove_strays(observed, &there, &mut addresses, plan);
    addresses
}

fn remove_strays(
    observed: &Observed,
    there: &[&ObservedAddress],
    addresses: &mut Addresses,
    plan: &mut NodePlan,
) {
    let is_stray = |found: &&&ObservedAddress| {
        found.is_own() && !addresses.staying.contains(&(found.link.clone(), found.address))
    };
    let strays: Vec<_> = there.iter().filter(is_stray).collect();
    let mut promoted = BTreeSet::new();
    for stray in strays {
        let last = addresses.of(&stray.link).next().is_none();
        if let Some(route) = observed.routes.iter().find(|route| last && depends(route, &stray.link)) {
            let text = format!(
                "{} stays on {}: with the last address of a device the kernel drops its routes, and {route} is not ours",
                stray.address, stray.link
            );
            plan.problem(Why::Stray, text);
            addresses.staying.insert((stray.link.clone(), stray.address));
            continue;
        }
        let outlived = addresses.of(&stray.link).any(|other| subnet(other) == subnet(stray.address));
        if outlived && promoted.insert(stray.link.clone()) {
            plan.clear(Op::PromoteSecondaries { link: stray.link.clone() });
        }
        plan.clear(Op::DeleteAddress { link: stray.link.clone(), address: stray.address });
    }
}

/// Whether another's route would go with the last address of the link.
fn depends(route: &ObservedRoute, link: &IfName) -> bool {
    !route.is_own() && route.protocol != ObservedRoute::PROTOCOL_KERNEL && route.uses(link)
}

/// The connected prefix that comes with an address.
pub(super) fn subnet(address: InterfaceAddress4) -> Prefix4 {
    let (host, len) = (address.address(), address.prefix_len());
    let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
    Prefix4::new((host.to_bits() & mask).into(), len).expect("host bits were masked off")
}
