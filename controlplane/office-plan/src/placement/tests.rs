use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

#[derive(Debug)]
struct Plot {
    name: Name,
    labels: BTreeMap<String, String>,
    site: Option<Name>,
    deleting: bool,
    of_slice: usize,
    of_all: usize,
}

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

fn plot(called: &str, rack: &str, site: &str, of_slice: usize, of_all: usize) -> Plot {
    let labels = BTreeMap::from([("rack".to_owned(), rack.to_owned())]);
    let site = (!site.is_empty()).then(|| name(site));
    Plot { name: name(called), labels, site, deleting: called == "gone", of_slice, of_all }
}

fn candidates(plots: &[Plot]) -> impl Iterator<Item = Candidate<'_>> {
    plots.iter().map(|plot| {
        let Plot { name, labels, site, deleting, of_slice, of_all } = plot;
        Candidate {
            name,
            labels,
            site: site.as_ref(),
            deleting: *deleting,
            of_slice: *of_slice,
            of_all: *of_all,
        }
    })
}

fn placement(value: Value) -> Placement {
    serde_json::from_value(value).expect("a placement")
}

#[test]
fn the_emptiest_node_that_fits_is_chosen() {
    // Of the slice, of all.
    let plots = [
        plot("gone", "a", "north", 0, 0),
        plot("n1", "a", "north", 2, 2),
        plot("n2", "a", "north", 0, 5),
        plot("n3", "b", "south", 1, 3),
        plot("n4", "b", "", 1, 3),
    ];
    let there = json!({"deployment": "d"});
    let at = |more: Value| {
        let mut value = there.clone();
        xos_model::merge_patch(&mut value, more);
        value
    };
    let a = json!({"nodeLabels": {"rack": "a"}});
    let cases = [
        (json!({}), "", "n1", "-"),
        (there.clone(), "south", "", "-"),
        (a.clone(), "", "", "n1"),
        (a.clone(), "", "n2", "n2"),
        (a.clone(), "", "n3", "n1"),
        (a, "", "gone", "n1"),
        (json!({"spread": true}), "", "", "n2"),
        (json!({"spread": true}), "", "n4", "n4"),
        (json!({"nodeLabels": {"rack": "b"}}), "", "", "n3"),
        (at(json!({"spread": true})), "south", "", "n3"),
        (at(json!({"spread": true})), "south", "n2", "n3"),
        (at(json!({"spread": true})), "", "", "n2"),
        (
            at(json!({"spread": true})),
            "west",
            "n1",
            "conflict /spec/placement/spread: no node stands at a site of Deployment d",
        ),
        (
            at(json!({"nodeLabels": {"rack": "b", "gpu": "2"}})),
            "south",
            "",
            "conflict /spec/placement/nodeLabels: no node has the labels gpu=2, rack=b and stands at a site of Deployment d",
        ),
        (json!({"node": "n2"}), "", "n1", "n2"),
        (
            json!({"node": "n2", "nodeLabels": {"rack": "b"}}),
            "",
            "",
            "invalid /spec/placement/node: Node n2 has the label rack=a, not rack=b",
        ),
        (
            json!({"node": "n2", "nodeLabels": {"gpu": "2"}}),
            "",
            "",
            "invalid /spec/placement/node: Node n2 has no label gpu=2",
        ),
        (
            at(json!({"node": "n2"})),
            "south",
            "n2",
            "invalid /spec/placement/node: Node n2 stands at Site north, which is none of Deployment d",
        ),
        (
            at(json!({"node": "n4"})),
            "south",
            "",
            "invalid /spec/placement/node: Node n4 stands at no site, and Deployment d names some",
        ),
        (json!({"node": "gone"}), "", "", "conflict /spec/placement/node: Node gone is being deleted"),
        (json!({"node": "n9"}), "", "", "invalid /spec/placement/node: there is no Node n9"),
    ];
    for (asked, site, previous, expected) in cases {
        let sites: Vec<_> = (!site.is_empty()).then(|| name(site)).into_iter().collect();
        let previous = (!previous.is_empty()).then(|| name(previous));
        let said = match place(&placement(asked.clone()), &sites, previous.as_ref(), candidates(&plots)) {
            Ok(node) => node.map_or("-".into(), ToString::to_string),
            Err(Refusal::Invalid(fault)) => format!("invalid {fault}"),
            Err(Refusal::Conflict(fault)) => format!("conflict {fault}"),
        };
        assert_eq!(said, expected, "{asked} at {site:?}, before {previous:?}");
    }
}

#[test]
fn without_a_node_there_is_nothing_to_spread_over() {
    let refusal = place(&placement(json!({"spread": true})), &[], None, []);
    let fault = Fault::new("/spec/placement/spread", "there is no node to place it on");
    assert_eq!(refusal, Err(Refusal::Conflict(fault)));
}

fn any_plots() -> impl Strategy<Value = Vec<Plot>> {
    let plot = ("[ab]", "(north|south)?", any::<bool>(), 0_usize..4, 0_usize..4);
    proptest::collection::vec(plot, 0..6).prop_map(|plots| {
        let numbered = plots.into_iter().enumerate();
        let plots = numbered.map(|(i, (rack, site, deleting, of_slice, others))| Plot {
            deleting,
            ..plot_of(i, &rack, &site, of_slice, of_slice + others)
        });
        plots.collect()
    })
}

fn plot_of(i: usize, rack: &str, site: &str, of_slice: usize, of_all: usize) -> Plot {
    plot(&format!("n{i}"), rack, site, of_slice, of_all)
}

proptest! {
    /// Whatever is chosen fits, nothing that fits is passed over, and to ask again changes nothing.
    #[test]
    fn what_is_chosen_fits_and_stays(
        plots in any_plots(), rack in "[ab]?", spread: bool, sited: bool, shuffled: bool, had in 0_usize..6,
    ) {
        prop_assume!(spread || !rack.is_empty());
        let labels = if rack.is_empty() { json!({}) } else { json!({"rack": rack}) };
        let asked = placement(json!({"deployment": "d", "nodeLabels": labels, "spread": spread}));
        let sites: Vec<_> = sited.then(|| name("north")).into_iter().collect();
        let previous = name(&format!("n{had}"));
        let fits = |plot: &&Plot| {
            !plot.deleting
                && (rack.is_empty() || plot.labels["rack"] == rack)
                && (!sited || plot.site == Some(name("north")))
        };
        let fitting: Vec<_> = plots.iter().filter(fits).collect();
        let mut order: Vec<_> = candidates(&plots).collect();
        if shuffled {
            order.reverse();
        }
        let chosen = place(&asked, &sites, Some(&previous), order);
        let Ok(Some(chosen)) = chosen else {
            prop_assert!(matches!(chosen, Err(Refusal::Conflict(_))), "{chosen:?}");
            prop_assert!(fitting.is_empty());
            return Ok(());
        };
        let it = fitting.iter().find(|plot| plot.name == *chosen);
        prop_assert!(it.is_some(), "{chosen} does not fit");
        prop_assert_eq!(place(&asked, &sites, Some(chosen), candidates(&plots)), Ok(Some(chosen)));
        if fitting.iter().any(|plot| plot.name == previous) {
            prop_assert_eq!(chosen, &previous);
        } else {
            let rank = |plot: &Plot| (if spread { plot.of_slice } else { 0 }, plot.of_all, plot.name.clone());
            prop_assert_eq!(it.map(|plot| rank(plot)), fitting.iter().map(|plot| rank(plot)).min());
        }
    }
}
