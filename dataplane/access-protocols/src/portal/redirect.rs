//! What a browser is told.

use net_types::PortalUrl;

const BEFORE: &str = "HTTP/1.1 302 Found\r\nLocation: ";
/// Nobody is to keep the answer (RFC 9111, section 5.2.2.5): it is not that of the host that was asked.
const AFTER: &str = "\r\nCache-Control: no-store\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// What every host takes in one segment, whatever it said of itself (RFC 9293, section 3.7.1).
const SEGMENT_MAX: usize = 536;
const _: () = assert!(BEFORE.len() + PortalUrl::LEN_MAX + AFTER.len() <= SEGMENT_MAX);

/// The whole answer to any request (RFC 9110, section 15.4.3).
pub(super) fn response(portal: &PortalUrl) -> String {
    format!("{BEFORE}{portal}{AFTER}")
}
