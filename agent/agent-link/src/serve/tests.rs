//! What a peer may not do, said with bare messages.

use std::future::Future;

use rcgen::KeyPair;
use time::OffsetDateTime;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, transport::Channel};

use super::*;
use crate::{
    Chunk, Holdings, Identity, JoinRefused, JoinToken, Link, LinkConfig, LinkState, Node, NodeTable, Outcome,
    Report,
    limits::{KEY_BYTES_MAX, PROTOCOL},
    link::connect::{connect, connect_to_join},
    wire::{
        FromAgent, Held, Hello, Inventory, JoinRequest, RenewRequest, from_agent, link_client::LinkClient,
    },
};
use net_types::Name;

struct OneNode(Arc<NodeTable>);

impl Office for OneNode {
    async fn redeem(&self, _: &Name, _: &str) -> Result<(), JoinRefused> {
        Err(JoinRefused::Token)
    }

    fn uid(&self, node: &Name) -> Option<String> {
        (node.as_str() == "node1").then(|| "uid".into())
    }

    fn table(&self, node: &Name) -> Option<Arc<NodeTable>> {
        (node.as_str() == "node1").then(|| self.0.clone())
    }

    fn report(&self, _: &Name, _: Report) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// A node that has nothing but an identity.
struct Bare {
    identity: tokio::sync::watch::Sender<Identity>,
    chunks: tokio::sync::watch::Sender<usize>,
}

impl Node for Bare {
    fn join_token(&self) -> Result<JoinToken, String> {
        Err("none".into())
    }

    fn identity(&self) -> Option<Identity> {
        Some(self.identity.borrow().clone())
    }

    async fn keep_identity(&self, identity: Identity, _: bool) -> Result<(), String> {
        self.identity.send_replace(identity);
        Ok(())
    }

    async fn holdings(&self) -> Holdings {
        Holdings::default()
    }

    async fn apply(&self, _: Chunk) -> Result<Vec<Outcome>, String> {
        self.chunks.send_modify(|chunks| *chunks += 1);
        Ok(vec![])
    }

    async fn news(&self) -> Vec<Outcome> {
        std::future::pending().await
    }

    fn state(&self, _: LinkState) {}
}

struct Served {
    authority: Arc<Authority>,
    address: String,
    _dir: tempfile::TempDir,
    _stop: tokio::sync::oneshot::Sender<()>,
}

async fn served() -> Served {
    let dir = tempfile::tempdir().expect("directory");
    let authority = Arc::new(Authority::open(dir.path()).expect("authority"));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("bound").to_string();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let office = Arc::new(OneNode(Arc::default()));
    tokio::spawn(serve(listener, authority.clone(), office, async { drop(stopped.await) }));
    Served { authority, address, _dir: dir, _stop: stop }
}

impl Served {
    fn identity(&self, node: &str, expires_in_hours: i64) -> Identity {
        self.identity_with(node, "uid", expires_in_hours)
    }

    fn identity_with(&self, node: &str, uid: &str, expires_in_hours: i64) -> Identity {
        let key = KeyPair::generate().expect("key");
        let not_after = OffsetDateTime::now_utc() + time::Duration::hours(expires_in_hours);
        let node = node.parse().expect("name");
        let certificate = self.authority.certify_key(&node, uid, &key, not_after).expect("certificate");
        let office = self.authority.certificate().to_vec();
        Identity {
            office,
            certificate: certificate.to_vec(),
            key: key.serialize_der(),
            token_digest: [0; 32],
        }
    }

    async fn as_node(&self, node: &str, expires_in_hours: i64) -> LinkClient<Channel> {
        let identity = self.identity(node, expires_in_hours);
        LinkClient::new(connect(&self.address, &identity).await.expect("connects"))
    }

    async fn as_nobody(&self) -> LinkClient<Channel> {
        let fingerprint = crate::authority::fingerprint(self.authority.certificate());
        LinkClient::new(connect_to_join(&self.address, fingerprint).await.expect("connects").0)
    }
}

/// What becomes of a stream that begins with these messages.
async fn session(client: &mut LinkClient<Channel>, said: Vec<from_agent::Message>) -> Result<(), Status> {
    let (sender, messages) = mpsc::channel(8);
    for message in said {
        sender.send(FromAgent { message: Some(message) }).await.expect("room");
    }
    client.session(ReceiverStream::new(messages)).await?.into_inner().message().await.map(drop)
}

fn hello(protocol: u32, node: &str) -> from_agent::Message {
    let hello = Hello { protocol, node: node.into(), agent_version: "test".into(), generation: 0 };
    from_agent::Message::Hello(hello)
}

fn inventory(key: &str) -> from_agent::Message {
    let held = vec![Held { key: key.into(), version: 1, error: String::new() }];
    from_agent::Message::Inventory(Inventory { held, more: false })
}

fn csr() -> bytes::Bytes {
    let key = KeyPair::generate().expect("key");
    rcgen::CertificateParams::default().serialize_request(&key).expect("request").der().to_vec().into()
}

#[tokio::test]
async fn without_a_certificate_only_joining_is_allowed() {
    let served = served().await;
    let mut client = served.as_nobody().await;
    let refused = session(&mut client, vec![hello(PROTOCOL, "node1"), inventory("k")]).await;
    assert_eq!(refused.expect_err("refused").code(), Code::Unauthenticated);
    let refused = client.renew(RenewRequest { csr_der: csr() }).await;
    assert_eq!(refused.expect_err("refused").code(), Code::Unauthenticated);
    let join = |node: &str, csr_der| JoinRequest { node: node.into(), secret: "x".into(), csr_der };
    // Nothing tells a node that there is from one that there is not.
    for node in ["node1", "stranger"] {
        let refused = client.join(join(node, csr())).await;
        assert_eq!(refused.expect_err("refused").code(), Code::PermissionDenied, "{node}");
        let rubbish = client.join(join(node, vec![1, 2, 3].into())).await;
        assert_eq!(rubbish.expect_err("refused").code(), Code::InvalidArgument, "{node}");
    }
}

#[tokio::test]
async fn a_certificate_is_good_for_its_own_node_while_the_office_has_it() {
    let served = served().await;
    let mut client = served.as_node("node1", 1).await;
    assert!(session(&mut client, vec![hello(PROTOCOL, "node1"), inventory("k")]).await.is_ok());
    assert!(client.renew(RenewRequest { csr_der: csr() }).await.is_ok());
    let other = session(&mut client, vec![hello(PROTOCOL, "node2"), inventory("k")]).await;
    assert_eq!(other.expect_err("refused").code(), Code::PermissionDenied);
    let mut client = served.as_node("node2", 1).await;
    let deleted = session(&mut client, vec![hello(PROTOCOL, "node2"), inventory("k")]).await;
    assert_eq!(deleted.expect_err("refused").code(), Code::PermissionDenied);
    let deleted = client.renew(RenewRequest { csr_der: csr() }).await;
    assert_eq!(deleted.expect_err("refused").code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_certificate_of_an_earlier_node_of_the_name_is_good_for_nothing() {
    let served = served().await;
    for hours in [1, -1] {
        let identity = served.identity_with("node1", "earlier", hours);
        let mut client = LinkClient::new(connect(&served.address, &identity).await.expect("connects"));
        assert!(session(&mut client, vec![hello(PROTOCOL, "node1"), inventory("k")]).await.is_err());
        let refused = client.renew(RenewRequest { csr_der: csr() }).await.expect_err("refused");
        assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
    }
}

#[tokio::test]
async fn an_expired_certificate_can_be_renewed_for_a_while_and_nothing_else() {
    let served = served().await;
    let mut client = served.as_node("node1", -1).await;
    let refused = session(&mut client, vec![hello(PROTOCOL, "node1"), inventory("k")]).await;
    assert_eq!(refused.expect_err("refused").code(), Code::Unauthenticated);
    assert!(client.renew(RenewRequest { csr_der: csr() }).await.is_ok());
    let grace_hours = i64::try_from(crate::tls::RENEWAL_GRACE.as_secs() / 3600).expect("fits");
    let identity = served.identity("node1", -grace_hours - 1);
    // TLS 1.3 tells a client that its certificate is refused only after the handshake.
    let late = match connect(&served.address, &identity).await {
        Ok(channel) => LinkClient::new(channel).renew(RenewRequest { csr_der: csr() }).await.is_ok(),
        Err(_) => false,
    };
    assert!(!late);
}

#[tokio::test]
async fn messages_out_of_bounds_or_order_end_the_stream() {
    let served = served().await;
    let mut client = served.as_node("node1", 1).await;
    let long = "k".repeat(KEY_BYTES_MAX + 1);
    for (said, code) in [
        (vec![hello(PROTOCOL + 1, "node1"), inventory("k")], Code::FailedPrecondition),
        (vec![inventory("k")], Code::InvalidArgument),
        (vec![hello(PROTOCOL, "node1"), hello(PROTOCOL, "node1")], Code::InvalidArgument),
        (vec![hello(PROTOCOL, "node1"), inventory(&long)], Code::InvalidArgument),
        (vec![hello(PROTOCOL, "node1"), inventory("")], Code::InvalidArgument),
    ] {
        let text = format!("{said:?}");
        assert_eq!(session(&mut client, said).await.expect_err("refused").code(), code, "{text}");
    }
}

#[tokio::test]
async fn an_agent_whose_certificate_has_expired_renews_it_by_itself_and_goes_on() {
    let served = served().await;
    let expired = served.identity("node1", -1);
    let node = Arc::new(Bare {
        identity: tokio::sync::watch::Sender::new(expired.clone()),
        chunks: tokio::sync::watch::Sender::new(0),
    });
    let config = LinkConfig {
        controller: served.address.clone(),
        node: "node1".parse().expect("name"),
        agent_version: "test".into(),
        backoff_min: std::time::Duration::from_millis(5),
        backoff_max: std::time::Duration::from_millis(50),
    };
    let link = tokio::spawn(Link::new(config, node.clone()).run());
    let mut chunks = node.chunks.subscribe();
    chunks.wait_for(|chunks| *chunks > 0).await.expect("a stream");
    let renewed = node.identity.borrow().clone();
    assert_ne!(renewed.certificate, expired.certificate);
    assert_ne!(renewed.key, expired.key);
    assert_eq!(renewed.office, expired.office);
    link.abort();
}
