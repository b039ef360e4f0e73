//! Where something answers over HTTP.

use std::{fmt, str::FromStr};

use url::Url;

/// An `http` or `https` URL with a host, and without a user or password in it: those belong in a Secret.
/// It is kept as it was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpUrl(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpUrlError {
    #[error("a URL has at most {} bytes", HttpUrl::LEN_MAX)]
    Length,
    #[error("not a URL: it has white space or control characters")]
    Space,
    #[error("not a URL: {0}")]
    Syntax(url::ParseError),
    #[error("a URL of http or https, not of {0}")]
    Scheme(String),
    #[error("a URL of http or https has \"//\" before its host")]
    Slashes,
    #[error("no user or password in a URL: they belong in a Secret")]
    Credentials,
}

impl HttpUrl {
    pub const LEN_MAX: usize = 2048;

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_https(&self) -> bool {
        self.0.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"))
    }
}

impl FromStr for HttpUrl {
    type Err = HttpUrlError;

    fn from_str(text: &str) -> Result<Self, HttpUrlError> {
        if text.len() > Self::LEN_MAX {
            return Err(HttpUrlError::Length);
        }
        // The parser takes spaces and line ends out without a word.
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(HttpUrlError::Space);
        }
        let url = Url::parse(text).map_err(HttpUrlError::Syntax)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(HttpUrlError::Scheme(url.scheme().into()));
        }
        // It also reads "http:host" and backslashes as if they were "//".
        if !text[url.scheme().len()..].starts_with("://") || text.contains('\\') {
            return Err(HttpUrlError::Slashes);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(HttpUrlError::Credentials);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

super::serde_as_text!(HttpUrl);
