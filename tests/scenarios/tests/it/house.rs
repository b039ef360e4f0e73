//! The rules of the house (README, "Invariants"), held against what cargo and the tree say.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("two folders below the root")
}

/// A crate of the workspace: its folder, and what it is linked with directly (development dependencies apart).
struct Crate {
    folder: PathBuf,
    dependencies: BTreeSet<String>,
}

fn crates() -> BTreeMap<String, Crate> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let packages = metadata["packages"].as_array().expect("packages");
    let one = |package: &Value| {
        let linked = |dependency: &&Value| dependency["kind"] != "dev";
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        let folder = Path::new(&text(&package["manifest_path"])).parent().expect("has a folder").to_owned();
        let folder = folder.strip_prefix(root()).expect("in the workspace").to_owned();
        let dependencies = dependencies.iter().filter(linked).map(|d| text(&d["name"])).collect();
        (text(&package["name"]), Crate { folder, dependencies })
    };
    packages.iter().map(one).collect()
}

/// All that a crate of ours is linked with, of ours, however indirectly.
fn reach<'a>(crates: &'a BTreeMap<String, Crate>, from: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        for dependency in &crates[name].dependencies {
            if crates.contains_key(dependency) && reached.insert(dependency.as_str()) {
                open.push(dependency);
            }
        }
    }
    reached
}

/// Who may name a library that stands for a kind of effect.
const ONLY: [(&str, &[&str]); 7] = [
    ("rocksdb", &["intent-store"]),
    ("rtnetlink", &["linux-node"]),
    ("aya", &["fastpath"]),
    // The benchmarks speak to a rival over it.
    ("tonic", &["agent-link", "bench"]),
    ("axum", &["api", "wirecenterd"]),
    ("redb", &["wirecenter-agent"]),
    ("hyper-rustls", &["back-ends"]),
];

#[test]
fn a_library_of_effects_is_named_by_one_crate() {
    let crates = crates();
    for (library, allowed) in ONLY {
        let users: Vec<_> = crates
            .iter()
            .filter(|(_, c)| c.dependencies.contains(library))
            .map(|(name, _)| name.as_str())
            .collect();
        assert!(!users.is_empty(), "{library} is used nowhere: this rule is out of date");
        assert!(users.iter().all(|user| allowed.contains(user)), "{library} is named by {users:?}");
    }
}

#[test]
fn dependencies_point_one_way() {
    let crates = crates();
    let in_folder = |name: &str, folder: &str| crates[name].folder.starts_with(folder);
    for name in crates.keys() {
        for used in reach(&crates, name) {
            let link = format!("{name} reaches {used}");
            if in_folder(name, "controlplane") {
                assert!(!["linux-node", "fastpath", "packet-logic"].contains(&used), "{link}");
            }
            if in_folder(name, "dataplane") {
                assert!(!in_folder(used, "controlplane") && !in_folder(used, "agent"), "{link}");
            }
            if in_folder(name, "ebpf") {
                assert!(!in_folder(used, "controlplane") && !in_folder(used, "agent"), "{link}");
            }
            if in_folder(name, "agent") {
                assert!(!in_folder(used, "controlplane"), "{link}");
            }
            if !in_folder(name, "tests") {
                assert!(!in_folder(used, "tests"), "{link}");
            }
        }
    }
}

#[test]
fn leaves_and_planners_have_no_effects() {
    const EFFECTS: [&str; 7] = ["tokio", "nix", "libc", "aya", "rtnetlink", "rocksdb", "redb"];
    let crates = crates();
    let pure = [
        "net-types",
        "map-abi",
        "packet-logic",
        "node-state",
        "node-plan",
        "access-protocols",
        "xos-model",
        "office-plan",
        "access-policy",
    ];
    for name in pure {
        let mut all = reach(&crates, name);
        all.insert(name);
        for member in all {
            let dependencies = &crates[member].dependencies;
            assert!(EFFECTS.iter().all(|effect| !dependencies.contains(*effect)), "{name} through {member}");
        }
    }
    for leaf in ["net-types", "map-abi"] {
        assert!(reach(&crates, leaf).is_empty(), "{leaf} is a leaf");
    }
}

#[test]
fn a_folder_is_named_as_its_crate() {
    for (name, Crate { folder, .. }) in crates() {
        assert_eq!(folder.file_name().and_then(|f| f.to_str()), Some(name.as_str()), "{}", folder.display());
    }
}

#[test]
fn the_top_level_is_fixed() {
    const FIXED: [&str; 8] =
        ["Cargo.toml", "README.md", "agent", "controlplane", "dataplane", "ebpf", "images", "tests"];
    const CONFIGURATION: [&str; 6] =
        ["Cargo.lock", "LICENSE", "clippy.toml", "deny.toml", "rust-toolchain.toml", "rustfmt.toml"];
    let tracked = Command::new("git").args(["ls-tree", "--name-only", "HEAD"]).current_dir(root()).output();
    let tracked = String::from_utf8(tracked.expect("git runs").stdout).expect("names are UTF-8");
    assert!(tracked.contains("Cargo.toml"), "git ls-tree listed: {tracked:?}");
    for name in tracked.lines().filter(|name| !name.starts_with('.')) {
        assert!(
            FIXED.contains(&name) || CONFIGURATION.contains(&name),
            "{name} does not belong on the top level"
        );
    }
}

#[test]
fn files_stay_small_enough_to_read() {
    const LINES_MAX: usize = 600;
    let listed =
        Command::new("git").args(["ls-files", "*.rs"]).current_dir(root()).output().expect("git runs");
    let listed = String::from_utf8(listed.stdout).expect("names are UTF-8");
    for file in listed.lines().filter(|file| root().join(file).exists()) {
        let lines = fs::read_to_string(root().join(file)).expect("readable").lines().count();
        assert!(lines <= LINES_MAX, "{file} has {lines} lines: it wants to be two files");
    }
}
