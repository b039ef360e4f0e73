//! Names and addresses of the lab. All addresses are for documentation (RFC 5737, RFC 3849) or private.

/// The node, and its ports.
pub const NODE: &str = "node1";
pub const ACCESS_PORT: &str = "access0";
pub const CORE_PORT: &str = "core0";
/// On the node's core port; the agent sets it.
pub const NODE_CORE_ADDRESS: &str = "192.0.2.2";
pub const UPSTREAM_CORE_ADDRESS: &str = "192.0.2.1";
pub(crate) const CORE_PREFIX_LEN: u8 = 30;

/// The host on the Internet.
pub const INTERNET_ADDRESS: &str = "192.0.2.66";
pub(crate) const INTERNET_PORT: u16 = 80;
pub(crate) const UPSTREAM_INTERNET_ADDRESS: &str = "192.0.2.65";
pub(crate) const INTERNET_PREFIX_LEN: u8 = 30;

/// The same in IPv6. Between node and upstream router there are link-local addresses alone.
pub(crate) const INTERNET_ADDRESS6: &str = "2001:db8:ffff::66";
pub(crate) const UPSTREAM_INTERNET_ADDRESS6: &str = "2001:db8:ffff::1";
pub(crate) const INTERNET_PREFIX_LEN6: u8 = 64;
pub(crate) const UPSTREAM_CORE_ADDRESS6: &str = "fe80::1";
pub(crate) const NODE_CORE_ADDRESS6: &str = "fe80::2";

/// The controller and the node's management port, on a link of their own.
pub const OFFICE_ADDRESS: &str = "10.255.0.1";
pub(crate) const NODE_MANAGEMENT_ADDRESS: &str = "10.255.0.2";
pub(crate) const MANAGEMENT_PREFIX_LEN: u8 = 24;
pub(crate) const AGENT_PORT: u16 = 7443;

/// Hosts besides the homes and the node.
pub(crate) const OLT: &str = "olt";
pub(crate) const UPSTREAM: &str = "upstream";
pub(crate) const INTERNET: &str = "inet";
pub(crate) const OFFICE: &str = "office";

/// Interfaces: of a home, of the OLT towards the node, and the others by what they lead to.
pub(crate) const HOME_PORT: &str = "eth0";
pub(crate) const TRUNK: &str = "trunk";
pub(crate) const MANAGEMENT_PORT: &str = "mgmt0";

/// MTU of the trunk: an IP packet of 1500 bytes and two tags.
pub(crate) const TRUNK_MTU: u16 = 1508;
