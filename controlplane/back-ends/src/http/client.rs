//! One call, and what becomes of it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{
    Method, Request, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue},
};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use synchronizer::{Failure, Handle, Operation, Outcome, Retry};

use super::{settings::Settings, wire::Problem};
use crate::Unsuitable;

const OPERATION: HeaderName = HeaderName::from_static("operation-id");
const HANDLE: HeaderName = HeaderName::from_static("operation-handle");

/// Connections that wait for the next call are closed after so long.
const IDLE: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT_MAX: Duration = Duration::from_secs(10);
const REQUEST_BYTES_MAX: usize = 16 << 20;
/// Of a service's words, in an object's status.
const WORDS_MAX: usize = 1024;

pub(super) struct Client {
    base: String,
    authorization: Option<HeaderValue>,
    connections: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// Why a call has not led to what it asked for.
pub(super) enum CallError {
    /// Nobody was reached.
    Unreached(String),
    /// It may have been done or not.
    Broken(String),
    /// The service has answered that it is not so.
    Refused(StatusCode, String),
}

/// A call with nothing but its path.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) operation: Option<&'a Operation>,
    pub(super) handle: Option<&'a Handle>,
    pub(super) body: Vec<u8>,
    pub(super) answer_bytes_max: usize,
}

impl Client {
    pub(super) fn new(settings: &Settings) -> Result<Self, Unsuitable> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let untrusted = |error: &dyn std::fmt::Display| {
            Unsuitable::new("spec.caBundle", format!("no authority can be read: {error}"))
        };
        let builder = hyper_rustls::HttpsConnectorBuilder::new();
        let builder = if let Some(bundle) = &settings.ca_bundle {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(bundle.as_bytes()) {
                let certificate = certificate.map_err(|error| untrusted(&error))?;
                roots.add(certificate).map_err(|error| untrusted(&error))?;
            }
            let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
            let config = config.map_err(|error| untrusted(&error))?;
            builder.with_tls_config(config.with_root_certificates(roots).with_no_client_auth())
        } else if settings.base.starts_with("http:") {
            // There is no certificate to be judged.
            let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
            let config = config.map_err(|error| untrusted(&error))?;
            builder
                .with_tls_config(config.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
        } else {
            builder.with_provider_and_native_roots(provider).map_err(|error| {
                let why = format!("is missing, and this machine believes nobody ({error}): say who vouches");
                Unsuitable::new("spec.caBundle", why)
            })?
        };
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        // Before the call itself is given up: who was not even reached has done nothing.
        connector.set_connect_timeout(Some((settings.timeout / 2).min(CONNECT_TIMEOUT_MAX)));
        let connector = builder.https_or_http().enable_http1().wrap_connector(connector);
        let connections = legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(settings.concurrent)
            .build(connector);
        let (base, authorization) = (settings.base.clone(), settings.authorization.clone());
        Ok(Self { base, authorization, connections })
    }

    /// The body of a good answer.
    pub(super) async fn call(&self, call: Call<'_>) -> Result<Bytes, CallError> {
        let Call { method, path, operation, handle, body, answer_bytes_max } = call;
        if body.len() > REQUEST_BYTES_MAX {
            let why = format!("there is more to tell of it than {REQUEST_BYTES_MAX} bytes");
            return Err(CallError::Refused(StatusCode::PAYLOAD_TOO_LARGE, why));
        }
        let mut request = Request::builder().method(&method).uri(format!("{}{path}", self.base));
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(operation) = operation {
            request = request.header(OPERATION, operation.to_string());
        }
        if let Some(Handle(handle)) = handle {
            request = request.header(HANDLE, handle);
        }
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request =
            request.body(Full::from(body)).map_err(|error| CallError::Unreached(error.to_string()))?;
        let answer = self.connections.request(request).await.map_err(|error| {
            if error.is_connect() {
                CallError::Unreached(format!("{} cannot be reached: {}", self.base, chain(&error)))
            } else {
                CallError::Broken(format!("{method} {}{path}: {}", self.base, chain(&error)))
            }
        })?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), answer_bytes_max).collect().await;
        match body.map(http_body_util::Collected::to_bytes) {
            Ok(body) if status.is_success() => Ok(body),
            Ok(body) => Err(CallError::Refused(status, words(status, &method, path, &body))),
            Err(error) if error.is::<LengthLimitError>() => {
                let why = format!("{method} {path}: the answer has more than {answer_bytes_max} bytes");
                Err(CallError::Broken(why))
            }
            Err(error) => Err(CallError::Broken(format!("{method} {path}: the answer broke off: {error}"))),
        }
    }
}

/// What a service says of why it is not so.
fn words(status: StatusCode, method: &Method, path: &str, body: &[u8]) -> String {
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    let said = problem.detail.or(problem.title).filter(|said| !said.trim().is_empty());
    let said = said.unwrap_or_else(|| format!("the service answers {status} to {method} {path}"));
    said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WORDS_MAX).collect()
}

/// An error and what is behind it: what hyper says by itself is little.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

impl CallError {
    pub(super) fn into_outcome(self) -> Outcome {
        use Retry::{BackOff, OnChange};
        match self {
            Self::Unreached(message) => Outcome::Untouched(Failure { message, retry: BackOff }),
            Self::Broken(message) => Outcome::failed(message),
            Self::Refused(status, message) => {
                let never = [
                    StatusCode::BAD_REQUEST,
                    StatusCode::CONFLICT,
                    StatusCode::PAYLOAD_TOO_LARGE,
                    StatusCode::UNPROCESSABLE_ENTITY,
                ];
                let retry = if never.contains(&status) { OnChange } else { BackOff };
                let failure = Failure { message, retry };
                if status.is_client_error() { Outcome::Untouched(failure) } else { Outcome::Failed(failure) }
            }
        }
    }

    pub(super) fn into_message(self) -> String {
        match self {
            Self::Unreached(message) | Self::Broken(message) | Self::Refused(_, message) => message,
        }
    }
}
