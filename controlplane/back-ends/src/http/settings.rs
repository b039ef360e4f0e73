//! What a Controller says, as the plug-in takes it.

use std::{net::IpAddr, ops::RangeInclusive, time::Duration};

use hyper::{Uri, header::HeaderValue};
use xos_model::ControllerSpec;

use crate::{Given, Unsuitable};

/// The key of the Secret.
const TOKEN: &str = "token";
const COMPARE: &str = "compareSeconds";
const COMPARE_SECONDS: u64 = 300;
const COMPARE_SECONDS_RANGE: RangeInclusive<u64> = 10..=86_400;

pub(super) struct Settings {
    /// Without a slash at its end.
    pub(super) base: String,
    /// `Bearer …`
    pub(super) authorization: Option<HeaderValue>,
    pub(super) ca_bundle: Option<String>,
    pub(super) timeout: Duration,
    pub(super) concurrent: usize,
    pub(super) compare_every: Duration,
}

pub(super) fn read(given: &Given<'_>) -> Result<Settings, Unsuitable> {
    let ControllerSpec {
        plugin: _,
        url,
        credentials,
        ca_bundle,
        timeout_seconds: _,
        concurrency: _,
        parameters,
    } = &given.controller.spec;
    let url = url.as_ref().ok_or_else(|| {
        Unsuitable::new(
            "spec.url",
            "is missing: say where the service answers, as https://HOST[:PORT][/PATH]",
        )
    })?;
    let base = base(url.as_str()).map_err(|why| Unsuitable::new("spec.url", why))?;
    let authorization = credentials.as_ref().map(|secret| {
        let token = (given.open_secret)(secret, TOKEN).map_err(|why| {
            format!(
                "{why}; the plug-in http sends the value of the key \"{TOKEN}\" of this Secret to the service"
            )
        })?;
        bearer(token.expose()).ok_or_else(|| {
            format!("\"{TOKEN}\" of Secret {secret} is not one line of visible characters: set it anew")
        })
    });
    let authorization = authorization.transpose().map_err(|why| Unsuitable::new("spec.credentials", why))?;
    Ok(Settings {
        base,
        authorization,
        ca_bundle: ca_bundle.as_ref().map(|bundle| bundle.as_str().to_owned()),
        timeout: Duration::from_secs(given.controller.spec.timeout_seconds().into()),
        concurrent: given.controller.spec.concurrency().into(),
        compare_every: compare_every(&parameters.0).map_err(|why| Unsuitable::new("spec.parameters", why))?,
    })
}

fn base(url: &str) -> Result<String, String> {
    let uri: Uri = url.parse().map_err(|error| format!("cannot be used: {error}"))?;
    if uri.query().is_some() || url.contains('#') {
        return Err("has a query or a fragment: paths are put after it, so leave it out".into());
    }
    let host = uri.host().unwrap_or_default();
    let address: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    let here = host.eq_ignore_ascii_case("localhost") || address.is_some_and(|address| address.is_loopback());
    if uri.scheme_str() != Some("https") && !here {
        return Err("says everything in the clear to another machine: use https".into());
    }
    Ok(url.trim_end_matches('/').into())
}

fn bearer(token: &str) -> Option<HeaderValue> {
    let token = token.trim();
    let visible = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok().filter(|_| visible)?;
    value.set_sensitive(true);
    Some(value)
}

fn compare_every(parameters: &serde_json::Map<String, serde_json::Value>) -> Result<Duration, String> {
    if let Some(other) = parameters.keys().find(|key| *key != COMPARE) {
        return Err(format!("the plug-in http knows no {other:?}: take it out; it knows {COMPARE:?}"));
    }
    let seconds = parameters.get(COMPARE).map_or(Some(COMPARE_SECONDS), serde_json::Value::as_u64);
    let seconds = seconds.filter(|seconds| COMPARE_SECONDS_RANGE.contains(seconds)).ok_or_else(|| {
        let (min, max) = (COMPARE_SECONDS_RANGE.start(), COMPARE_SECONDS_RANGE.end());
        format!("{COMPARE:?} is a number from {min} to {max}")
    })?;
    Ok(Duration::from_secs(seconds))
}
