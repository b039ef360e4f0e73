//! What the agent would do to the kernel's links, addresses, stations and routes, and why.

use std::fs;

use linux_node::Netlink;
use node_plan::kernel::{NodePlan, plan};
use node_state::{NodeState, Resource};
use serde::Serialize;

use crate::{
    cli::{Format, Place},
    failure::Failure,
    show,
};

#[derive(Serialize)]
struct Difference {
    /// In the order in which they would be done.
    steps: Vec<Said>,
    /// What keeps something from being as it should.
    problems: Vec<Said>,
}

#[derive(Serialize)]
struct Said {
    what: String,
    why: String,
}

pub(crate) fn diff(place: &Place, format: Format) -> Result<(), Failure> {
    let plan = observed_plan(&desired(place)?)?;
    let steps = plan.steps.iter().map(|step| Said { what: step.op.to_string(), why: step.why.to_string() });
    let problems = plan.problems.iter().map(|one| Said { what: one.text.clone(), why: one.why.to_string() });
    let difference = Difference { steps: steps.collect(), problems: problems.collect() };
    let text = show::text(format, &difference, || table(&plan))?;
    show::print(&text)
}

fn table(plan: &NodePlan) -> String {
    if plan.steps.is_empty() && plan.problems.is_empty() {
        return "The kernel is as it should be.\n".into();
    }
    plan.to_string()
}

fn desired(place: &Place) -> Result<NodeState, Failure> {
    let path = place.run_dir.join(node_state::DESIRED_FILE);
    let failed = |why: &dyn std::fmt::Display| Failure::NoDesiredState(path.clone(), why.to_string());
    let text = fs::read(&path).map_err(|error| failed(&error))?;
    let resources: Vec<Resource> = serde_json::from_slice(&text).map_err(|error| failed(&error))?;
    Ok(resources.into_iter().collect())
}

fn observed_plan(desired: &NodeState) -> Result<NodePlan, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Kernel(error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| failed(&error))?.block_on(async {
        let netlink = Netlink::connect().map_err(|error| failed(&error))?;
        let observed = netlink.observe_for(desired).await.map_err(|error| failed(&error))?;
        Ok(plan(&observed, desired))
    })
}
