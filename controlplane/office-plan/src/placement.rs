//! Which node a machine gets.

use std::collections::BTreeMap;

use net_types::Name;
use xos_model::{Fault, Placement};

use crate::Refusal;

/// A node as placement sees it. The machine in question is not counted.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    pub name: &'a Name,
    pub labels: &'a BTreeMap<String, String>,
    pub site: Option<&'a Name>,
    /// Nothing new comes to a node that is being deleted.
    pub deleting: bool,
    /// How many machines of the same slice are there.
    pub of_slice: usize,
    /// How many machines are there.
    pub of_all: usize,
}

/// Why a node does not do.
enum Misfit<'a> {
    Deleting,
    Label {
        key: &'a str,
        value: &'a str,
    },
    /// It stands at none of the deployment's sites.
    Site {
        deployment: &'a Name,
    },
}

/// Chooses a node: the one that is named; else `previous`, if that still fits; else of those that fit the one with the
/// fewest machines (of the slice first, if they are to be spread), and of equals the first by name. None where the
/// placement asks for nothing of a node: the deployment's back end chooses then.
///
/// `sites` are those of the deployment that is named; if there are none, any will do.
pub fn place<'a>(
    placement: &Placement,
    sites: &[Name],
    previous: Option<&Name>,
    candidates: impl IntoIterator<Item = Candidate<'a>>,
) -> Result<Option<&'a Name>, Refusal> {
    if let Some(named) = &placement.node {
        let found = candidates.into_iter().find(|candidate| candidate.name == named);
        return named_node(placement, sites, named, found).map(Some);
    }
    if placement.node_labels.is_empty() && !placement.spread {
        return Ok(None);
    }
    let mut best: Option<Candidate<'a>> = None;
    let rank = |one: &Candidate<'a>| (if placement.spread { one.of_slice } else { 0 }, one.of_all, one.name);
    for candidate in candidates {
        if misfit(placement, sites, &candidate).is_some() {
            continue;
        }
        if previous == Some(candidate.name) {
            return Ok(Some(candidate.name));
        }
        if best.as_ref().is_none_or(|best| rank(&candidate) < rank(best)) {
            best = Some(candidate);
        }
    }
    match best {
        Some(best) => Ok(Some(best.name)),
        None => Err(Refusal::Conflict(nothing_fits(placement, sites))),
    }
}

fn named_node<'a>(
    placement: &Placement,
    sites: &[Name],
    named: &Name,
    found: Option<Candidate<'a>>,
) -> Result<&'a Name, Refusal> {
    let at = "/spec/placement/node";
    let Some(candidate) = found else {
        return Err(Refusal::Invalid(Fault::new(at, format!("there is no Node {named}"))));
    };
    let detail = match misfit(placement, sites, &candidate) {
        None => return Ok(candidate.name),
        Some(Misfit::Deleting) => {
            return Err(Refusal::Conflict(Fault::new(at, format!("Node {named} is being deleted"))));
        }
        Some(Misfit::Label { key, value }) => match candidate.labels.get(key) {
            Some(has) => format!("Node {named} has the label {key}={has}, not {key}={value}"),
            None => format!("Node {named} has no label {key}={value}"),
        },
        Some(Misfit::Site { deployment }) => match candidate.site {
            Some(site) => {
                format!("Node {named} stands at Site {site}, which is none of Deployment {deployment}")
            }
            None => format!("Node {named} stands at no site, and Deployment {deployment} names some"),
        },
    };
    Err(Refusal::Invalid(Fault::new(at, detail)))
}

fn misfit<'a>(placement: &'a Placement, sites: &[Name], candidate: &Candidate<'_>) -> Option<Misfit<'a>> {
    if candidate.deleting {
        return Some(Misfit::Deleting);
    }
    let lacks = |(key, value): &(&String, &String)| candidate.labels.get(*key) != Some(*value);
    if let Some((key, value)) = placement.node_labels.iter().find(lacks) {
        return Some(Misfit::Label { key, value });
    }
    let deployment = placement.deployment.as_ref()?;
    let stands = sites.is_empty() || candidate.site.is_some_and(|site| sites.contains(site));
    (!stands).then_some(Misfit::Site { deployment })
}

fn nothing_fits(placement: &Placement, sites: &[Name]) -> Fault {
    let labels: Vec<_> = placement.node_labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let at = if labels.is_empty() { "/spec/placement/spread" } else { "/spec/placement/nodeLabels" };
    let mut asked = Vec::new();
    if !labels.is_empty() {
        asked.push(format!("has the labels {}", labels.join(", ")));
    }
    if let Some(deployment) = placement.deployment.as_ref().filter(|_| !sites.is_empty()) {
        asked.push(format!("stands at a site of Deployment {deployment}"));
    }
    if asked.is_empty() {
        return Fault::new(at, "there is no node to place it on");
    }
    Fault::new(at, format!("no node {}", asked.join(" and ")))
}

#[cfg(test)]
mod tests;
