//! What follows from the graph, as tables and for Graphviz.

use std::{collections::BTreeSet, fmt, fmt::Write as _};

use net_types::Name;

use super::{super::Connectivity, dot::quoted};
use crate::OwnerReference;

const GAP: &str = "   ";

/// Aligned columns under a title each; nothing, if there are no rows.
fn table<const N: usize>(titles: [&str; N], rows: Vec<[String; N]>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut all = vec![titles.map(str::to_owned)];
    all.extend(rows);
    let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join(GAP).trim_end())
    };
    all.iter().map(line).collect()
}

fn or_none(text: String) -> String {
    if text.is_empty() { "-".into() } else { text }
}

fn list<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    or_none(items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(","))
}

fn because(owners: &[OwnerReference]) -> String {
    list(owners.iter().map(|owner| format!("{}/{}", owner.kind.as_str().to_lowercase(), owner.name)))
}

impl Connectivity {
    /// A table each of networks, gateways, public accesses and attachments; every line ends with why it is there.
    pub fn text(&self) -> String {
        let networks = self.networks.iter().map(|network| {
            [network.id.to_string(), list(&network.slices), because(&network.owner_references)]
        });
        let gateways = self.gateways.iter().map(|gateway| {
            [
                format!("gateway/{}", gateway.tenancy),
                gateway.tenant.service.to_string(),
                gateway.direction.as_str().to_owned(),
                gateway.provider.service.to_string(),
                list(&gateway.provider.instances),
                because(&gateway.owner_references),
            ]
        });
        let public = self.public.iter().map(|public| {
            let ports = public
                .exposed
                .iter()
                .flat_map(|(slice, ports)| ports.iter().map(move |port| format!("{slice}:{port}")));
            [
                format!("public/{}", public.tenancy),
                public.provider.to_string(),
                list(ports),
                list(&public.tenant_slices),
                because(&public.owner_references),
            ]
        });
        let attachments = self.attachments.iter().map(|attachment| {
            let (instance, network) = (&attachment.instance, &attachment.network);
            [instance.to_string(), network.to_string(), because(&attachment.owner_references)]
        });
        let tables = [
            table(["NETWORK", "SLICES", "BECAUSE OF"], networks.collect()),
            table(
                ["GATEWAY", "TENANT", "WHO BEGINS", "PROVIDER", "INSTANCES", "BECAUSE OF"],
                gateways.collect(),
            ),
            table(["PUBLIC", "PROVIDER", "EXPOSED", "TENANT SLICES", "BECAUSE OF"], public.collect()),
            table(["INSTANCE", "NETWORK", "BECAUSE OF"], attachments.collect()),
        ];
        tables.into_iter().filter(|table| !table.is_empty()).collect::<Vec<_>>().join("\n")
    }

    /// In the DOT language of Graphviz: instances, the networks that they are on, and what lets them through between.
    pub fn dot(&self) -> String {
        let mut out = String::from("graph connectivity {\n  rankdir=LR;\n  node [shape=box];\n");
        self.write_dot(&mut out).expect("a string takes all");
        out.push_str("}\n");
        out
    }

    fn write_dot(&self, out: &mut String) -> fmt::Result {
        for network in &self.networks {
            writeln!(out, "  {} [shape=hexagon];", quoted(&network.id))?;
        }
        let instances: BTreeSet<&Name> =
            self.attachments.iter().map(|attachment| &attachment.instance).collect();
        for instance in instances {
            writeln!(out, "  {} [label={}];", quoted(format!("instance/{instance}")), quoted(instance))?;
        }
        for attachment in &self.attachments {
            let instance = quoted(format!("instance/{}", attachment.instance));
            writeln!(out, "  {instance} -- {};", quoted(&attachment.network))?;
        }
        for gateway in &self.gateways {
            let id = quoted(format!("gateway/{}", gateway.tenancy));
            let label = quoted(format!("{}\n{}", gateway.tenancy, gateway.direction.as_str()));
            writeln!(out, "  {id} [label={label}, shape=diamond];")?;
            for (side, style) in [(&gateway.tenant, "solid"), (&gateway.provider, "bold")] {
                for network in &side.networks {
                    writeln!(out, "  {} -- {id} [style={style}];", quoted(network))?;
                }
            }
        }
        for public in &self.public {
            let id = quoted(format!("public/{}", public.tenancy));
            writeln!(out, "  {id} [label={}, shape=cloud];", quoted(&public.tenancy))?;
            for slice in public.exposed.keys().chain(&public.tenant_slices) {
                writeln!(out, "  {id} -- {} [style=dashed];", quoted(format!("slice/{slice}")))?;
            }
        }
        Ok(())
    }
}
