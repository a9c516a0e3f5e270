//! Tests of the bounds of costly pages.

use super::*;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Time limit of a step, after which the test fails.
const PATIENCE: Duration = Duration::from_secs(30);

const USER: Asker = Asker { client: None, reader: Reader::Known };

fn costly() -> &'static Costly {
    Box::leak(Box::new(Costly::new()))
}

fn anyone(last: u8) -> Asker {
    Asker { client: Some([192, 0, 2, last].into()), reader: Reader::Anyone }
}

/// Work that has begun, and goes on until its end is dropped.
async fn begun(costly: &'static Costly, asker: Asker) -> (Sender<()>, JoinHandle<Result<(), Response>>) {
    let (end, ends) = channel::<()>();
    let (began, begins) = channel();
    let reader = tokio::spawn(costly.run(asker, move || {
        began.send(()).expect("the test goes on");
        // Ends when the sender is dropped.
        let _ = ends.recv();
    }));
    spawn_blocking(move || begins.recv()).await.expect("no panic").expect("it began");
    (end, reader)
}

/// As many works run at once as there are places, and a further one waits. A place stays taken
/// until its work ends, even if the client has disconnected, and is free after a panic.
#[tokio::test]
async fn places_go_with_the_work() {
    let costly = costly();
    let fault = costly.run(USER, || panic!("on demand")).await.expect_err("a fault");
    assert_eq!(fault.status(), 500);
    let mut works = Vec::new();
    for _ in 0..AT_ONCE {
        works.push(begun(costly, USER).await);
    }
    let (end, reader) = works.pop().expect("a work");
    reader.abort();
    assert!(reader.await.is_err_and(|error| error.is_cancelled()));
    assert_eq!(costly.at_once.available_permits(), 0, "the work of a reader who has gone goes on");
    let mut waiting = Box::pin(costly.run(USER, || ()));
    assert!(timeout(Duration::ZERO, &mut waiting).await.is_err());
    drop(end);
    assert!(timeout(PATIENCE, waiting).await.expect("a place is free").is_ok());
    drop(works);
    let all = costly.at_once.acquire_many(AT_ONCE as u32);
    assert!(timeout(PATIENCE, all).await.expect("places come back").is_ok());
}

/// Strangers from any number of addresses leave a place to known readers, and one stranger, who has
/// one turn at a time, leaves places to others. A known reader at the same address needs no turn.
#[tokio::test]
async fn strangers_leave_places() {
    let costly = costly();
    let (first, of_first) = begun(costly, anyone(1)).await;
    let mut again = Box::pin(costly.run(anyone(1), || ()));
    assert!(timeout(Duration::ZERO, &mut again).await.is_err());
    let known = Asker { reader: Reader::Known, ..anyone(1) };
    assert!(timeout(PATIENCE, costly.run(known, || ())).await.expect("a place").is_ok());
    let mut works = Vec::new();
    for last in 2..=OF_ANYONE as u8 {
        works.push(begun(costly, anyone(last)).await);
    }
    let mut further = Box::pin(costly.run(anyone(200), || ()));
    assert!(timeout(Duration::ZERO, &mut further).await.is_err());
    assert!(timeout(PATIENCE, costly.run(USER, || ())).await.expect("a place").is_ok());
    drop((first, works));
    assert!(of_first.await.expect("no panic").is_ok());
    assert!(timeout(PATIENCE, further).await.expect("a place").is_ok());
    assert!(timeout(PATIENCE, again).await.expect("its turn").is_ok());
}
