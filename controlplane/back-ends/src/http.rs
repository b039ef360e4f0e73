//! The plug-in `http`: a service outside the controller, in whatever language, is told of itself and its tenants by HTTP.
//!
//! A Controller with `plugin: http` says where the service is (`url`; `https`, or `http` on this very machine), which Secret
//! has its token (`credentials`, key `token`), who vouches for it (`caBundle`; else the authorities that the machine
//! believes), how long one call may take (`timeoutSeconds`) and how many there may be at a time (`concurrency`). Its one
//! parameter is `compareSeconds`, 10 to 86400, 300 unless said: after 50 to 100 % of that the service is asked what it has.
//!
//! The Services that name the Controller are told of, and the Tenants that are stored and whose provider is one of these.
//!
//! # Calls
//!
//! | call | means |
//! |---|---|
//! | `PUT URL/services/NAME` | the service is to be as this Service says |
//! | `DELETE URL/services/NAME` | nothing of it is to be left |
//! | `PUT URL/tenants/NAME` | the tenancy is to be as this Tenant says |
//! | `DELETE URL/tenants/NAME` | nothing of it is to be left; of no instance it still has, the service was told before |
//! | `PUT URL/tenants/NAME/instances` | the instances of the tenant have changed: these there are now |
//! | `GET URL/observed` | all that the service has; a service that cannot tell answers 404 or 501 |
//!
//! Each has `authorization: Bearer TOKEN`, if there are credentials, and, but for the last, these headers:
//! - `operation-id: KIND/NAME/UID/GENERATION`. Every call can come again, after a crash or a time-out, and must then have no
//!   second effect. A PUT of an older generation than the service has is to be refused with 409. The uid tells an object
//!   from an earlier one of the same name: a DELETE of another uid than is there has nothing to do, and succeeds.
//! - `operation-handle: TEXT`, what the service answered as `handle` when it was last told of the object.
//!
//! The body of a PUT of an object is `{"kind","metadata":{"name","uid","generation","labels"},"spec"}`, with the `spec` as the
//! office's API has it. That of `instances` is `{"service":NAME,"tenant":NAME,"instances":[NAME],"added":[NAME],
//! "removed":[NAME]}`: all instances that are ready and stay, and what of that is news. What may have been heard in a call
//! that did not end well is news again, so that an `added` instance may be known and a `removed` one not.
//!
//! An object is told of after all it stands on, and deleted before that: the Service before its Tenants, a Tenant before its
//! instances. There is one call at a time for each object. A call that takes too long is dropped; a service that is still
//! at it must not let it overtake the next.
//!
//! # Answers
//!
//! 2xx: it is so. The body is empty or JSON, of at most 64 KiB, of which two members are read: `handle`, the service's own
//! name for the thing (1 to 255 visible characters of ASCII), and `digest` (at most 255 bytes), a text that changes whenever
//! what the service has of the object changes. What `observed` says of the thing is compared with it.
//!
//! Anything else: it is not so, and nothing has been done of a PUT that was answered with 4xx. The `detail` of a problem (RFC
//! 9457) is what the object's status says to the operator. 400, 409, 413 and 422 mean that the object will never be taken
//! as it is: it is not told of before it changes. All others are tried again later, each time after a longer while. To
//! a DELETE 404 is as good as 204. Redirections are not followed.
//!
//! `observed` answers `{"items":[{"kind":"Service"|"Tenant","name","uid","handle"?,"digest"?}]}` of at most 16 MiB. What is
//! missing or differs in its digest is told again, and what no object asks for is deleted, so only what the office
//! has told of belongs there. Of a tenancy that was missing all instances are told again.

mod client;
mod plugin;
mod settings;
mod wire;

use synchronizer::{AnyPlugin, Kind, Relation};
use xos_model::{AnyObject, KindName};

use crate::{Given, Unsuitable};

pub const NAME: &str = "http";

const CONTROLLER: Kind = Kind::of(KindName::Controller);
const SERVICE: Kind = Kind::of(KindName::Service);
const TENANT: Kind = Kind::of(KindName::Tenant);

/// By which objects find their Controller, and are ordered.
pub const RELATIONS: [Relation; 2] = [
    Relation::new(SERVICE, "controller", CONTROLLER).leading(),
    Relation::new(TENANT, "provider", SERVICE).leading(),
];

/// Builds the plug-in; speaks to nobody yet.
///
/// # Errors
/// A Controller that says too little, or something that cannot be used: which field, and what to do.
pub fn make(given: &Given<'_>) -> Result<AnyPlugin<AnyObject>, Unsuitable> {
    let settings = settings::read(given)?;
    let client = client::Client::new(&settings)?;
    let controller = given.controller.name().clone();
    Ok(AnyPlugin::new(plugin::Service { controller, settings, client }))
}

#[cfg(test)]
mod tests;
