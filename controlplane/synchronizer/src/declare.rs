//! What a plug-in says of itself, once.

use std::time::Duration;

use crate::{Key, Kind};

/// Kinds that a plug-in acts on, what must come before what, and at what pace.
#[derive(Clone, Debug)]
pub struct Declaration {
    pub kinds: Vec<Kind>,
    pub relations: Vec<Relation>,
    pub journal: Journal,
    pub limits: Limits,
    pub back_off: BackOff,
    /// How often what the back end has is compared with what was applied; each time after 50–100 % of this.
    pub compare_every: Option<Duration>,
    /// Is told of the instances of its services' tenants ([`crate::Plugin::tenant_instances_changed`]).
    pub tenancies: bool,
    /// Objects are for this back end while a path of relations that lead ([`Relation::leading`]) goes from them to this
    /// one, such as the Controller that it is named after. Of kinds that are lazy here ([`Relation::lazy`]) those are that
    /// something here needs. None: as [`crate::Plugin::concerns`] and [`crate::Plugin::serves`] say.
    pub anchor: Option<Key>,
    /// Kinds without which what stands on them cannot be removed: one that is being deleted is still applied, while
    /// something stands on it.
    pub lingering: Vec<Kind>,
}

impl Declaration {
    pub fn new(kinds: impl IntoIterator<Item = Kind>) -> Self {
        Self {
            kinds: kinds.into_iter().collect(),
            relations: Vec::new(),
            journal: Journal::default(),
            limits: Limits::default(),
            back_off: BackOff::default(),
            compare_every: None,
            tenancies: false,
            anchor: None,
            lingering: Vec::new(),
        }
    }
}

/// An edge `from --name--> to` on which order depends: `to` is applied before `from`, and removed after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relation {
    pub from: Kind,
    pub name: &'static str,
    pub to: Kind,
    pub needs: Needs,
    /// See [`Declaration::anchor`].
    pub leads: bool,
}

/// What the relation means beyond order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Order only.
    Order,
    /// `from` is derived from `to` as well: when `to` has changed, `from` is applied again.
    Content,
    /// `to` is wanted at a back end only while a `from` needs it there: it is made then, and removed after the last.
    Lazily,
}

impl Relation {
    pub const fn new(from: Kind, name: &'static str, to: Kind) -> Self {
        Self { from, name, to, needs: Needs::Order, leads: false }
    }

    /// See [`Needs::Content`].
    #[must_use]
    pub const fn derived(self) -> Self {
        Self { needs: Needs::Content, ..self }
    }

    /// `to` is made when it is needed by `from`. See [`Needs::Lazily`].
    #[must_use]
    pub const fn lazy(self) -> Self {
        Self { needs: Needs::Lazily, ..self }
    }

    /// The way from `from` to its back end goes by `to`. See [`Declaration::anchor`].
    #[must_use]
    pub const fn leading(self) -> Self {
        Self { leads: true, ..self }
    }
}

/// Whether effects must be remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Journal {
    /// The back end gives handles: a record is written before and after each effect.
    #[default]
    Handles,
    /// The back end knows things by the object's own key, and to ask again for what is there, or to remove what is
    /// not, costs nothing. Nothing is recorded, and after a restart everything is applied once.
    Keyed,
    /// The back end ends with this process: what it had is applied once after a restart. That it had it is recorded, so
    /// that an object stays until it has been removed.
    Volatile,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls at a time.
    pub concurrent: usize,
    /// Objects in a call.
    pub batch_max: usize,
    /// For a call; what takes longer is dropped and counts as failed.
    pub timeout: Duration,
    /// For an acknowledgement; none: it may take for ever, as of a node that is switched off.
    pub acknowledgement_timeout: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { concurrent: 8, batch_max: 1, timeout: Duration::from_secs(30), acknowledgement_timeout: None }
    }
}

/// The n-th failure in a row waits for a random part of `min(cap, base · 2^(n-1))`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackOff {
    pub base: Duration,
    pub cap: Duration,
}

impl Default for BackOff {
    fn default() -> Self {
        Self { base: Duration::from_millis(500), cap: Duration::from_mins(5) }
    }
}

/// How the model spells tenancy: instance → slice → service ← tenant (of) ← tenancy → provider.
#[derive(Clone, Copy, Debug)]
pub struct TenancyShape {
    pub instance: Kind,
    /// Instance → slice.
    pub slice: &'static str,
    pub slice_kind: Kind,
    /// Slice → service.
    pub service: &'static str,
    pub tenancy: Kind,
    /// Tenancy → service that uses.
    pub tenant: &'static str,
    /// Tenancy → service that is used.
    pub provider: &'static str,
}

impl Default for TenancyShape {
    fn default() -> Self {
        Self {
            instance: Kind::new("Instance"),
            slice: "slice",
            slice_kind: Kind::new("Slice"),
            service: "service",
            tenancy: Kind::new("Tenant"),
            tenant: "tenant.name",
            provider: "provider",
        }
    }
}
