//! `wcctl version`.

use crate::{
    client::{Client, text},
    failure::Failure,
    output,
};

pub(crate) async fn run(client: &Client) -> Result<(), Failure> {
    output::print(&format!("wcctl        {}\n", env!("CARGO_PKG_VERSION")))?;
    let answer = client.get("/version").await?;
    output::print(&format!("wirecenterd  {}\n", text(&answer["version"])))
}
