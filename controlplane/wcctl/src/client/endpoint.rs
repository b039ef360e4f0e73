//! Where the controller is, and how it is reached: a unix socket, or TLS.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use hyper::{Uri, header::HeaderValue};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
};
use tokio_rustls::TlsConnector;

use crate::{failure::Failure, files::read_secret};

const HTTPS_PORT: u16 = 443;

pub(crate) enum Endpoint {
    Unix(PathBuf),
    Https(Box<Https>),
}

pub(crate) struct Https {
    url: String,
    host: String,
    port: u16,
    name: ServerName<'static>,
    tls: TlsConnector,
    /// `Bearer …`
    pub(super) authorization: Option<HeaderValue>,
}

pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Endpoint {
    /// An `https://HOST[:PORT]`, whose certificate must be of an authority in `ca_file` (PEM). The system's own
    /// authorities are not trusted.
    ///
    /// # Errors
    /// A URL that is none, or a file that cannot be read, holds nothing of use or, with a token, is open to others.
    pub(crate) fn https(url: &str, ca_file: &Path, token_file: Option<&Path>) -> Result<Self, Failure> {
        let (host, port) = parse_url(url).map_err(|why| Failure::Usage(format!("{url}: {why}")))?;
        let name =
            ServerName::try_from(host.clone()).map_err(|error| Failure::Usage(format!("{url}: {error}")))?;
        let authorization = token_file.map(bearer).transpose()?;
        let tls = TlsConnector::from(Arc::new(config(ca_file)?));
        Ok(Self::Https(Box::new(Https { url: url.into(), host, port, name, tls, authorization })))
    }

    pub(super) async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Unix(socket) => Box::new(UnixStream::connect(socket).await?),
            Self::Https(https) => {
                let stream = TcpStream::connect((https.host.as_str(), https.port)).await?;
                stream.set_nodelay(true)?;
                Box::new(https.tls.connect(https.name.clone(), stream).await?)
            }
        })
    }

    /// For the `Host` header.
    pub(super) fn host(&self) -> String {
        match self {
            Self::Unix(_) => "wirecenter".into(),
            Self::Https(https) if https.host.contains(':') => format!("[{}]:{}", https.host, https.port),
            Self::Https(https) => format!("{}:{}", https.host, https.port),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(socket) => write!(f, "{}", socket.display()),
            Self::Https(https) => f.write_str(&https.url),
        }
    }
}

/// The host, without the brackets of an IPv6 address, and the port.
pub(crate) fn parse_url(url: &str) -> Result<(String, u16), String> {
    let uri: Uri = url.parse().map_err(|error| format!("not a URL: {error}"))?;
    if uri.scheme_str() != Some("https") {
        return Err("a server is written https://HOST[:PORT]".into());
    }
    if uri.path().len() > 1
        || uri.query().is_some()
        || uri.authority().is_some_and(|a| a.as_str().contains('@'))
    {
        return Err("only a host and a port stand after https://".into());
    }
    let host = uri.host().unwrap_or_default();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Ok((host.into(), uri.port_u16().unwrap_or(HTTPS_PORT)))
}

fn config(ca_file: &Path) -> Result<ClientConfig, Failure> {
    let wrong = |why: &dyn fmt::Display| Failure::Usage(format!("{}: {why}", ca_file.display()));
    let pem = fs::read(ca_file).map_err(|source| Failure::File { path: ca_file.into(), source })?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| wrong(&error))?;
        roots.add(certificate).map_err(|error| wrong(&error))?;
    }
    if roots.is_empty() {
        return Err(wrong(&"there is no certificate in it"));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| wrong(&error))?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn bearer(token_file: &Path) -> Result<HeaderValue, Failure> {
    let token = read_secret(token_file)?;
    let value = HeaderValue::from_str(&format!("Bearer {}", token.trim()));
    let mut value = value.ok().filter(|_| !token.trim().is_empty()).ok_or_else(|| {
        Failure::Usage(format!("{}: a token is one line of printable characters", token_file.display()))
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_host_and_a_port() {
        for (url, expected) in [
            ("https://office.example", ("office.example", 443)),
            ("https://office.example:8443/", ("office.example", 8443)),
            ("https://[2001:db8::1]:8443", ("2001:db8::1", 8443)),
        ] {
            assert_eq!(parse_url(url), Ok((expected.0.to_owned(), expected.1)), "{url}");
        }
        for wrong in [
            "",
            "office",
            "http://office",
            "https://office/api",
            "https://office?x=1",
            "https://me:pw@office",
            "https://",
        ] {
            assert!(parse_url(wrong).is_err(), "{wrong}");
        }
    }
}
