//! The services of a central office, made when there has never been one in the store.

use intent_store::{Stopped, Table};
use serde_json::{Value, json};
use xos_model::{ACCESS_LINE, HOME_NETWORK, INTERNET_ROUTE, KindName};

use super::{Draft, Office, Operation, Rejection, Verb, object_key};

/// Whether they have been made. It stays, so that what an operator takes away does not come back.
const MARK: &str = "founding/services";

impl Office {
    /// At an office's first start: makes the services vOLT, vCPE and vBNG, and the tenancies by which each subscriber's
    /// chain leads through them. They are ordinary objects: whatever is there under one of the names stays as it is.
    pub async fn found(&self) -> Result<Result<(), Rejection>, Stopped> {
        if self.store.get(Table::Claims, MARK).is_some() {
            return Ok(Ok(()));
        }
        let founded = self.admit(false, |admission| {
            let mut operations = Vec::new();
            for (kind, object) in objects() {
                let draft = Draft::from_value(kind, object).map_err(Rejection::invalid)?;
                if !admission.txn.contains(Table::Objects, &object_key(kind, &draft.metadata().name)) {
                    operations.push(Operation::put(Verb::Create, draft));
                }
            }
            admission.run_all(operations).map_err(|misplaced| misplaced.rejection)?;
            admission.txn.put(Table::Claims, MARK, b"made".as_slice());
            Ok(())
        });
        let Err(rejection) = founded.await? else { return Ok(Ok(())) };
        // Under these names an operator has something that does not fit: then it is the operator's office.
        tracing::warn!(%rejection, "the services of a central office are not made: other objects have their names");
        let marked = self.admit(false, |admission| {
            admission.txn.put(Table::Claims, MARK, b"left".as_slice());
            Ok(())
        });
        marked.await
    }
}

fn objects() -> [(KindName, Value); 5] {
    let interface =
        |name: &str, kind: &str, direction: &str| json!({"name": name, "type": kind, "direction": direction});
    let service = |name: &str, description: &str, accepts: (&str, &str), interfaces: Value| {
        let spec = json!({
            "serviceType": name, "version": "1", "description": description,
            "accepts": {"tenants": [accepts.0], "connect": [accepts.1]}, "interfaces": interfaces,
        });
        (KindName::Service, json!({"kind": "Service", "metadata": {"name": name}, "spec": spec}))
    };
    let tenancy = |tenant: &str, provider: &str, connect: &str| {
        let spec = json!({
            "tenant": {"kind": "Service", "name": tenant}, "provider": provider, "connect": connect, "perTenant": true,
        });
        let name = format!("{tenant}-{provider}");
        (KindName::Tenant, json!({"kind": "Tenant", "metadata": {"name": name}, "spec": spec}))
    };
    let mut volt = service(
        "volt",
        "The optical line terminal, virtualized: the access line",
        ("Subscriber", "shared"),
        json!([interface("line", ACCESS_LINE, "provides"), interface("home", HOME_NETWORK, "requires")]),
    );
    volt.1["spec"]["perSubscriber"] = json!(true);
    [
        volt,
        service(
            "vcpe",
            "The customer premises equipment, virtualized: leases, NAT, rates",
            ("Service", "shared"),
            json!([
                interface("home", HOME_NETWORK, "provides"),
                interface("uplink", INTERNET_ROUTE, "requires")
            ]),
        ),
        service(
            "vbng",
            "The broadband network gateway, virtualized: routing to the core",
            ("Service", "public"),
            json!([interface("uplink", INTERNET_ROUTE, "provides")]),
        ),
        tenancy("volt", "vcpe", "shared"),
        tenancy("vcpe", "vbng", "public"),
    ]
}
