//! The calls, and who may make them.

use std::{sync::Arc, time::SystemTime};

use net_types::Name;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::{Request, Response, Status, Streaming};

use super::{seat, seat::Seats, session};
use crate::{
    Authority, JoinRefused, NodeTable, Office, SigningRequest,
    limits::{SECRET_BYTES_MAX, WINDOW_CHUNKS},
    tls::Peer,
    wire::{Certificate, FromAgent, FromController, JoinRequest, RenewRequest, link_server::Link},
};

pub(super) struct Service<O> {
    pub(super) authority: Arc<Authority>,
    pub(super) office: Arc<O>,
    pub(super) seats: Seats,
    pub(super) closing: CancellationToken,
    pub(super) streams: TaskTracker,
}

#[tonic::async_trait]
impl<O: Office> Link for Service<O> {
    async fn join(&self, request: Request<JoinRequest>) -> Result<Response<Certificate>, Status> {
        let from = request.remote_addr();
        let JoinRequest { node, secret, csr_der } = request.into_inner();
        let node: Name = node.parse().map_err(|e| Status::invalid_argument(format!("node: {e}")))?;
        if secret.len() > SECRET_BYTES_MAX {
            return Err(Status::invalid_argument("secret is too long"));
        }
        // Before the name is looked up: a stranger is told no more of a name than of a token.
        let signing_request = signing_request(&csr_der)?;
        let uid = self.office.uid(&node);
        let uid = uid.ok_or_else(|| Status::permission_denied(JoinRefused::Token.to_string()))?;
        // Before the token is spent: what cannot be signed should not cost it.
        let certificate = self.certify(&node, &uid, &signing_request)?;
        self.office.redeem(&node, &secret).await.map_err(|refused| {
            tracing::warn!(%node, ?from, %refused, "a node may not join");
            match refused {
                JoinRefused::Token | JoinRefused::Expired => Status::permission_denied(refused.to_string()),
                JoinRefused::Unavailable(_) => Status::unavailable(refused.to_string()),
            }
        })?;
        tracing::info!(%node, ?from, "node joined");
        Ok(Response::new(certificate))
    }

    async fn renew(&self, request: Request<RenewRequest>) -> Result<Response<Certificate>, Status> {
        let peer = peer_of(&request)?;
        self.table_of(&peer)?;
        let signing_request = signing_request(&request.into_inner().csr_der)?;
        let certificate = self.certify(&peer.node, &peer.uid, &signing_request)?;
        tracing::info!(node = %peer.node, "certificate renewed");
        Ok(Response::new(certificate))
    }

    type SessionStream = ReceiverStream<Result<FromController, Status>>;

    async fn session(
        &self,
        request: Request<Streaming<FromAgent>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let peer = peer_of(&request)?;
        if peer.validity.left(SystemTime::now()).is_none() {
            return Err(Status::unauthenticated("the certificate has expired: renew it first"));
        }
        let table = self.table_of(&peer)?;
        let (end, taken) = seat::claim(&self.seats, &peer.node, &self.closing);
        // Room for all chunks that may be under way, and for the word that ends the stream.
        let (outbound, stream) = mpsc::channel(WINDOW_CHUNKS + 1);
        let session = session::Session {
            office: self.office.clone(),
            peer,
            table,
            inbound: request.into_inner(),
            outbound,
            end,
        };
        self.streams.spawn(session.run(taken));
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

impl<O: Office> Service<O> {
    fn certify(&self, node: &Name, uid: &str, request: &SigningRequest) -> Result<Certificate, Status> {
        let certificate = self.authority.certify(node, uid, request);
        let certificate = certificate.map_err(|e| Status::internal(e.to_string()))?;
        Ok(Certificate { certificate_der: certificate.into() })
    }

    /// The table of the node that calls, if it is the node that there is.
    fn table_of(&self, peer: &Peer) -> Result<Arc<NodeTable>, Status> {
        let node = &peer.node;
        // The table first: of a node that is deleted and made again in between, the uid no longer fits.
        let table = self.office.table(node);
        match (table, self.office.uid(node)) {
            (_, Some(uid)) if uid != peer.uid => Err(Status::permission_denied(format!(
                "the certificate is of an earlier node {node}: the node needs a new join token"
            ))),
            (Some(table), Some(_)) => Ok(table),
            _ => Err(Status::permission_denied(format!("the office has no node {node}"))),
        }
    }
}

fn signing_request(der: &[u8]) -> Result<SigningRequest, Status> {
    SigningRequest::from_der(der).map_err(|e| Status::invalid_argument(format!("csr_der: {e}")))
}

/// Who calls, by a certificate that the handshake has checked; without one, nobody.
fn peer_of<T>(request: &Request<T>) -> Result<Peer, Status> {
    let certificates = request.peer_certs();
    let certificate = certificates.as_deref().and_then(|chain| chain.first());
    let certificate =
        certificate.ok_or_else(|| Status::unauthenticated("a certificate of this office is needed"))?;
    Peer::from_der(certificate).map_err(|e| Status::unauthenticated(e.to_string()))
}
