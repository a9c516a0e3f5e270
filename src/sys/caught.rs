//! Panics as values, so that a fault of one piece of work does not end its caller.

use std::any::Any;
use std::cell::Cell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Once;
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

/// Message of a panic; `None` if its payload is no text.
pub(crate) fn words(panic: &(dyn Any + Send)) -> Option<String> {
    let words = panic.downcast_ref::<&str>().map(ToString::to_string);
    words.or_else(|| panic.downcast_ref::<String>().cloned())
}

thread_local! {
    /// Place of the last panic of the thread.
    static PLACE: Cell<Option<String>> = const { Cell::new(None) };
}

/// Has every panic of the process note its place, and then run the hook that was set before. Later
/// calls change nothing.
pub(crate) fn note_places() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // Without the place of a thread that ends, the message remains.
            let _ = PLACE.try_with(|place| place.set(info.location().map(ToString::to_string)));
            before(info);
        }));
    });
}

/// Place in the source text of the last panic of this thread, once [`note_places`] was called.
pub(crate) fn take_place() -> Option<String> {
    PLACE.take()
}
