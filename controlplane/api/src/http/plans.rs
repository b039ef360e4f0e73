//! Dry runs: what would be done, worked out by doing it and taking it back.

use axum::{
    Json,
    response::{IntoResponse as _, Response},
};

use super::{access::Access, graph::blocking, problem::Problem};
use crate::{
    Rejection,
    office::{Misplaced, Operation},
};

/// The plan of these operations; the rejection that they would get.
pub(super) async fn plan(
    access: &Access,
    operations: Vec<Operation>,
    place: fn(Misplaced) -> Rejection,
) -> Result<Result<Response, Rejection>, Problem> {
    let outline = access.office().admit(true, move |admission| {
        let done = admission.run_all(operations).map_err(place)?;
        Ok(admission.outline(&done))
    });
    match outline.await? {
        Ok(outline) => Ok(Ok(Json(blocking(move || outline.plan()).await?).into_response())),
        Err(rejection) => Ok(Err(rejection)),
    }
}
