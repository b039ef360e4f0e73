//! Namespaces and wires.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};

use crate::{
    home, internet, node_side, office,
    shell::{inside, ip},
    state::Lab,
};

pub(crate) const OLT: &str = "olt";

/// A host on a wire must hand over whole frames: checksums written, nothing coalesced that the next hop cannot take.
/// (veth would otherwise leave checksums to a device that does not exist; XDP rewrites only what is there.)
const WHOLE_FRAMES: &str = "tx off";

pub(crate) fn make(lab: &mut Lab) -> Result<()> {
    let (access, upstream) = (lab.config.access.clone(), lab.config.upstream.clone());
    make_box(lab, node_side::NODE)?;
    make_box(lab, office::OFFICE)?;
    wire(lab, (office::OFFICE, "mgmt0"), (node_side::NODE, "mgmt0"), 1500)?;
    office::address_management(lab)?;
    match access {
        Some(name) => borrow(lab, name.as_str(), node_side::ACCESS_PORT)?,
        None => make_access_side(lab)?,
    }
    match upstream {
        Some(name) => borrow(lab, name.as_str(), node_side::CORE_PORT)?,
        None => make_core_side(lab)?,
    }
    node_side::prepare()
}

fn make_access_side(lab: &mut Lab) -> Result<()> {
    make_box(lab, OLT)?;
    // Two tags on top of a full packet.
    wire(lab, (OLT, "uplink"), (node_side::NODE, node_side::ACCESS_PORT), 1508)?;
    receives_redirected(lab, OLT, "uplink")?;
    for (index, home) in lab.config.homes.clone().iter().enumerate() {
        make_box(lab, &home.name)?;
        let olt_port = format!("home{index}");
        wire(lab, (&home.name, home::WAN), (OLT, &olt_port), 1500)?;
        let namespace = lab.box_of(&home.name)?;
        let mac = home::mac(index)?;
        inside(&namespace, &format!("ip link set {} address {mac}", home::WAN))?;
        inside(&namespace, &format!("ethtool -K {} {WHOLE_FRAMES}", home::WAN))?;
        home::prepare(lab, home)?;
    }
    Ok(())
}

fn make_core_side(lab: &mut Lab) -> Result<()> {
    make_box(lab, internet::UPSTREAM)?;
    make_box(lab, internet::HOST)?;
    wire(lab, (internet::UPSTREAM, "node0"), (node_side::NODE, node_side::CORE_PORT), 1500)?;
    receives_redirected(lab, internet::UPSTREAM, "node0")?;
    wire(lab, (internet::UPSTREAM, "inet0"), (internet::HOST, "eth0"), 1500)?;
    inside(&lab.box_of(internet::HOST)?, &format!("ethtool -K eth0 {WHOLE_FRAMES}"))?;
    inside(&lab.box_of(internet::UPSTREAM)?, &format!("ethtool -K inet0 {WHOLE_FRAMES}"))?;
    inside(&lab.box_of(internet::UPSTREAM)?, &format!("ethtool -K node0 {WHOLE_FRAMES}"))?;
    internet::address(lab)
}

/// The peer of a veth that XDP redirects to must take frames the way XDP hands them over; GRO makes it.
fn receives_redirected(lab: &Lab, host: &str, interface: &str) -> Result<()> {
    inside(&lab.box_of(host)?, &format!("ethtool -K {interface} gro on")).map(drop)
}

fn make_box(lab: &mut Lab, host: &str) -> Result<()> {
    let namespace = lab.namespace(host);
    ensure!(
        !Path::new("/run/netns").join(&namespace).exists(),
        "a network namespace {namespace} is there already, and is not this lab's; `ip netns del {namespace}` removes it"
    );
    lab.namespaces.push(namespace.clone());
    lab.save()?;
    ip(&format!("netns add {namespace}"))?;
    inside(&namespace, "ip link set lo up")?;
    // A home is an IPv4 host here; router solicitations would only add noise to captures.
    inside(&namespace, "sysctl -qw net.ipv6.conf.default.disable_ipv6=1").map(drop)
}

fn wire(lab: &Lab, a: (&str, &str), b: (&str, &str), mtu: u16) -> Result<()> {
    let (a_box, b_box) = (lab.box_of(a.0)?, lab.box_of(b.0)?);
    ip(&format!("link add {} mtu {mtu} netns {a_box} type veth peer name {} mtu {mtu} netns {b_box}", a.1, b.1))?;
    inside(&a_box, &format!("ip link set {} up", a.1))?;
    inside(&b_box, &format!("ip link set {} up", b.1)).map(drop)
}

/// Moves an interface of the machine into the node.
fn borrow(lab: &mut Lab, own_name: &str, name_there: &str) -> Result<()> {
    let node = lab.box_of(node_side::NODE)?;
    lab.borrowed.push((own_name.to_owned(), name_there.to_owned()));
    lab.save()?;
    ip(&format!("link set {own_name} netns {node} name {name_there}"))
        .with_context(|| format!("moving {own_name} into the node"))?;
    inside(&node, &format!("ip link set {name_there} up")).map(drop)
}

/// Moves borrowed interfaces back to where they came from, under their own names.
pub(crate) fn give_back(lab: &Lab) -> Result<()> {
    let node = lab.namespace(node_side::NODE);
    for (own_name, name_there) in &lab.borrowed {
        let is_there = Path::new("/run/netns").join(&node).exists()
            && inside(&node, &format!("ip link show {name_there}")).is_ok();
        if is_there {
            inside(&node, &format!("ip link set {name_there} netns 1 name {own_name}"))
                .with_context(|| format!("giving back {own_name}"))?;
        }
    }
    Ok(())
}

/// Removes every namespace of the lab, and with them all wires.
pub(crate) fn remove(lab: &Lab) -> Result<()> {
    for namespace in lab.namespaces.iter().rev() {
        if Path::new("/run/netns").join(namespace).exists() {
            ip(&format!("netns del {namespace}"))?;
        }
        let etc = home::etc(namespace);
        if etc.exists() {
            fs::remove_dir_all(&etc).with_context(|| format!("removing {}", etc.display()))?;
        }
    }
    Ok(())
}

pub(crate) fn start_olt(lab: &mut Lab) -> Result<()> {
    let mut argv = vec![lab.config.bin_dir.join("wc-lab-olt").display().to_string()];
    argv.extend(["--uplink".to_owned(), "uplink".to_owned(), "--outer-tpid".to_owned()]);
    argv.push(lab.config.outer_tpid.to_string());
    for (index, home) in lab.config.homes.iter().enumerate() {
        let option82 = if home.option82 { ":option82" } else { "" };
        argv.extend(["--home".to_owned(), format!("home{index}:{}:{}{option82}", home.s_vid, home.c_vid)]);
    }
    lab.start(OLT, argv)
}
