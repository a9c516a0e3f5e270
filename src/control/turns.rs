//! Turns: works of one client one after another, each with a pause behind it, so that a client in a
//! loop takes no more than a share of a core.
//!
//! A few requests of a client wait for its turn; one more is refused. Clients do not wait for each
//! other.

use crate::control::shared_page::pause;
use crate::limits::{TURN_CLIENTS_MAX, TURNS_WAITING_MAX};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Mutex as Line, OwnedMutexGuard};
use tokio::time::{Instant, sleep_until};

/// Turns of all clients.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// Line of each client. The one with the lock has its turn; the value is the end of the pause.
    lines: Mutex<HashMap<IpAddr, Arc<Line<Instant>>>>,
}

/// Turn of a client. Its drop begins the pause.
#[derive(Debug)]
pub(crate) struct Turn {
    end_of_pause: OwnedMutexGuard<Instant>,
    began: Instant,
}

impl Turns {
    /// Waits for the turn of a client; `None` if enough of its requests wait, or too many clients
    /// have turns.
    pub(crate) async fn wait(&self, client: IpAddr) -> Option<Turn> {
        let end_of_pause = self.line(client)?.lock_owned().await;
        sleep_until(*end_of_pause).await;
        Some(Turn { end_of_pause, began: Instant::now() })
    }

    /// Line of a client, with room for one more request.
    fn line(&self, client: IpAddr) -> Option<Arc<Line<Instant>>> {
        // No code under the lock can panic between two changes.
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        lines.retain(|_, line| {
            Arc::strong_count(line) > 1 || line.try_lock().is_ok_and(|end_of_pause| *end_of_pause > now)
        });
        if lines.len() >= TURN_CLIENTS_MAX && !lines.contains_key(&client) {
            return None;
        }
        let line = lines.entry(client).or_insert_with(|| Arc::new(Line::new(now)));
        // One count is that of the table, and one that of the request that has its turn.
        (Arc::strong_count(line) < 2 + TURNS_WAITING_MAX).then(|| Arc::clone(line))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *self.end_of_pause = Instant::now() + pause(self.began.elapsed());
    }
}

#[cfg(test)]
mod tests;
