//! Building the network: namespaces, virtual Ethernet between them, addresses and routes.

use std::{fs, io, path::Path};

use linux_node::{Feature, NetNs, set_features};
use net_types::IfName;

use crate::{
    LabError,
    addresses::{
        ACCESS_PORT, CORE_PORT, CORE_PREFIX_LEN, HOME_PORT, INTERNET, INTERNET_ADDRESS, INTERNET_ADDRESS6,
        INTERNET_PREFIX_LEN, INTERNET_PREFIX_LEN6, MANAGEMENT_PORT, MANAGEMENT_PREFIX_LEN, NODE,
        NODE_CORE_ADDRESS, NODE_CORE_ADDRESS6, NODE_MANAGEMENT_ADDRESS, OFFICE, OFFICE_ADDRESS, OLT, TRUNK,
        TRUNK_MTU, UPSTREAM, UPSTREAM_CORE_ADDRESS, UPSTREAM_CORE_ADDRESS6, UPSTREAM_INTERNET_ADDRESS,
        UPSTREAM_INTERNET_ADDRESS6,
    },
    command::{Result, ip},
    journal::{Journal, Made},
};

/// Interface of the OLT that leads to the home of that index.
pub(crate) fn line_interface(index: usize) -> IfName {
    format!("line{}", index + 1).parse().expect("a short name")
}

pub(crate) fn build(journal: &mut Journal, progress: &mut dyn FnMut(&str)) -> Result<()> {
    progress("office and node");
    build_office(journal)?;
    match journal.config.access.clone() {
        Some(interface) => move_in(journal, &interface, ACCESS_PORT)?,
        None => build_access(journal, progress)?,
    }
    match journal.config.upstream.clone() {
        Some(interface) => move_in(journal, &interface, CORE_PORT)?,
        None => build_core(journal, progress)?,
    }
    Ok(())
}

fn build_office(journal: &mut Journal) -> Result<()> {
    for host in [OFFICE, NODE] {
        add_namespace(journal, host)?;
    }
    let (office, node) = (namespace(journal, OFFICE), namespace(journal, NODE));
    veth((&office, MANAGEMENT_PORT), (&node, MANAGEMENT_PORT))?;
    ip(&format!("-n {office} addr add {OFFICE_ADDRESS}/{MANAGEMENT_PREFIX_LEN} dev {MANAGEMENT_PORT}"))?;
    ip(&format!(
        "-n {node} addr add {NODE_MANAGEMENT_ADDRESS}/{MANAGEMENT_PREFIX_LEN} dev {MANAGEMENT_PORT}"
    ))?;
    up(&office, MANAGEMENT_PORT)?;
    up(&node, MANAGEMENT_PORT)
}

fn build_access(journal: &mut Journal, progress: &mut dyn FnMut(&str)) -> Result<()> {
    add_namespace(journal, OLT)?;
    let (olt, node) = (namespace(journal, OLT), namespace(journal, NODE));
    veth((&olt, TRUNK), (&node, ACCESS_PORT))?;
    // XDP redirects to the node's end, so this one takes frames only with GRO on; but what GRO joins would be too long for a
    // home. At this size it joins nothing.
    ip(&format!("-n {olt} link set {TRUNK} mtu {TRUNK_MTU} gro_max_size 1"))?;
    features(&olt, TRUNK, &[(Feature::Gro, true), (Feature::TxVlan, false), (Feature::TxVlanStag, false)])?;
    up(&olt, TRUNK)?;
    for (index, home) in journal.config.homes.clone().iter().enumerate() {
        progress(&format!("{} on tags {}.{}", home.name, home.s_vid, home.c_vid));
        add_namespace(journal, &home.name)?;
        let (host, line) = (namespace(journal, &home.name), line_interface(index));
        veth((&host, HOME_PORT), (&olt, line.as_str()))?;
        // Else the checksums of TCP and UDP would never be finished: veth leaves that to hardware that is not there.
        features(&host, HOME_PORT, &[(Feature::TxChecksum, false)])?;
        up(&olt, line.as_str())?;
        up(&host, HOME_PORT)?;
    }
    Ok(())
}

fn build_core(journal: &mut Journal, progress: &mut dyn FnMut(&str)) -> Result<()> {
    progress("upstream router and Internet host");
    add_namespace(journal, UPSTREAM)?;
    add_namespace(journal, INTERNET)?;
    let (upstream, internet) = (namespace(journal, UPSTREAM), namespace(journal, INTERNET));
    let node = namespace(journal, NODE);
    veth((&upstream, "core"), (&node, CORE_PORT))?;
    veth((&upstream, "inet"), (&internet, HOME_PORT))?;
    features(&upstream, "core", &[(Feature::TxChecksum, false), (Feature::Gro, true)])?;
    features(&internet, HOME_PORT, &[(Feature::TxChecksum, false)])?;
    ip(&format!("-n {upstream} addr add {UPSTREAM_CORE_ADDRESS}/{CORE_PREFIX_LEN} dev core"))?;
    ip(&format!("-n {upstream} addr add {UPSTREAM_INTERNET_ADDRESS}/{INTERNET_PREFIX_LEN} dev inet"))?;
    ip(&format!("-n {internet} addr add {INTERNET_ADDRESS}/{INTERNET_PREFIX_LEN} dev {HOME_PORT}"))?;
    for (namespace, interface, address) in [
        (&upstream, "core", format!("{UPSTREAM_CORE_ADDRESS6}/64")),
        (&upstream, "inet", format!("{UPSTREAM_INTERNET_ADDRESS6}/{INTERNET_PREFIX_LEN6}")),
        (&internet, HOME_PORT, format!("{INTERNET_ADDRESS6}/{INTERNET_PREFIX_LEN6}")),
        (&node, CORE_PORT, format!("{NODE_CORE_ADDRESS6}/64")),
    ] {
        sysctl(namespace, &[(&format!("ipv6/conf/{interface}/disable_ipv6"), "0")])?;
        // Nobody else has it, and a search for duplicates takes a second.
        ip(&format!("-n {namespace} addr add {address} dev {interface} nodad"))?;
    }
    up(&upstream, "core")?;
    up(&upstream, "inet")?;
    up(&internet, HOME_PORT)?;
    ip(&format!("-n {internet} route add default via {UPSTREAM_INTERNET_ADDRESS}"))?;
    ip(&format!("-n {internet} route add default via {UPSTREAM_INTERNET_ADDRESS6}"))?;
    for prefix in journal.config.routed_to_node.clone() {
        let node = if prefix.contains(':') { NODE_CORE_ADDRESS6 } else { NODE_CORE_ADDRESS };
        ip(&format!("-n {upstream} route add {prefix} via {node} dev core"))?;
    }
    sysctl(&upstream, &[("ipv4/ip_forward", "1"), ("ipv6/conf/all/forwarding", "1")])
}

/// Gives the node an interface of the machine for a port.
fn move_in(journal: &mut Journal, interface: &IfName, port: &str) -> Result<()> {
    if !ip(&format!("-o addr show dev {interface} scope global"))?.is_empty() {
        return Err(LabError::Config(format!(
            "{interface} has an address, so something uses it: free it with `ip addr flush dev {interface}`"
        )));
    }
    let node = namespace(journal, NODE);
    journal.record(Made::Moved { interface: interface.clone(), port: port.into() })?;
    ip(&format!("link set {interface} down"))?;
    ip(&format!("link set {interface} netns {node} name {port}"))?;
    up(&node, port)
}

pub(crate) fn namespace(journal: &Journal, host: &str) -> String {
    format!("{}{host}", journal.config.prefix)
}

fn add_namespace(journal: &mut Journal, host: &str) -> Result<()> {
    let name = namespace(journal, host);
    if NetNs::path(&name).exists() {
        return Err(LabError::State(format!(
            "there is a network namespace {name} already, which this lab did not make: `ip netns del {name}` removes it"
        )));
    }
    journal.record(Made::Namespace(name.clone()))?;
    ip(&format!("netns add {name}"))?;
    ip(&format!("-n {name} link set lo up"))?;
    let is_home = journal.config.homes.iter().any(|home| home.name == host);
    if is_home {
        // DHCP clients write there; `ip netns exec` puts it in place of the machine's own.
        let directory = Path::new("/etc/netns").join(&name);
        journal.record(Made::NetnsConfig(directory.clone()))?;
        let write = || {
            fs::create_dir_all(&directory)?;
            fs::write(directory.join("resolv.conf"), "")
        };
        return write().map_err(LabError::io(format!("write to {}", directory.display())));
    }
    sysctl(&name, &[("ipv6/conf/all/disable_ipv6", "1"), ("ipv6/conf/default/disable_ipv6", "1")])
}

fn veth((namespace, name): (&str, &str), (other, peer): (&str, &str)) -> Result<()> {
    ip(&format!("link add {name} netns {namespace} type veth peer name {peer} netns {other}")).map(drop)
}

fn up(namespace: &str, interface: &str) -> Result<()> {
    ip(&format!("-n {namespace} link set {interface} up")).map(drop)
}

fn inside<T: Send>(namespace: &str, work: impl FnOnce() -> T + Send) -> Result<T> {
    let enter = || NetNs::named(namespace)?.run(work);
    enter().map_err(LabError::io(format!("enter namespace {namespace}")))
}

fn features(namespace: &str, interface: &str, wanted: &[(Feature, bool)]) -> Result<()> {
    let name: IfName = interface.parse().map_err(|e| LabError::Config(format!("{interface}: {e}")))?;
    inside(namespace, || set_features(&name, wanted))?.map_err(|e| LabError::State(e.to_string()))
}

/// Sets what is below /proc/sys/net; which namespace that is depends on the thread that opens it.
/// What the kernel does not have, such as IPv6, needs no setting.
fn sysctl(namespace: &str, settings: &[(&str, &str)]) -> Result<()> {
    for (key, value) in settings {
        let path = Path::new("/proc/sys/net").join(key);
        match inside(namespace, || fs::write(&path, value))? {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            written => written.map_err(LabError::io(format!("set {} in {namespace}", path.display())))?,
        }
    }
    Ok(())
}
