//! `wcctl node`.

use serde_json::json;
use xos_model::KindName;

use crate::{
    cli::Token,
    client::{Client, text},
    failure::Failure,
    kinds::{Kind, reference},
    output,
};

pub(crate) async fn token(client: &Client, token: &Token) -> Result<(), Failure> {
    let node = reference(Kind(KindName::Node), &token.name).map_err(Failure::Usage)?;
    let answer = client.post(&format!("{}/join-token", node.path()), &json!({})).await;
    let answer = answer.map_err(|failure| super::about(&node, failure))?;
    let secret = text(&answer["token"]);
    if secret.is_empty() {
        return Err(Failure::Answer("it holds no token".into()));
    }
    eprintln!("{node} may join with this token once, until {}.", text(&answer["expiresAt"]));
    output::print(&(secret + "\n"))
}
