//! For Graphviz.

use std::fmt::{self, Display, Write as _};

use super::{super::Graph, text::manner};
use crate::{KindName, TenantKind};

/// A string of the DOT language; what could be taken for an escape of its labels is not.
pub(in super::super) fn quoted(text: impl Display) -> String {
    let mut out = String::from('"');
    for c in text.to_string().chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

impl Graph {
    /// The graph in the DOT language of Graphviz.
    pub fn dot(&self) -> String {
        let mut out = String::from("digraph wirecenter {\n  rankdir=LR;\n  node [shape=box];\n");
        self.write_dot(&mut out).expect("a string takes all");
        out.push_str("}\n");
        out
    }

    fn write_dot(&self, out: &mut String) -> fmt::Result {
        for (name, held) in &self.services {
            let style = if held.spec.enabled { "solid" } else { "dashed" };
            let (id, label) =
                (quoted(node(KindName::Service, name)), format!("{name}\n{}", held.spec.version));
            writeln!(out, "  {id} [label={}, style={style}];", quoted(label))?;
        }
        for (name, held) in &self.slices {
            let id = quoted(node(KindName::Slice, name));
            let label = format!("{name}\n{} instances", self.instances_of.count(name));
            writeln!(out, "  {id} [label={}, shape=ellipse];", quoted(label))?;
            if let Some(service) = &held.spec.service {
                let service = quoted(node(KindName::Service, service));
                writeln!(out, "  {service} -> {id} [arrowhead=none, style=dotted];")?;
            }
            for network in &held.spec.networks {
                let network = quoted(node(KindName::Network, network));
                writeln!(out, "  {id} -> {network} [style=dashed];")?;
            }
        }
        for (name, held) in &self.networks {
            let id = quoted(node(KindName::Network, name));
            let slice = quoted(node(KindName::Slice, &held.spec.slice));
            writeln!(out, "  {id} [label={}, shape=hexagon];", quoted(name))?;
            writeln!(out, "  {slice} -> {id} [arrowhead=none];")?;
        }
        for (name, held) in &self.tenants {
            let spec = &held.spec;
            let tenant = match spec.tenant.kind {
                TenantKind::Tenant => {
                    node(KindName::Service, self.tenant_service(spec).unwrap_or(&spec.tenant.name))
                }
                kind => format!("{kind}/{}", spec.tenant.name),
            };
            let provider = quoted(node(KindName::Service, &spec.provider));
            let label = quoted(format!("{name}\n{}", manner(spec)));
            writeln!(out, "  {} -> {provider} [label={label}];", quoted(tenant))?;
        }
        Ok(())
    }
}

fn node(kind: KindName, name: &net_types::Name) -> String {
    format!("{kind}/{name}")
}
