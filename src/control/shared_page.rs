//! A page that many readers share: readers that wait together have one rendering.
//!
//! A reader gets a text whose rendering began after it had asked, so a page is never older than its
//! request. Between two renderings there is a pause of some times what the last one took, so that
//! readers in a loop, however many, cost a bounded share of one core. A reader that comes when none
//! was there before does not wait.

use crate::limits::{PAGE_PAUSE_MILLIS, PAGE_SHARE};
use axum::body::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

/// The last rendering of one page.
#[derive(Debug, Default)]
pub(crate) struct SharedPage {
    last: Arc<Mutex<Last>>,
}

#[derive(Debug, Default)]
struct Last {
    /// When it began; `None` before the first.
    began: Option<Instant>,
    /// When the next may begin.
    next: Option<Instant>,
    text: Bytes,
}

impl SharedPage {
    /// The text, rendered on a thread that may block. An error if rendering ended by a fault of the
    /// program.
    pub(crate) async fn read(
        &self,
        render: impl FnOnce() -> Result<Vec<u8>, String> + Send + 'static,
    ) -> Result<Bytes, String> {
        let asked = Instant::now();
        // In turn: who waits here while another renders finds the text of the next.
        let mut last = Arc::clone(&self.last).lock_owned().await;
        if last.began.is_some_and(|began| began >= asked) {
            return Ok(last.text.clone());
        }
        // Apart from the reader: one that goes away takes neither the turn nor the pause with it.
        let rendering = tokio::spawn(async move {
            if let Some(next) = last.next {
                sleep_until(next).await;
            }
            let began = Instant::now();
            let text = spawn_blocking(render).await.map_err(|fault| fault.to_string());
            last.next = Some(Instant::now() + pause(began.elapsed()));
            last.text = text??.into();
            last.began = Some(began);
            Ok(last.text.clone())
        });
        rendering.await.map_err(|fault| fault.to_string())?
    }
}

/// The pause behind a rendering that took so long.
fn pause(took: Duration) -> Duration {
    (took * (PAGE_SHARE - 1)).min(Duration::from_millis(PAGE_PAUSE_MILLIS))
}

#[cfg(test)]
mod tests;
