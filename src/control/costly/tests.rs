//! Tests of the bounds of costly pages.

use super::*;
use std::sync::mpsc::channel;

const USER: Asker = Asker { client: None, reader: Reader::Known };
const ANYONE: Asker = Asker { client: None, reader: Reader::Anyone };

fn costly() -> &'static Costly {
    Box::leak(Box::new(Costly::new("maps")))
}

/// As many works run at once as there are places; a further one is refused. A place stays taken
/// until its work ends, even if the client has disconnected, and is free after a panic.
#[tokio::test]
async fn places_go_with_the_work() {
    let maps = costly();
    let (began, begins) = channel();
    let start = || {
        let (go, wait) = channel::<()>();
        let began = began.clone();
        let work = move || {
            began.send(()).expect("the test goes on");
            // Also ends when the sender is dropped.
            let _ = wait.recv();
        };
        (go, tokio::spawn(maps.run(USER, work)))
    };
    let (first, reader_of_first) = start();
    let (second, reader_of_second) = start();
    // Both hold a place once they run.
    spawn_blocking(move || (begins.recv(), begins.recv())).await.expect("no panic").0.expect("one");
    let refused = maps.run(USER, || ()).await.expect_err("two are under way");
    assert_eq!(refused.status(), 503);
    reader_of_first.abort();
    assert!(reader_of_first.await.is_err_and(|error| error.is_cancelled()));
    assert!(maps.run(USER, || ()).await.is_err(), "the work of a reader who has gone goes on");
    drop(second);
    assert!(reader_of_second.await.expect("no panic").is_ok());
    assert!(maps.run(USER, || ()).await.is_ok());
    let fault = maps.run(USER, || panic!("on demand")).await.expect_err("a fault");
    assert_eq!(fault.status(), 500);
    assert_eq!(maps.at_once.available_permits(), 1, "a panic gives its place back");
    drop(first);
    drop(maps.at_once.acquire_many(2).await.expect("never closed"));
}

/// One place stays for known readers.
#[tokio::test]
async fn strangers_leave_a_place() {
    let maps = costly();
    let (go, wait) = channel::<()>();
    let (began, begins) = channel();
    let of_anyone = tokio::spawn(maps.run(ANYONE, move || {
        began.send(()).expect("the test goes on");
        let _ = wait.recv();
    }));
    spawn_blocking(move || begins.recv()).await.expect("no panic").expect("it began");
    assert!(maps.run(ANYONE, || ()).await.is_err());
    assert!(maps.run(USER, || ()).await.is_ok());
    assert!(maps.run_in_line(ANYONE, || ()).await.is_ok(), "cheaper work has all places");
    drop(go);
    assert!(of_anyone.await.expect("no panic").is_ok());
    assert!(maps.run(ANYONE, || ()).await.is_ok());
}
