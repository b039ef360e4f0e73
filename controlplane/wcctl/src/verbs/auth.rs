//! `wcctl auth`.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    cli::{CanI, Shown},
    client::{Client, text},
    failure::Failure,
    kinds::Targets,
    output::{self, Table},
    paths,
};

pub(crate) async fn can_i(client: &Client, can_i: &CanI) -> Result<(), Failure> {
    let (kind, name) = match Targets::parse(&can_i.target).map_err(Failure::Usage)? {
        Targets::Kinds(kinds) if kinds.len() == 1 => (kinds[0], None),
        Targets::Objects(mut objects) if objects.len() == 1 => {
            let object = objects.remove(0);
            (object.kind, Some(object.name))
        }
        _ => return Err(Failure::Usage("one kind or object can be asked about at a time".into())),
    };
    let mut review = json!({"verb": can_i.verb.as_str(), "kind": kind.0});
    if let Some(name) = name {
        review["name"] = name.into();
    }
    let answer = client.post(paths::ACCESS_REVIEWS, &review).await?;
    let Some(allowed) = answer["allowed"].as_bool() else {
        return Err(Failure::Answer("it does not say whether it is allowed".into()));
    };
    if !can_i.quiet {
        let why = text(&answer["why"]);
        let gap = if why.is_empty() { "" } else { ": " };
        output::print(&format!("{}{gap}{why}\n", if allowed { "yes" } else { "no" }))?;
    }
    if allowed { Ok(()) } else { Err(Failure::Different) }
}

pub(crate) async fn whoami(client: &Client, shown: &Shown) -> Result<(), Failure> {
    let answer = client.get(paths::WHOAMI).await?;
    output::print(&output::value(shown.output, &answer, who)?)
}

fn who(answer: &Value) -> String {
    let mut out = format!("{} (by {})\n", text(&answer["user"]), text(&answer["via"]));
    let bindings = answer["bindings"].as_array().map_or(&[][..], Vec::as_slice);
    if bindings.is_empty() {
        return out;
    }
    let now = Timestamp::now();
    let mut table = Table::new(&["ROLE", "SCOPE", "GRANT", "EXPIRES"]);
    for binding in bindings {
        let scope = output::reference(&binding["scope"]);
        let expires = &binding["expiresAt"];
        let is_over =
            expires.as_str().and_then(|at| at.parse::<Timestamp>().ok()).is_some_and(|at| at <= now);
        table.add(vec![
            text(&binding["role"]),
            scope,
            binding["grantOption"].as_bool().unwrap_or_default().to_string(),
            if is_over { format!("{} (expired)", text(expires)) } else { text(expires) },
        ]);
    }
    out += &table.render();
    out
}
