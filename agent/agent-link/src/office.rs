//! What the controller end asks of the controller, and tells it.

use std::{future::Future, sync::Arc};

use net_types::{Generation, Name};

use crate::{NodeTable, Outcome};

/// The controller, as far as its end of the link needs it.
pub trait Office: Send + Sync + 'static {
    /// Takes a join token's secret out of use; succeeds once for each token that was given out for `node`.
    /// It must be durable before this returns: the certificate is made right after.
    fn redeem(&self, node: &Name, secret: &str) -> impl Future<Output = Result<(), JoinRefused>> + Send;

    /// What tells the node from an earlier one of the same name; `None`: there is no such node. It goes into the node's
    /// certificates, and a certificate with another one is refused. At most 64 letters, digits and hyphens.
    fn uid(&self, node: &Name) -> Option<String>;

    /// The desired resources of a node, completely loaded; `None` refuses the node's certificate.
    /// The same table each time, for as long as the node exists. See [`NodeTable::close`] for when it goes.
    fn table(&self, node: &Name) -> Option<Arc<NodeTable>>;

    /// Something happened on a node. Of one node the reports come one after the other: `Connected` first,
    /// `Disconnected` last, and the next `Connected` only after that. The link waits for this to return.
    fn report(&self, node: &Name, report: Report) -> impl Future<Output = ()> + Send;
}

/// What the controller hears of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// A stream is up. `Applied` follows with the state of all that the node held already and still should.
    Connected { agent_version: String, programmed: Generation },
    /// Resources are in the kernel, or why not. It may repeat what was reported before.
    Applied {
        /// The generation up to which everything has been tried in the kernel; `results` (now and before) say what
        /// failed. Parts of a later one may be in place already.
        generation: Generation,
        results: Vec<Outcome>,
    },
    /// The stream is gone, and why in words. The node goes on with what it has.
    Disconnected { reason: String },
}

/// Why a node may not join.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinRefused {
    /// One answer for wrong and used ones, and for nodes that are not there: a stranger learns nothing from it.
    #[error("the join token is not valid for this node, or has been used")]
    Token,
    /// The secret is the right one, too late.
    #[error("the join token has expired: the node needs a new one")]
    Expired,
    #[error("join tokens cannot be checked now: {0}")]
    Unavailable(String),
}
