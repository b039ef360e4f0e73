//! The command line.

use std::{
    net::SocketAddr,
    num::{NonZeroU32, NonZeroU64},
    path::PathBuf,
};

/// The controller of a Wirecenter office: keeps what the office should be, and tells its nodes.
///
/// Everything it knows is in the data directory, synced before it is acknowledged; it can be killed at any point.
/// Packets do not depend on it.
#[derive(Debug, clap::Parser)]
#[command(version)]
pub(crate) struct Args {
    /// Where the store and the office's CA and keys are kept; made if missing, for root only.
    #[arg(long, value_name = "DIR", default_value = "/var/lib/wirecenter", env = "WIRECENTER_DATA_DIR")]
    pub(crate) data_dir: PathBuf,

    /// The unix socket of the API. It is made for root only (mode 0600), who may do everything.
    #[arg(long, value_name = "PATH", default_value = "/run/wirecenter/api.sock", env = "WIRECENTER_SOCKET")]
    pub(crate) socket: PathBuf,

    /// Where agents reach the controller (TLS; they join with a token and then hold a certificate).
    #[arg(long, value_name = "ADDR:PORT", default_value = "[::]:7443")]
    pub(crate) agent_listen: SocketAddr,

    /// Also serve the API here, over TLS, to everyone who has a token; without this, only the socket is served. The
    /// certificate is the office's own, for the names of --tls-name, unless --tls-cert gives another.
    #[arg(long, value_name = "ADDR:PORT", env = "WIRECENTER_LISTEN")]
    pub(crate) listen: Option<SocketAddr>,

    /// A host name or address by which clients reach the API; may be given several times. `localhost` always is one.
    #[arg(long, value_name = "NAME", requires = "listen", conflicts_with = "tls_cert")]
    pub(crate) tls_name: Vec<String>,

    /// The API's certificate, and those that vouch for it, in PEM; read once, at the start.
    #[arg(long, value_name = "FILE", requires_all = ["listen", "tls_key"])]
    pub(crate) tls_cert: Option<PathBuf>,

    /// The key of --tls-cert, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Audit records that are kept; beyond that the oldest go.
    #[arg(long, value_name = "RECORDS", default_value = "500000")]
    pub(crate) audit_keep: NonZeroU64,

    /// Fill the data directory, which must have no store, CA and keys yet, from a backup, and end. A backup has all that is
    /// needed: tokens go on working, nodes stay joined, secrets open. For the same reason, whoever has a backup has the
    /// office: guard it as you guard the data directory.
    #[arg(long, value_name = "FILE")]
    pub(crate) restore: Option<PathBuf>,

    /// Make a new key for secrets, seal all of them with it, and end. The controller must not be running. Older keys stay
    /// in the key file, for backups made with them.
    #[arg(long, conflicts_with = "restore")]
    pub(crate) rotate_key: bool,

    /// API requests a second that each user may make for ever; root on the local socket is not limited.
    #[arg(long, value_name = "REQUESTS", default_value = "2000")]
    pub(crate) rate_limit: NonZeroU32,

    /// API requests that each user may make at once.
    #[arg(long, value_name = "REQUESTS", default_value = "10000")]
    pub(crate) rate_burst: NonZeroU32,
}

impl Args {
    pub(crate) fn rate_limit(&self) -> api::RateLimit {
        api::RateLimit { per_second: self.rate_limit, burst: self.rate_burst }
    }
}
