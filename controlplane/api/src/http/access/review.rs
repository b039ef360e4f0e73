//! What whoever asks may do, told to them.

use access_policy::{BUILT_IN_ROLES, Expiry, KindPattern, Verb};
use axum::{Extension, Json, body::Body, http::HeaderMap};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use xos_model::{Fault, KindName, Scope};

use super::{
    super::{
        limits::OBJECT_BYTES_MAX,
        objects::read_body,
        problem::Problem,
        query::{NoQuery, Parameters, check_media_type},
    },
    Access,
};
use crate::office::{Asked, Subject, Target, decide, object_key, refused, subject};

#[derive(Serialize)]
pub(in crate::http) struct Whoami {
    user: String,
    via: &'static str,
    bindings: Vec<Binding>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Binding {
    name: String,
    role: String,
    scope: Scope,
    grant_option: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

pub(in crate::http) async fn whoami(
    Extension(access): Extension<Access>,
    Parameters(_): Parameters<NoQuery>,
) -> Json<Whoami> {
    let held = access.office().rights().policy.can_i(&access.caller.principal, Timestamp::now());
    let mut bindings = BTreeMap::new();
    for permission in held {
        let Some((role, name)) = permission.from else { continue };
        bindings.entry(name.clone()).or_insert(Binding {
            name: name.to_string(),
            role: role.to_string(),
            scope: permission.scope,
            grant_option: permission.grant_option,
            expires_at: match permission.expires_at {
                Expiry::At(end) => Some(end),
                Expiry::Never => None,
            },
        });
    }
    let via = if access.caller.is_root() { "socket" } else { "token" };
    Json(Whoami { user: access.caller.to_string(), via, bindings: bindings.into_values().collect() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Review {
    verb: Verb,
    /// As in `Subscriber` or `subscribers`, or what is no object, such as `backups`.
    kind: String,
    #[serde(default)]
    name: Option<net_types::Name>,
}

#[derive(Serialize)]
pub(in crate::http) struct Verdict {
    allowed: bool,
    why: String,
}

pub(in crate::http) async fn review(
    Extension(access): Extension<Access>,
    Parameters(_): Parameters<NoQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Verdict>, Problem> {
    check_media_type(&headers, &["application/json"])?;
    let Review { verb, kind, name } = xos_model::parse(&read_body(body, OBJECT_BYTES_MAX).await?)?;
    let known = KindName::ALL.iter().copied().find(|known| kind == known.as_str() || kind == known.plural());
    let plural = known.map_or(kind.as_str(), |known| known.plural());
    let pattern: Result<KindPattern, _> = plural.parse();
    if let Err(error) = pattern {
        return Err(Problem::invalid(vec![Fault::new("/kind", error)]));
    }
    let office = access.office();
    let subject = match (known, name) {
        (Some(kind), Some(name)) => {
            let record = office.store().get(intent_store::Table::Objects, &object_key(kind, &name));
            let found = record.and_then(|record| subject(kind, &record));
            Some(found.unwrap_or_else(|| Subject::named(Target { kind, name })))
        }
        _ => None,
    };
    // Without a name: wherever it may be done.
    let scopes = match (&subject, access.caller.user()) {
        (Some(subject), _) => access.scopes(subject),
        (None, Some(user)) => {
            let scopes = office.rights().policy.scopes_of(user, verb, plural, Timestamp::now());
            if scopes.is_empty() { vec![Scope::Office] } else { scopes.into_iter().collect() }
        }
        (None, None) => vec![Scope::Office],
    };
    let rights = office.rights();
    let name = subject.as_ref().map(|subject| subject.target.name.as_str());
    let asked = Asked { verb, kind: plural, name, scopes: &scopes };
    let now = Timestamp::now();
    let ground = decide(&rights.policy, &access.caller.principal, asked, now);
    Ok(Json(match ground.map(|ground| ground.to_string()) {
        Ok(why) => Verdict { allowed: true, why },
        // Said as a refusal would be, so that it tells no more.
        Err(_) => Verdict {
            allowed: false,
            why: refused(&rights.policy, &access.caller, asked, subject.as_ref(), now).detail,
        },
    }))
}

#[derive(Serialize)]
pub(in crate::http) struct BuiltIn {
    name: &'static str,
    description: &'static str,
    rules: Vec<BuiltInRule>,
}

#[derive(Serialize)]
struct BuiltInRule {
    verbs: Vec<&'static str>,
    kinds: Vec<String>,
}

#[derive(Serialize)]
pub(in crate::http) struct BuiltIns {
    items: Vec<BuiltIn>,
}

/// The roles that are there by their names, without being objects.
pub(in crate::http) async fn built_in_roles(
    Extension(_): Extension<Access>,
    Parameters(_): Parameters<NoQuery>,
) -> Json<BuiltIns> {
    let rules = |role: access_policy::Role| {
        let rules = role.rules.into_iter().map(|rule| BuiltInRule {
            verbs: rule.verbs.iter().map(Verb::as_str).collect(),
            kinds: rule.kinds.iter().map(ToString::to_string).collect(),
        });
        rules.collect()
    };
    let items = BUILT_IN_ROLES.iter().map(|role| BuiltIn {
        name: role.name,
        description: role.description,
        rules: rules(role.role()),
    });
    Json(BuiltIns { items: items.collect() })
}
