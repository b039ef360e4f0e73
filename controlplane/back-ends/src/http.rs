//! The plug-in `http`: a service outside the controller, in whatever language, is told of itself and its tenants by HTTP; a
//! cloud, of its machines and networks.
//!
//! A Controller with `plugin: http` says where the service is (`url`; `https`, or `http` on this very machine), which Secret
//! has its token (`credentials`, key `token`), who vouches for it (`caBundle`; else the authorities that the machine
//! believes), how long one call may take (`timeoutSeconds`) and how many there may be at a time (`concurrency`). Its one
//! parameter is `compareSeconds`, 10 to 86400, 300 unless said: after 50 to 100 % of that the service is asked what it has.
//!
//! The Services that name the Controller are told of, and the Tenants that are stored and whose provider is one of these. A
//! Deployment that names it makes a cloud of it: told of are the Instances that are to run in that Deployment
//! (`placement.deployment`), and of Networks those that such an Instance is attached to, from before the first of them is
//! made until after the last is gone.
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
//! | `PUT URL/networks/NAME` | the network is to be as this Network says |
//! | `DELETE URL/networks/NAME` | nothing of it is to be left: no instance here is attached to it any more |
//! | `PUT URL/instances/NAME` | the machine is to be as this Instance says |
//! | `DELETE URL/instances/NAME` | nothing of it is to be left |
//! | `GET URL/KINDS/NAME` | whether that is there: it is to be adopted, not made |
//! | `GET URL/observed` | all that the service has; a service that cannot tell answers 404 or 501 |
//!
//! Each has `authorization: Bearer TOKEN`, if there are credentials, and, but for the last, these headers:
//! - `operation-id: KIND/NAME/UID/GENERATION`. Every call can come again, after a crash or a time-out, and must then have no
//!   second effect. A PUT of an older generation than the service has is to be refused with 409. The uid tells an object
//!   from an earlier one of the same name: a DELETE of another uid than is there has nothing to do, and succeeds.
//! - `operation-handle: TEXT`, what the service answered as `handle` when it was last told of the object.
//!
//! The body of a PUT of an object is `{"kind","metadata":{"name","uid","generation","labels"},"spec"}`, with the `spec` as the
//! office's API has it. That of an Instance has two members more, `"networks":[NAME]`, all that it is attached to, and
//! `"status":{"node":NAME}`, without the node while the office has placed it on none. These turn without a new generation:
//! it is told of again, and is to be taken. That of a tenant's `instances` is `{"service":NAME,"tenant":NAME,
//! "instances":[NAME],"added":[NAME],"removed":[NAME]}`: all instances that are ready and stay, and what of that is news.
//! What may have been heard in a call that did not end well is news again, so that an `added` instance may be known and a
//! `removed` one not.
//!
//! An object is told of after all it stands on, and deleted before that: the Service before its Tenants, a Tenant before its
//! instances; a Network before the Instances that are attached to it. A tenant's instances are ready when their own cloud, if
//! they are in any, has them. There is one call at a time for each object. A call that takes too long is dropped; a service
//! that is still at it must not let it overtake the next.
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
//! # What was there before
//!
//! An object that is adopted (`metadata.adopted`) is asked for by a GET where others are told of by a PUT, and never changed
//! or deleted, also when it goes or is not needed any more; nothing is said then. 2xx is answered as to a PUT: it is there.
//! 404: it is not, which its status says to the operator, and it is asked for again later.
//!
//! # What is observed
//!
//! `observed` answers `{"items":[{"kind":"Service"|"Tenant"|"Instance"|"Network","name","uid","handle"?,"digest"?,
//! "adopted"?}]}` of at most 16 MiB. What is missing or differs in its digest is told again, and what no object asks for is
//! deleted, so only what the office has told of belongs there. What it has asked for by a GET is there with
//! `"adopted":true`, and is asked for again where others are told again. Of a tenancy that was missing all instances are told
//! again.

mod client;
mod plugin;
mod settings;
mod wire;

use synchronizer::{AnyPlugin, Kind, Relation};
use xos_model::{ATTACHED, AnyObject, KindName};

use crate::{Given, Unsuitable};

pub const NAME: &str = "http";

const CONTROLLER: Kind = Kind::of(KindName::Controller);
const SERVICE: Kind = Kind::of(KindName::Service);
const TENANT: Kind = Kind::of(KindName::Tenant);
const DEPLOYMENT: Kind = Kind::of(KindName::Deployment);
const INSTANCE: Kind = Kind::of(KindName::Instance);
const NETWORK: Kind = Kind::of(KindName::Network);

/// What a service is told of, and where it has that.
const COLLECTIONS: [(Kind, &str); 4] =
    [(SERVICE, "services"), (TENANT, "tenants"), (INSTANCE, "instances"), (NETWORK, "networks")];

/// By which objects find their Controller, and are ordered. Nobody is told of a Deployment: it leads its instances.
pub const RELATIONS: [Relation; 5] = [
    Relation::new(SERVICE, "controller", CONTROLLER).leading(),
    Relation::new(TENANT, "provider", SERVICE).leading(),
    Relation::new(DEPLOYMENT, "controller", CONTROLLER).leading(),
    Relation::new(INSTANCE, "placement.deployment", DEPLOYMENT).leading(),
    Relation::new(INSTANCE, ATTACHED, NETWORK).lazy(),
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
