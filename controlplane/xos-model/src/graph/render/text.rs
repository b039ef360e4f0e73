//! As a tree.

use std::{collections::BTreeSet, fmt::Write as _};

use net_types::Name;

use super::super::Graph;
use crate::{Connect, TenantKind, TenantSpec};

/// How far lines are set in; what lies deeper begins a tree of its own.
const DEPTH_MAX: usize = 24;
/// How many tenants that are no services are listed of one service.
const TENANTS_MAX: usize = 16;

impl Graph {
    /// The services as trees, each over those that it uses; each service is described once, where it is met first.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut done = BTreeSet::new();
        // Where a cycle has no top, or a tree would be too deep, any service has to do.
        for top in self.tops().into_iter().chain(self.services.keys()) {
            if !done.contains(top) {
                self.tree(top, &mut done, &mut out);
            }
        }
        out
    }

    fn tree<'a>(&'a self, top: &'a Name, done: &mut BTreeSet<&'a Name>, out: &mut String) {
        let mut todo = vec![(0, top, None)];
        while let Some((depth, name, by)) = todo.pop() {
            let indent = "  ".repeat(depth);
            let arrow = if by.is_some() { "→ " } else { "" };
            let by = by.map(|(tenancy, spec)| format!("  ({tenancy}: {})", manner(spec))).unwrap_or_default();
            let Some((name, held)) = self.services.get_key_value(name) else {
                put(out, format_args!("{indent}{arrow}{name}, which is not there{by}"));
                continue;
            };
            if done.contains(name) {
                put(out, format_args!("{indent}{arrow}{name}, see above{by}"));
                continue;
            }
            if depth > DEPTH_MAX {
                put(out, format_args!("{indent}{arrow}{name}, see below{by}"));
                continue;
            }
            done.insert(name);
            let spec = &held.spec;
            let state = if spec.enabled { "" } else { ", not enabled" };
            let begins = if spec.per_subscriber { ", each subscriber's" } else { "" };
            put(out, format_args!("{indent}{arrow}{name} {}{state}{begins}{by}", spec.version));
            self.members(name, &format!("{indent}  "), out);
            let providers: Vec<_> = self.providers(name).collect();
            todo.extend(providers.into_iter().rev().map(|edge| (depth + 1, &edge.1.provider, Some(edge))));
        }
    }

    /// The slices of a service, and its tenants that are no services.
    fn members(&self, service: &Name, indent: &str, out: &mut String) {
        for slice in self.slices_of.get(service) {
            let state = if self.slice_is_enabled(slice) { "" } else { ", not enabled" };
            let count = self.instances_of.count(slice);
            let networks: Vec<_> = self.own_networks(slice).map(|network| network.to_string()).collect();
            let networks = networks.join(", ");
            put(out, format_args!("{indent}slice {slice}{state}: {count} instances on {networks}"));
        }
        let tenancies = self.used.get(service).filter_map(|name| Some((name, self.tenant(name)?)));
        let mut others = tenancies.filter(|(_, spec)| spec.tenant.kind != TenantKind::Service);
        for (name, spec) in others.by_ref().take(TENANTS_MAX) {
            let (kind, tenant) = (spec.tenant.kind, &spec.tenant.name);
            put(out, format_args!("{indent}← {kind} {tenant}  ({name}: {})", manner(spec)));
        }
        let more = others.count();
        if more > 0 {
            put(out, format_args!("{indent}← and {more} more"));
        }
    }
}

fn put(out: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(out, "{line}").expect("a string takes all");
}

/// How the two sides of a tenancy reach each other.
pub(super) fn manner(spec: &TenantSpec) -> String {
    let mut text = spec.connect.to_string();
    if spec.connect == Connect::Gateway {
        text.push(' ');
        text.push_str(spec.direction().as_str());
    }
    if spec.per_tenant {
        text.push_str(", per tenant");
    }
    text
}
