//! How much of requests' bodies is held at once.

use std::sync::Arc;

use axum::body::Body;
use futures::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    limits::{BODIES_BYTES_MAX, BODIES_TIMEOUT, DRAINED_BYTES_MAX},
    problem::Problem,
};

/// Bytes that are reserved at a time.
const STEP: usize = 64 << 10;

/// Room for bodies. It is taken as they come, not as they are announced: who says that much will come and sends none of
/// it takes nothing from anybody.
pub(super) struct Bodies(Arc<Semaphore>);

impl Default for Bodies {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(BODIES_BYTES_MAX / STEP)))
    }
}

impl Bodies {
    /// The whole body, of at most `limit` bytes, and its room, which is to be kept for as long as the body is.
    pub(super) async fn read(
        &self,
        body: Body,
        limit: usize,
    ) -> Result<(Vec<u8>, Option<OwnedSemaphorePermit>), Problem> {
        let mut chunks = body.into_data_stream();
        let (mut bytes, mut length) = (Vec::new(), 0);
        let mut room: Option<OwnedSemaphorePermit> = None;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(Problem::unreadable)?;
            length += chunk.len();
            if length > DRAINED_BYTES_MAX {
                break;
            }
            if length > limit {
                // It will be refused, and is read for a while so that the answer is seen.
                (bytes, room) = (Vec::new(), None);
                continue;
            }
            let missing = length.div_ceil(STEP) - room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
            if missing > 0 {
                let more = self.take(missing).await?;
                match &mut room {
                    Some(room) => room.merge(more),
                    None => room = Some(more),
                }
            }
            bytes.extend_from_slice(&chunk);
        }
        if length <= limit { Ok((bytes, room)) } else { Err(Problem::too_large(limit)) }
    }

    async fn take(&self, steps: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let steps = u32::try_from(steps).map_err(Problem::internal)?;
        let room = self.0.clone().acquire_many_owned(steps);
        let room = tokio::time::timeout(BODIES_TIMEOUT, room).await.map_err(|_| Problem::no_room())?;
        room.map_err(Problem::internal)
    }
}

#[cfg(test)]
mod tests;
