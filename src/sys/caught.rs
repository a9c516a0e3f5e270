//! Panics of futures as values, so that a fault of one piece of work does not end its caller.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// Output of a future; the error is the payload of its panic.
pub(crate) async fn caught<R>(future: impl Future<Output = R>) -> Result<R, Box<dyn Any + Send>> {
    let mut future = pin!(future);
    poll_fn(move |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(polled) => polled.map(Ok),
        // The future is not polled again.
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}
