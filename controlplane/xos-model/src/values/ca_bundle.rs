//! Whom to believe.

use std::{fmt, str::FromStr};

use ::base64::{Engine as _, engine::general_purpose::STANDARD};

/// Certificates of authorities in PEM (RFC 7468), one after another. What stands between them is kept, but nothing
/// else in PEM may be there: a private key does not belong in the open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaBundle(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaBundleError {
    #[error("a bundle has at most {} bytes", CaBundle::LEN_MAX)]
    Length,
    #[error("no certificate in PEM")]
    Empty,
    #[error("certificate {0} of the bundle is not closed or not base 64")]
    Certificate(usize),
    #[error("only certificates belong in a bundle of authorities")]
    Other,
}

impl CaBundle {
    pub const LEN_MAX: usize = 64 << 10;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

impl FromStr for CaBundle {
    type Err = CaBundleError;

    fn from_str(text: &str) -> Result<Self, CaBundleError> {
        if text.len() > Self::LEN_MAX {
            return Err(CaBundleError::Length);
        }
        let mut certificates = 0;
        let mut body: Option<String> = None;
        for line in text.lines().map(str::trim_end) {
            match (line, &mut body) {
                (BEGIN, None) => {
                    certificates += 1;
                    body = Some(String::new());
                }
                (END, Some(data)) => {
                    if data.is_empty() || STANDARD.decode(&*data).is_err() {
                        return Err(CaBundleError::Certificate(certificates));
                    }
                    body = None;
                }
                (other, None) if other.contains("-----BEGIN") => return Err(CaBundleError::Other),
                (_, None) => {}
                (data, Some(body)) => body.push_str(data),
            }
        }
        match (certificates, body) {
            (0, _) => Err(CaBundleError::Empty),
            (_, Some(_)) => Err(CaBundleError::Certificate(certificates)),
            (_, None) => Ok(Self(text.into())),
        }
    }
}

impl fmt::Display for CaBundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

super::serde_as_text!(CaBundle);
