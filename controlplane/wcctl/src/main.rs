//! `wcctl`: the operators' command line.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    wcctl::main().await
}
