//! Panics of futures, as values: a fault of one piece of work is not the end of who runs it.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// What a future gives; the error is what its panic carries.
pub(crate) async fn caught<R>(future: impl Future<Output = R>) -> Result<R, Box<dyn Any + Send>> {
    let mut future = pin!(future);
    poll_fn(move |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(polled) => polled.map(Ok),
        // It is not polled again.
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}
