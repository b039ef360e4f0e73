//! How the agent comes by its certificate.

use std::time::SystemTime;

use rcgen::{CertificateParams, KeyPair};
use tonic::transport::Channel;

use super::{Link, LinkError, connect};
use crate::{
    Identity, JoinToken, Node,
    authority::sha256,
    tls::{Peer, RENEWAL_GRACE, Validity},
    wire::{JoinRequest, RenewRequest, link_client::LinkClient},
};

impl<N: Node> Link<N> {
    /// The identity that the node has, or else one that it obtains with its join token. A token that is not the one
    /// that it joined with means that it is to join anew.
    pub(super) async fn identity(&self) -> Result<Identity, LinkError> {
        let token = self.node.join_token();
        let identity = self.node.identity();
        match (identity, token) {
            (Some(identity), Ok(token)) if token_digest(&token) != identity.token_digest => {
                self.join(&token, Some(&identity)).await
            }
            (Some(identity), _) => renewable(&identity).map(|()| identity),
            (None, Ok(token)) => self.join(&token, None).await,
            (None, Err(error)) => Err(LinkError::Token(error)),
        }
    }

    async fn join(&self, token: &JoinToken, before: Option<&Identity>) -> Result<Identity, LinkError> {
        if token.node != self.config.node {
            let (named, own) = (&token.node, &self.config.node);
            return Err(LinkError::Token(format!("the join token is for node {named}, this is node {own}")));
        }
        let (channel, office) = connect::connect_to_join(&self.config.controller, token.fingerprint).await?;
        let (key, csr_der) = new_key()?;
        let request = JoinRequest {
            node: token.node.to_string(),
            secret: token.secret.clone(),
            csr_der: csr_der.into(),
        };
        let reply = LinkClient::new(channel).join(request).await?.into_inner();
        let identity = Identity {
            office,
            certificate: reply.certificate_der.to_vec(),
            key,
            token_digest: token_digest(token),
        };
        validity(&identity)?;
        let new_office = before.is_some_and(|before| before.office != identity.office);
        self.node.keep_identity(identity.clone(), new_office).await.map_err(LinkError::Keep)?;
        Ok(identity)
    }

    pub(super) async fn renew(&self, channel: Channel, identity: &Identity) -> Result<(), LinkError> {
        let (key, csr_der) = new_key()?;
        let reply =
            LinkClient::new(channel).renew(RenewRequest { csr_der: csr_der.into() }).await?.into_inner();
        let identity = Identity { certificate: reply.certificate_der.to_vec(), key, ..identity.clone() };
        validity(&identity)?;
        self.node.keep_identity(identity, false).await.map_err(LinkError::Keep)
    }
}

fn renewable(identity: &Identity) -> Result<(), LinkError> {
    let expired = SystemTime::now().duration_since(validity(identity)?.not_after).unwrap_or_default();
    if expired > RENEWAL_GRACE {
        let text = "the certificate expired too long ago to be renewed; the node needs a new join token";
        return Err(LinkError::Identity(text.into()));
    }
    Ok(())
}

pub(super) fn validity(identity: &Identity) -> Result<Validity, LinkError> {
    Peer::from_der(&identity.certificate)
        .map(|peer| peer.validity)
        .map_err(|e| LinkError::Identity(e.to_string()))
}

fn token_digest(token: &JoinToken) -> [u8; 32] {
    sha256(token.to_string().as_bytes())
}

/// A private key (PKCS #8) and a signing request for it. What the certificate says is for the office to decide.
fn new_key() -> Result<(Vec<u8>, Vec<u8>), LinkError> {
    let make = || -> Result<_, rcgen::Error> {
        let key = KeyPair::generate()?;
        let csr = CertificateParams::default().serialize_request(&key)?;
        Ok((key.serialize_der(), csr.der().to_vec()))
    };
    make().map_err(|e| LinkError::Identity(format!("a key cannot be made: {e}")))
}
