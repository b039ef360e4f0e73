//! The information elements that records are made of: numbers and sizes as registered with IANA
//! ("IP Flow Information Export (IPFIX) Entities").

/// An element of IANA's registry, always at its full size: nothing is reduced (RFC 7011, section 6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element {
    pub id: u16,
    /// Bytes of a value; unsigned integers and addresses, in network byte order.
    pub len: u16,
}

const fn element(id: u16, len: u16) -> Element {
    Element { id, len }
}

// Elements of flows (RFC 5102; in IANA's registry since RFC 7012).
pub(crate) const PROTOCOL_IDENTIFIER: Element = element(4, 1);
pub(crate) const SOURCE_TRANSPORT_PORT: Element = element(7, 2);
pub(crate) const SOURCE_IPV4_ADDRESS: Element = element(8, 4);
pub(crate) const DESTINATION_TRANSPORT_PORT: Element = element(11, 2);
pub(crate) const DESTINATION_IPV4_ADDRESS: Element = element(12, 4);
pub(crate) const POST_NAT_SOURCE_IPV4_ADDRESS: Element = element(225, 4);
pub(crate) const POST_NAT_DESTINATION_IPV4_ADDRESS: Element = element(226, 4);
pub(crate) const POST_NAPT_SOURCE_TRANSPORT_PORT: Element = element(227, 2);
pub(crate) const POST_NAPT_DESTINATION_TRANSPORT_PORT: Element = element(228, 2);
/// Milliseconds since the Unix epoch (RFC 7011, section 6.1.8).
pub(crate) const OBSERVATION_TIME_MILLISECONDS: Element = element(323, 8);

// Elements of NAT devices (RFC 8158, section 5.5 and section 8).
pub(crate) const NAT_ORIGINATING_ADDRESS_REALM: Element = element(229, 1);
pub(crate) const NAT_EVENT: Element = element(230, 1);
pub(crate) const NAT_POOL_ID: Element = element(283, 4);
pub(crate) const PORT_RANGE_START: Element = element(361, 2);
pub(crate) const PORT_RANGE_END: Element = element(362, 2);
pub(crate) const PORT_RANGE_STEP_SIZE: Element = element(363, 2);
pub(crate) const PORT_RANGE_NUM_PORTS: Element = element(364, 2);
pub(crate) const NAT_QUOTA_EXCEEDED_EVENT: Element = element(466, 4);
pub(crate) const MAX_SESSION_ENTRIES: Element = element(471, 4);
pub(crate) const MAX_BIB_ENTRIES: Element = element(472, 4);
pub(crate) const MAX_ENTRIES_PER_USER: Element = element(473, 4);
pub(crate) const MAX_SUBSCRIBERS: Element = element(474, 4);

// Elements of the exporting process itself (RFC 7011, section 4.3).
pub(crate) const EXPORTING_PROCESS_ID: Element = element(144, 4);
pub(crate) const NOT_SENT_FLOW_TOTAL_COUNT: Element = element(166, 8);
