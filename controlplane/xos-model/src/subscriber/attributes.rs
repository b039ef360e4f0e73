//! What a service is told of a subscriber: what the interfaces that it provides are about.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Attributes, InterfaceDirection, Link};

/// The type of an interface at which lines end: the tenancy tells the node, the port and the tags.
pub const ACCESS_LINE: &str = "access-line";
/// The type of an interface that serves a home: the tenancy tells its address, its share of NAT, rates and resolvers.
pub const HOME_NETWORK: &str = "home-network";
/// The type of an interface that leads to the Internet: the tenancy tells what is routed, and on which node.
pub const INTERNET_ROUTE: &str = "internet-route";

/// What the service at this place of a chain needs to know of the subscriber; nothing, if it provides none of the
/// interfaces that are known here.
pub fn subscriber_attributes(link: Link<'_>) -> Attributes {
    let (spec, status) = (&link.subscriber.spec, &link.subscriber.status);
    let mut told = Told::default();
    let provided =
        link.service_spec.interfaces.iter().filter(|one| one.direction == InterfaceDirection::Provides);
    for interface in provided {
        match interface.kind.as_str() {
            ACCESS_LINE => {
                told.of("node", &spec.access.node);
                told.of("port", &spec.access.port);
                told.of("sVid", spec.access.s_vid);
                told.of("cVid", spec.access.c_vid);
                told.of("mac", spec.mac);
            }
            HOME_NETWORK => {
                told.of("address", status.address);
                told.of("gateway", status.gateway);
                told.of("nat", status.nat);
                told.of("rateUp", spec.bundle.rate_up);
                told.of("rateDown", spec.bundle.rate_down);
                told.of("dns", Some(&spec.bundle.dns).filter(|dns| !dns.is_empty()));
            }
            INTERNET_ROUTE => {
                told.of("node", &spec.access.node);
                told.of("subnet", status.subnet);
                told.of("nat", status.nat);
            }
            _ => {}
        }
    }
    Attributes(told.0)
}

#[derive(Default)]
struct Told(Map<String, Value>);

impl Told {
    /// What is not there is left out.
    fn of(&mut self, key: &str, value: impl Serialize) {
        if let Ok(value) = serde_json::to_value(value)
            && !value.is_null()
        {
            self.0.insert(key.to_owned(), value);
        }
    }
}
