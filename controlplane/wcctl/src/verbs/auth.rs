//! `wcctl auth`.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    cli::{AuthCommand, CanI, Shown},
    client::{Client, text},
    failure::Failure,
    kinds::Targets,
    output::{self, Table},
    paths,
};

pub(crate) async fn run(client: &Client, command: &AuthCommand) -> Result<(), Failure> {
    match command {
        AuthCommand::CanI(question) => can_i(client, question).await,
        AuthCommand::Whoami(shown) => whoami(client, shown).await,
        AuthCommand::Roles(shown) => roles(client, shown).await,
    }
}

async fn can_i(client: &Client, can_i: &CanI) -> Result<(), Failure> {
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
        let say = |answer: &Value| {
            let why = text(&answer["why"]);
            let gap = if why.is_empty() { "" } else { ": " };
            format!("{}{gap}{why}\n", if allowed { "yes" } else { "no" })
        };
        output::print(&output::value(can_i.shown.output, &answer, say)?)?;
    }
    if allowed { Ok(()) } else { Err(Failure::Different) }
}

async fn whoami(client: &Client, shown: &Shown) -> Result<(), Failure> {
    let answer = client.get(paths::WHOAMI).await?;
    output::print(&output::value(shown.output, &answer, who)?)
}

/// The user that the controller takes one for; root on the socket is none.
pub(super) async fn own_user(client: &Client) -> Result<String, Failure> {
    let answer = client.get(paths::WHOAMI).await?;
    if answer["via"] == "token" {
        return Ok(text(&answer["user"]));
    }
    Err(Failure::Usage("root on the controller's machine is no user: say whose it is".into()))
}

fn who(answer: &Value) -> String {
    let mut out = format!("{} (by {})\n", text(&answer["user"]), text(&answer["via"]));
    let bindings = answer["bindings"].as_array().map_or(&[][..], Vec::as_slice);
    if bindings.is_empty() {
        return out;
    }
    let mut table = Table::new(&["ROLE", "SCOPE", "GRANT", "EXPIRES"]);
    for binding in bindings {
        table.add(vec![
            text(&binding["role"]),
            scope(&binding["scope"]),
            binding["grantOption"].as_bool().unwrap_or_default().to_string(),
            expiry(&binding["expiresAt"]),
        ]);
    }
    out += &table.render();
    out
}

/// `office`, or `kind/name`.
fn scope(value: &Value) -> String {
    let kind = value["kind"].as_str().unwrap_or_default().to_ascii_lowercase();
    value["name"].as_str().map_or(kind.clone(), |name| format!("{kind}/{name}"))
}

fn expiry(at: &Value) -> String {
    let time = at.as_str().and_then(|at| at.parse::<Timestamp>().ok());
    let is_over = time.is_some_and(|time| time <= Timestamp::now());
    if is_over { format!("{} (expired)", text(at)) } else { text(at) }
}

async fn roles(client: &Client, shown: &Shown) -> Result<(), Failure> {
    let answer = client.get(paths::BUILT_IN_ROLES).await?;
    let table = |answer: &Value| {
        let mut table = Table::new(&["ROLE", "DESCRIPTION"]);
        for role in answer["items"].as_array().into_iter().flatten() {
            table.add(vec![text(&role["name"]), text(&role["description"])]);
        }
        table.render()
    };
    output::print(&output::value(shown.output, &answer, table)?)
}
