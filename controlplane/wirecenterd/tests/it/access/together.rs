//! Rights in transactions of several operations.

use hyper::Method;
use serde_json::{Value, json};

use super::{binding, make, network, slice, token, two_sites, user};
use crate::controller::{Controller, run};

#[test]
fn what_may_not_be_done_is_said_before_what_cannot_be() {
    run(async {
        let controller = Controller::start().await;
        two_sites(&controller).await;
        make(&controller, &[user("ann"), binding("ann", "site-admin", "Site/north")]).await;
        let ann = token(&controller, "ann").await;
        let said = async |operations: Value| {
            let body = json!({"operations": operations});
            let answer = controller.call_as(&ann, Method::POST, "/api/v1/transactions", &body).await;
            (answer.status.as_u16(), answer.places().concat())
        };
        let create = |object: Value| json!({"op": "create", "object": object});
        let apply = |object: Value| json!({"op": "apply", "object": object});
        let taken = || create(network("cdn-lan", "cdn"));
        let place = |operation: usize, pointer: &str| format!("/operations/{operation}/object{pointer}");
        let conflict = (409, place(0, "/metadata/name"));
        assert_eq!(said(json!([taken(), create(network("new", "cdn"))])).await, conflict);
        // What is made elsewhere, changed elsewhere, deleted elsewhere.
        let web = json!({"kind": "Slice", "metadata": {"name": "web"}});
        for other in [
            create(network("new", "web")),
            apply(slice("web", "south")),
            json!({"op": "delete", "object": web}),
        ] {
            assert_eq!(said(json!([taken(), other.clone()])).await, (403, place(1, "")), "{other}");
            assert_eq!(said(json!([other.clone(), taken()])).await, (403, place(0, "")), "{other}");
        }
        // What a later operation of the same transaction would have given a right to is no such thing.
        let slice = create(slice("another", "north"));
        let network = create(network("another-lan", "another"));
        assert_eq!(said(json!([taken(), network.clone(), slice.clone()])).await, conflict);
        let both = json!({"operations": [network, slice]});
        let made = controller.call_as(&ann, Method::POST, "/api/v1/transactions", &both).await;
        assert_eq!(made.status, 200, "{made:?}");
    });
}
