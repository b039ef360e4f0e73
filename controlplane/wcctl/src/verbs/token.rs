//! `wcctl token`, `wcctl login` and `wcctl passwd`.

use serde_json::{Value, json};

use super::auth::own_user;
use crate::{
    cli::{CreateToken, ListTokens, Login, Passwd, RevokeToken, TokensCommand, Where},
    client::{Client, escape, text},
    contexts,
    failure::Failure,
    files::{read_password, write_private},
    output::{self, Table},
    paths,
};

pub(crate) async fn run(client: &Client, command: &TokensCommand) -> Result<(), Failure> {
    match command {
        TokensCommand::Create(wish) => create(client, wish).await,
        TokensCommand::List(list) => show(client, list).await,
        TokensCommand::Revoke(revoked) => revoke(client, revoked).await,
    }
}

async fn tokens_of(client: &Client, user: Option<&String>) -> Result<(String, String), Failure> {
    let user = match user {
        Some(user) => user.clone(),
        None => own_user(client).await?,
    };
    let path = paths::tokens(&user);
    Ok((user, path))
}

async fn create(client: &Client, wish: &CreateToken) -> Result<(), Failure> {
    let (user, path) = tokens_of(client, wish.user.as_ref()).await?;
    let mut body = json!({"name": wish.name});
    if let Some(expires) = &wish.expires {
        body["expiresAt"] = expires.as_str().into();
    }
    let answer = client.post(&path, &body).await?;
    let secret = secret(&answer)?;
    eprintln!("This token is {user}'s until {}. It is shown only this once.", text(&answer["expiresAt"]));
    output::print(&(secret + "\n"))
}

fn secret(answer: &Value) -> Result<String, Failure> {
    match text(&answer["token"]) {
        none if none.is_empty() => Err(Failure::Answer("it holds no token".into())),
        secret => Ok(secret),
    }
}

async fn show(client: &Client, list: &ListTokens) -> Result<(), Failure> {
    let (user, path) = tokens_of(client, list.user.as_ref()).await?;
    let answer = client.get(&path).await?;
    let table = |answer: &Value| {
        let items = answer["items"].as_array().map_or(&[][..], Vec::as_slice);
        if items.is_empty() {
            return format!("{user} has no tokens.\n");
        }
        let mut table = Table::new(&["ID", "NAME", "CREATED", "EXPIRES", "LAST-USED"]);
        for item in items {
            let fields = ["id", "name", "createdAt", "expiresAt", "lastUsedAt"];
            table.add(fields.iter().map(|field| text(&item[field])).collect());
        }
        table.render()
    };
    output::print(&output::value(list.shown.output, &answer, table)?)
}

async fn revoke(client: &Client, revoked: &RevokeToken) -> Result<(), Failure> {
    let (_, path) = tokens_of(client, revoked.user.as_ref()).await?;
    client.delete(&format!("{path}/{}", escape(&revoked.id))).await?;
    output::print(&format!("token {} revoked\n", revoked.id))
}

pub(crate) async fn passwd(client: &Client, passwd: &Passwd) -> Result<(), Failure> {
    let user = match &passwd.user {
        Some(user) => user.clone(),
        None => own_user(client).await?,
    };
    let password = read_password(&format!("New password of {user}: "))?;
    client.put(&paths::password(&user), &json!({"password": password})).await?;
    output::print(&format!("password of {user} changed\n"))
}

pub(crate) async fn login(place: &Where, login: &Login) -> Result<(), Failure> {
    let (context, client) = contexts::to_log_in(place)?;
    let password = read_password(&format!("Password of {} at {context}: ", login.user))?;
    let answer = client.post(paths::LOGIN, &json!({"user": login.user, "password": password})).await?;
    let file = contexts::own_token_file(&context)?;
    write_private(&file, &(secret(&answer)? + "\n"))?;
    contexts::use_token_file(&context, &file)?;
    output::print(&format!("logged in to {context} as {} until {}\n", login.user, text(&answer["expiresAt"])))
}
