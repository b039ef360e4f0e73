//! Where a web browser is sent that may not go where it wants to.

use alloc::string::String;
use core::{fmt, net::IpAddr, str::FromStr};

/// An `http` or `https` URL with a host, fit to stand in a header of an answer (RFC 9110, section 10.2.2): characters of
/// RFC 3986 only, and so few of them that the answer fits in one segment to any host (536 bytes: RFC 9293, section 3.7.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortalUrl(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortalUrlError {
    #[error("a portal's URL has at most {} bytes", PortalUrl::LEN_MAX)]
    Length,
    #[error("a portal's URL begins with \"http://\" or \"https://\"")]
    Scheme,
    #[error("a portal's URL has a host, and no user or password")]
    Host,
    #[error("a URL has only letters, digits and -._~:/?#[]@!$&'()*+,;=% (RFC 3986)")]
    Character,
}

impl PortalUrl {
    pub const LEN_MAX: usize = 256;

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host's address, if it is written as one.
    pub fn address(&self) -> Option<IpAddr> {
        let authority = authority(&self.0)?;
        if let Some(literal) = authority.strip_prefix('[') {
            return literal.split_once(']')?.0.parse().ok().map(IpAddr::V6);
        }
        authority.split(':').next()?.parse().ok().map(IpAddr::V4)
    }
}

/// What is between the scheme and the path; `None`: another scheme.
fn authority(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
    rest.split(['/', '?', '#']).next()
}

impl FromStr for PortalUrl {
    type Err = PortalUrlError;

    fn from_str(text: &str) -> Result<Self, PortalUrlError> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&b);
        if text.len() > Self::LEN_MAX {
            return Err(PortalUrlError::Length);
        }
        if !text.bytes().all(legal) {
            return Err(PortalUrlError::Character);
        }
        let authority = authority(text).ok_or(PortalUrlError::Scheme)?;
        let host = authority.split(':').next().unwrap_or_default();
        if host.is_empty() || authority.contains('@') {
            return Err(PortalUrlError::Host);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for PortalUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

crate::serde_as_text!(PortalUrl);
