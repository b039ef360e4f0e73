//! Cycles.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use net_types::Name;

use super::Graph;
use crate::TenantKind;

/// Services, each a tenant of the next, and the last of the first.
pub(super) struct Cycle<'a> {
    /// The first of them, as many as are to be spelled out.
    services: Vec<&'a Name>,
    /// How many there are.
    len: usize,
    /// The tenancy of the last with the first.
    pub(super) closed_by: &'a Name,
}

/// How many services of a cycle are spelled out: a cycle can be as long as there are services, and there can be as
/// many of them as there are tenancies.
const SPELLED_MAX: usize = 32;

impl<'a> Cycle<'a> {
    fn new(services: impl ExactSizeIterator<Item = &'a Name>, closed_by: &'a Name) -> Self {
        let len = services.len();
        Self { services: services.take(SPELLED_MAX).collect(), len, closed_by }
    }
}

impl fmt::Display for Cycle<'_> {
    /// `a → b → a`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.services.iter().try_for_each(|service| write!(f, "{service} → "))?;
        if self.len > self.services.len() {
            f.write_str("… → ")?;
        }
        self.services.first().map_or(Ok(()), |first| write!(f, "{first}"))
    }
}

impl Graph {
    /// One cycle for each tenancy that closes one, when services are visited in the order of their names. There is none
    /// if and only if no service is, over any number of others, a tenant of itself.
    pub(super) fn cycles(&self) -> Vec<Cycle<'_>> {
        let mut cycles = Vec::new();
        let mut done = BTreeSet::new();
        for start in self.services.keys() {
            if done.contains(start) {
                continue;
            }
            // The services from `start` to where the search is, and what is still to be followed from each.
            let mut path = vec![start];
            let mut depth_of = BTreeMap::from([(start, 0)]);
            let mut todo = vec![(start, self.providers(start))];
            while let Some((service, edges)) = todo.last_mut() {
                let Some((tenancy, spec)) = edges.next() else {
                    depth_of.remove(*service);
                    done.insert(*service);
                    todo.pop();
                    path.pop();
                    continue;
                };
                if let Some(depth) = depth_of.get(&spec.provider) {
                    cycles.push(Cycle::new(path[*depth..].iter().copied(), tenancy));
                } else if let Some((provider, _)) = self.services.get_key_value(&spec.provider)
                    && !done.contains(provider)
                {
                    depth_of.insert(provider, path.len());
                    path.push(provider);
                    todo.push((provider, self.providers(provider)));
                }
            }
        }
        cycles
    }

    /// A cycle that the tenancy closes, which begins with its tenant.
    pub(super) fn cycle_through<'a>(&'a self, tenancy: &'a Name) -> Option<Cycle<'a>> {
        let spec = self.tenant(tenancy).filter(|spec| spec.tenant.kind == TenantKind::Service)?;
        let (from, to) = (&spec.provider, &spec.tenant.name);
        if !self.services.contains_key(to) || !self.services.contains_key(from) {
            return None;
        }
        // By service: the tenant by which it was reached first.
        let mut reached: BTreeMap<&Name, &Name> = BTreeMap::from([(from, to)]);
        let mut todo = vec![from];
        while let Some(service) = todo.pop() {
            if service == to {
                break;
            }
            for (_, spec) in
                self.providers(service).filter(|(_, spec)| self.services.contains_key(&spec.provider))
            {
                reached.entry(&spec.provider).or_insert_with(|| {
                    todo.push(&spec.provider);
                    service
                });
            }
        }
        let mut back = vec![to];
        let mut at = *reached.get(to)?;
        while at != to {
            back.push(at);
            at = *reached.get(at)?;
        }
        // From `to`, the tenant, by way of `from`: the first step is the tenancy itself.
        back[1..].reverse();
        Some(Cycle::new(back.into_iter(), tenancy))
    }

    /// One of each ring of tenancies that are, over one another, their own tenants.
    pub(super) fn tenancies_of_themselves(&self) -> Vec<&Name> {
        let mut done: BTreeSet<&Name> = BTreeSet::new();
        let mut found = Vec::new();
        for start in self.tenants.keys() {
            let mut path = BTreeSet::new();
            let mut at = Some(start);
            while let Some(tenancy) = at.filter(|tenancy| !done.contains(tenancy)) {
                if !path.insert(tenancy) {
                    found.push(tenancy);
                    break;
                }
                at = self.tenant_tenancy(tenancy);
            }
            done.extend(path);
        }
        found
    }

    /// Whether the tenancy is, over any number of others, its own tenant.
    pub(super) fn is_tenant_of_itself(&self, tenancy: &Name) -> bool {
        let mut seen = BTreeSet::new();
        let mut at = self.tenant_tenancy(tenancy);
        while let Some(other) = at.filter(|other| seen.insert(*other)) {
            if other == tenancy {
                return true;
            }
            at = self.tenant_tenancy(other);
        }
        false
    }

    /// The tenancy that is the tenant of this one.
    fn tenant_tenancy(&self, tenancy: &Name) -> Option<&Name> {
        let spec = self.tenant(tenancy).filter(|spec| spec.tenant.kind == TenantKind::Tenant)?;
        self.tenants.get_key_value(&spec.tenant.name).map(|(name, _)| name)
    }
}
