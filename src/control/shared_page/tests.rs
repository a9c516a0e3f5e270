//! Tests of the readers of one page.

use super::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinSet;

/// Readers that ask during a rendering share the next rendering. No reader gets a text that is
/// older than its request.
#[tokio::test]
async fn readers_that_wait_together_have_one_rendering() {
    let (page, renderings) = (Arc::new(SharedPage::default()), Arc::new(AtomicUsize::new(0)));
    let (started, running) = std::sync::mpsc::channel();
    let (go, held) = std::sync::mpsc::channel::<()>();
    let read = |held: Option<std::sync::mpsc::Receiver<()>>| {
        let (page, renderings, started) = (Arc::clone(&page), Arc::clone(&renderings), started.clone());
        async move {
            let render = move || {
                let _ = started.send(());
                held.map(|held| held.recv());
                Ok(renderings.fetch_add(1, Ordering::SeqCst).to_string().into_bytes())
            };
            page.read(render).await.expect("no fault")
        }
    };
    let first = tokio::spawn(read(Some(held)));
    tokio::task::spawn_blocking(move || running.recv()).await.expect("a thread").expect("it runs");
    let mut others = JoinSet::new();
    for _ in 0..100 {
        others.spawn(read(None));
    }
    // All have asked: each was polled once, up to the lock.
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    go.send(()).expect("the first waits");
    assert_eq!(first.await.expect("no panic"), "0");
    assert!(others.join_all().await.iter().all(|text| text == "1"));
    assert_eq!(renderings.load(Ordering::SeqCst), 2);
    assert_eq!(read(None).await, "2", "who asks later has a later text");
}

/// A panic or an error of a rendering is returned, and the next rendering takes place.
#[tokio::test]
async fn a_fault_does_not_stay() {
    let page = SharedPage::default();
    assert!(page.read(|| panic!("the test panics here")).await.is_err());
    assert_eq!(page.read(|| Err("no".to_owned())).await, Err("no".to_owned()));
    assert_eq!(page.read(|| Ok(b"text".to_vec())).await, Ok(Bytes::from("text")));
}

/// Renderings use at most a tenth of a core, and a reader waits for at most a second.
#[test]
fn the_pause_follows_the_cost() {
    let rows = [(0, 0), (10, 90), (100, 900), (5_000, 1_000)];
    for (took, wanted) in rows {
        assert_eq!(pause(Duration::from_millis(took)), Duration::from_millis(wanted), "{took}");
    }
}

/// If a reader disconnects, its rendering goes on; the next one begins after its end, however many
/// readers connect and disconnect.
#[tokio::test]
async fn readers_that_go_away_pile_nothing_up() {
    let page = Arc::new(SharedPage::default());
    let (started, running) = std::sync::mpsc::channel();
    let (go, held) = std::sync::mpsc::channel::<()>();
    let held = Arc::new(std::sync::Mutex::new(held));
    let read = || {
        let (page, started, held) = (Arc::clone(&page), started.clone(), Arc::clone(&held));
        tokio::spawn(async move {
            let render = move || {
                let _ = started.send(());
                let _ = held.lock().expect("whole").recv();
                Ok(Vec::new())
            };
            page.read(render).await
        })
    };
    let first = read();
    let running = tokio::task::spawn_blocking(move || running.recv().map(|()| running));
    let running = running.await.expect("a thread").expect("it runs");
    first.abort();
    for _ in 0..50 {
        let reader = read();
        tokio::task::yield_now().await;
        reader.abort();
        assert!(reader.await.is_err(), "it waits for its turn");
    }
    assert!(running.try_recv().is_err(), "one rendering at a time");
    let last = read();
    go.send(()).expect("the first is held");
    go.send(()).expect("so is the last");
    assert!(last.await.expect("no panic").is_ok());
    assert_eq!(running.try_iter().count(), 1, "those who went away had none");
}
