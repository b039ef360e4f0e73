//! Objects whose turn it is, told to the service.

use hyper::{Method, StatusCode};
use net_types::Name;
use synchronizer::{
    Declaration, Failure, Item, Key, Kind, Limits, Observed, Outcome, Plugin, Retry, TenantInstances,
};
use xos_model::AnyObject;

use super::{
    COLLECTIONS, CONTROLLER, RELATIONS,
    client::{Call, CallError, Client},
    settings::Settings,
    wire,
};

const ANSWER_BYTES_MAX: usize = 64 << 10;
const OBSERVED_BYTES_MAX: usize = 16 << 20;

/// The service behind a Controller.
pub(super) struct Service {
    pub(super) controller: Name,
    pub(super) settings: Settings,
    pub(super) client: Client,
}

/// Where the service has an object.
fn path(key: &Key) -> String {
    let of_kind = |(kind, _): &(Kind, &str)| *kind == key.kind;
    let (_, collection) = COLLECTIONS.into_iter().find(of_kind).expect("only these are declared");
    format!("/{collection}/{}", key.name)
}

impl Plugin<AnyObject> for Service {
    fn declare(&self) -> Declaration {
        let Settings { concurrent, timeout, compare_every, .. } = self.settings;
        Declaration {
            relations: RELATIONS.to_vec(),
            anchor: Some(Key::new(CONTROLLER, self.controller.clone())),
            tenancies: true,
            limits: Limits { concurrent, timeout, ..Limits::default() },
            compare_every: Some(compare_every),
            ..Declaration::new(COLLECTIONS.map(|(kind, _)| kind))
        }
    }

    async fn apply(&self, item: &Item<AnyObject>) -> Outcome {
        let Some(body) = item.body.as_deref().and_then(|body| wire::told(body, &item.edges)) else {
            return Outcome::failed(format!("{} is nothing for a service", item.operation.key));
        };
        let call = Call {
            method: Method::PUT,
            path: &path(&item.operation.key),
            operation: Some(&item.operation),
            handle: item.handle.as_ref(),
            body,
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        match self.client.call(call).await {
            Ok(answer) => match wire::made(&answer) {
                Ok(made) => Outcome::Done(made),
                Err(message) => Outcome::failed(message),
            },
            Err(error) => error.into_outcome(),
        }
    }

    async fn remove(&self, item: &Item<AnyObject>) -> Outcome {
        let call = Call {
            method: Method::DELETE,
            path: &path(&item.operation.key),
            operation: Some(&item.operation),
            handle: item.handle.as_ref(),
            body: Vec::new(),
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        match self.client.call(call).await {
            Ok(_) | Err(CallError::Refused(StatusCode::NOT_FOUND, _)) => Outcome::done(),
            Err(error) => error.into_outcome(),
        }
    }

    async fn adopt(&self, item: &Item<AnyObject>) -> Outcome {
        let call = Call {
            method: Method::GET,
            path: &path(&item.operation.key),
            operation: Some(&item.operation),
            handle: item.handle.as_ref(),
            body: Vec::new(),
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        match self.client.call(call).await {
            Ok(answer) => match wire::made(&answer) {
                Ok(made) => Outcome::Done(made.found()),
                Err(message) => Outcome::failed(message),
            },
            Err(CallError::Refused(StatusCode::NOT_FOUND, words)) => {
                let message = format!("{} is not there to be adopted: {words}", item.operation.key);
                Outcome::Untouched(Failure { message, retry: Retry::BackOff })
            }
            Err(error) => error.into_outcome(),
        }
    }

    async fn observe(&self) -> Result<Option<Vec<Observed>>, Failure> {
        let call = Call {
            method: Method::GET,
            path: "/observed",
            operation: None,
            handle: None,
            body: Vec::new(),
            answer_bytes_max: OBSERVED_BYTES_MAX,
        };
        let failed = |message| Failure { message, retry: Retry::BackOff };
        match self.client.call(call).await {
            Ok(answer) => wire::observed(&answer).map(Some).map_err(failed),
            Err(CallError::Refused(StatusCode::NOT_FOUND | StatusCode::NOT_IMPLEMENTED, _)) => Ok(None),
            Err(error) => Err(failed(error.into_message())),
        }
    }

    async fn tenant_instances_changed(&self, change: &TenantInstances) -> Outcome {
        fn names(keys: &[Key]) -> Vec<&Name> {
            keys.iter().map(|key| &key.name).collect()
        }
        let TenantInstances { operation, service, tenant, instances, added, removed } = change;
        let body = wire::Instances {
            service: &service.name,
            tenant: &tenant.name,
            all: names(instances),
            added: names(added),
            removed: names(removed),
        };
        let call = Call {
            method: Method::PUT,
            path: &format!("{}/instances", path(&operation.key)),
            operation: Some(operation),
            handle: None,
            body: serde_json::to_vec(&body).expect("names are JSON"),
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        match self.client.call(call).await {
            Ok(_) => Outcome::done(),
            Err(error) => error.into_outcome(),
        }
    }
}
