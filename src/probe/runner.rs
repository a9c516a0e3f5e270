//! Queue of checks: runs each in a task of its own and returns the result with its ticket.

use super::Prober;
use super::load::FeedRequest;
use crate::health::probe_result::ProbeResult;
use crate::health::targets::Target;
use crate::sys::caught::caught;
use std::sync::Arc;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Check to run, with the ticket under which its result is returned.
pub(crate) type Work = (u64, Target);

/// Runs checks from `work` until the token is cancelled, or until the channel is closed and all
/// checks are done.
///
/// `done` is called once for each check, on the task that ran it, and must not block. Results come
/// in any order. A hanging target delays no other, unless as many hang as may run at once; then the
/// next check waits for a place, and its timeout does not run yet. On cancellation running checks
/// are dropped without a result, their connections closed and their programs killed.
pub async fn run<D>(prober: Arc<Prober>, work: Receiver<Work>, done: D, stop: CancellationToken)
where
    D: Fn(u64, ProbeResult) + Clone + Send + Sync + 'static,
{
    let at_once = prober.checks_at_once;
    let start = |(ticket, target): Work| {
        let (prober, done) = (Arc::clone(&prober), done.clone());
        // A panic is a fault of this program, not of the target.
        let fault = ProbeResult::without("the check itself is at fault (panic); please report it");
        async move { done(ticket, caught(prober.run(&target)).await.unwrap_or(fault)) }
    };
    each(work, start, at_once, stop).await;
}

/// Reads load feeds as [`run`] runs checks: `done` takes the ticket and the number, or one line
/// with the reason of the failure.
pub async fn read<D>(prober: Arc<Prober>, work: Receiver<FeedRequest>, done: D, stop: CancellationToken)
where
    D: Fn(u64, Result<f64, Arc<str>>) + Clone + Send + Sync + 'static,
{
    let at_once = prober.feeds_at_once;
    let start = |reading: FeedRequest| {
        let (prober, done) = (Arc::clone(&prober), done.clone());
        let fault = Err("the reading itself is at fault (panic); please report it".into());
        async move { done(reading.ticket, caught(prober.read(&reading)).await.unwrap_or(fault)) }
    };
    each(work, start, at_once, stop).await;
}

/// Runs one task for each item of `work`, at most `at_once` at a time.
async fn each<W, F>(mut work: Receiver<W>, start: impl Fn(W) -> F, at_once: usize, stop: CancellationToken)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(_) = running.join_next() => {}
            next = work.recv(), if running.len() < at_once => {
                let Some(next) = next else { break };
                running.spawn(start(next));
            }
        }
    }
    tokio::select! {
        () = stop.cancelled() => running.shutdown().await,
        () = async { while running.join_next().await.is_some() {} } => {}
    }
}
