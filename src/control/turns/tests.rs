//! Tests of turns.

use super::*;
use crate::limits::PAGE_SHARE;
use std::time::Duration;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{sleep, timeout};

/// Time limit of a step, after which the test fails.
const PATIENCE: Duration = Duration::from_secs(30);

fn client(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

/// A client has one turn at a time, and a pause behind it that is a multiple of the work. Another
/// client does not wait for either.
#[tokio::test]
async fn a_turn_has_a_pause_behind_it() {
    let turns = Arc::new(Turns::default());
    let turn = turns.wait(client(1)).await.expect("room");
    let of_same = Arc::clone(&turns);
    let next = tokio::spawn(async move {
        let turn = of_same.wait(client(1)).await;
        (Instant::now(), turn.is_some())
    });
    let work = Duration::from_millis(30);
    sleep(work).await;
    let of_other = timeout(work, turns.wait(client(2))).await;
    assert!(of_other.is_ok_and(|turn| turn.is_some()), "another client has its turn");
    let ended = Instant::now();
    drop(turn);
    let (began, has_turn) = timeout(PATIENCE, next).await.expect("a turn comes").expect("no panic");
    assert!(has_turn);
    assert!(began >= ended + work * (PAGE_SHARE - 1), "{:?}", began - ended);
}

/// A few requests of a client wait; one more is refused, until they have had their turns.
#[tokio::test]
async fn few_requests_of_a_client_wait() {
    let turns = Arc::new(Turns::default());
    let turn = turns.wait(client(1)).await;
    assert!(turn.is_some());
    let mut waiting = JoinSet::new();
    for _ in 0..TURNS_WAITING_MAX {
        let turns = Arc::clone(&turns);
        waiting.spawn(async move { turns.wait(client(1)).await.is_some() });
    }
    let held = || Arc::strong_count(&turns.lines.lock().expect("no panic")[&client(1)]);
    while held() < TURNS_WAITING_MAX + 2 {
        yield_now().await;
    }
    assert!(turns.wait(client(1)).await.is_none());
    assert!(turns.wait(client(2)).await.is_some());
    drop(turn);
    let had = timeout(PATIENCE, waiting.join_all()).await.expect("each has its turn");
    assert!(had.into_iter().all(|has_turn| has_turn));
    assert!(turns.wait(client(1)).await.is_some());
}

/// The number of clients has a bound, and they are forgotten behind their pauses.
#[tokio::test]
async fn clients_are_bounded() {
    let turns = Turns::default();
    let address = |number: usize| IpAddr::from((number as u32).to_be_bytes());
    let mut held = Vec::new();
    for number in 0..TURN_CLIENTS_MAX {
        held.push(turns.wait(address(number)).await.expect("room"));
    }
    let one_more = || turns.wait(address(TURN_CLIENTS_MAX));
    assert!(one_more().await.is_none());
    drop(held);
    let is_alone = async || {
        let has_turn = one_more().await.is_some();
        has_turn && turns.lines.lock().expect("no panic").len() == 1
    };
    let alone = async {
        while !is_alone().await {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, alone).await.expect("the pauses end");
}
