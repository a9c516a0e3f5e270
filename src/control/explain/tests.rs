//! Tests of the bound of simultaneous explanations.

use super::*;
use std::sync::mpsc::channel;

/// As many explanations run at once as there are places; a further one is refused. A place stays
/// taken until its work ends, even if the client has disconnected, and is free after a panic.
#[tokio::test]
async fn places_go_with_the_work() {
    let places: &'static Semaphore = Box::leak(Box::new(Semaphore::new(2)));
    let (began, begins) = channel();
    let start = || {
        let (go, wait) = channel::<()>();
        let began = began.clone();
        let work = move || {
            began.send(()).expect("the test goes on");
            // Also ends when the sender is dropped.
            let _ = wait.recv();
        };
        (go, tokio::spawn(bounded(places, work)))
    };
    let (first, reader_of_first) = start();
    let (second, reader_of_second) = start();
    // Both hold a place once they run.
    tokio::task::spawn_blocking(move || (begins.recv(), begins.recv()))
        .await
        .expect("no panic")
        .0
        .expect("one");
    assert!(bounded(places, || ()).await.is_none(), "two are under way");
    reader_of_first.abort();
    assert!(reader_of_first.await.is_err_and(|error| error.is_cancelled()));
    assert!(bounded(places, || ()).await.is_none(), "the work of a reader who has gone goes on");
    drop(second);
    assert!(reader_of_second.await.expect("no panic").is_some_and(|done| done.is_ok()));
    assert!(bounded(places, || ()).await.is_some_and(|done| done.is_ok()));
    assert!(bounded(places, || panic!("on demand")).await.is_some_and(|done| done.is_err()));
    assert_eq!(places.available_permits(), 1, "a panic gives its place back");
    drop(first);
    drop(places.acquire_many(2).await.expect("never closed"));
}
