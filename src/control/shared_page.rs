//! A page that many readers share: waiting readers get the same rendering.
//!
//! A reader gets a text whose rendering began after the request, so a page is never older than its
//! request. The pause after a rendering is a multiple of the duration of the rendering, but at most
//! [`PAGE_PAUSE_MILLIS`], so that many readers cannot fill a core with renderings, and none waits
//! long. A request after the pause does not wait.

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
    /// Begin of the rendering; `None` before the first.
    began: Option<Instant>,
    /// Earliest begin of the next rendering.
    next: Option<Instant>,
    text: Bytes,
}

impl SharedPage {
    /// Text of the page, rendered on a thread that may block. The error is a panic of the
    /// rendering, or its own error.
    pub(crate) async fn read(
        &self,
        render: impl FnOnce() -> Result<Vec<u8>, String> + Send + 'static,
    ) -> Result<Bytes, String> {
        let asked = Instant::now();
        // Readers take turns: those that wait here during a rendering get the text of the next
        // rendering.
        let mut last = Arc::clone(&self.last).lock_owned().await;
        if last.began.is_some_and(|began| began >= asked) {
            return Ok(last.text.clone());
        }
        // A task of its own: if the reader disconnects, the rendering and its pause go on.
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

/// Pause after a rendering, or another work for a reader, that took `took`.
pub(super) fn pause(took: Duration) -> Duration {
    (took * (PAGE_SHARE - 1)).min(Duration::from_millis(PAGE_PAUSE_MILLIS))
}

#[cfg(test)]
mod tests;
