//! Readings of load feeds: one number over HTTP or from a file, or one line with the reason of the
//! failure.
//!
//! A number is finite and not negative; anything else is a failure, never a guess. Nothing is
//! retried.

pub(crate) mod number;
pub(crate) mod samples;

use super::http::{self, Intake};
use super::{Prober, Trial, file, words};
use crate::health::load::spec::{Feed, FeedUrl, LoadSpec};
use crate::health::spec::{HttpCheck, HttpMethod, TlsCheck, Verify};
use crate::limits::{FEED_BODY_OCTETS_MAX, FEED_PAGE_OCTETS_MAX, PROBE_STREAM_OCTETS_MAX};
use crate::shared::descriptors::Use;
use number::Body;
use samples::Samples;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Feed to read, with the ticket under which its number is returned.
#[derive(Clone, Debug)]
pub struct FeedRequest {
    /// Ticket of the reading.
    pub ticket: u64,
    /// Name of the PoP.
    pub pop: Arc<str>,
    /// Name of the service; `None` for the whole PoP.
    pub service: Option<Arc<str>>,
    /// Source of the number.
    pub spec: Arc<LoadSpec>,
    /// Timeout of the reading, in milliseconds.
    pub timeout_ms: u32,
}

impl Prober {
    /// Reads a feed once, within the timeout of the reading. The error is one short line for the
    /// operator. Needs a Tokio runtime with I/O and time. If the future is dropped midway, the
    /// connection is closed.
    pub async fn read(&self, reading: &FeedRequest) -> Result<f64, Arc<str>> {
        let _held = Arc::clone(&self.descriptors).hold(Use::Probes);
        let mut trial = Trial::default();
        let within = Duration::from_millis(u64::from(reading.timeout_ms));
        let read = match timeout(within, self.number(reading, &mut trial)).await {
            Ok(read) => read,
            Err(_) => Err(words::late(reading.timeout_ms, trial.doing)),
        };
        read.map_err(|why| words::line(&why).into())
    }

    async fn number(&self, reading: &FeedRequest, trial: &mut Trial) -> Result<f64, String> {
        match &reading.spec.feed {
            Feed::Http { url, pointer } => {
                let mut body = Body::default();
                self.ask(url, &mut body, FEED_BODY_OCTETS_MAX, trial).await?;
                body.number(pointer.as_deref())
            }
            Feed::Prometheus { url, metric, labels } => {
                let mut samples = Samples::new(metric, labels);
                self.ask(url, &mut samples, FEED_PAGE_OCTETS_MAX, trial).await?;
                samples.sum()
            }
            Feed::File { path } => {
                let path = path
                    .replace("{pop}", &reading.pop)
                    .replace("{service}", reading.service.as_deref().unwrap_or_default());
                let (octets, age_secs) = file::beginning(PathBuf::from(path), &self.files, trial).await?;
                // A number that is no longer written is as good as a feed that does not answer.
                if age_secs > u64::from(reading.spec.stale_after_ms / 1_000) {
                    return Err(format!("the file was written {age_secs} s ago"));
                }
                number::first_word(&octets)
            }
            Feed::Push => Err("a pushed number is waited for, not read".to_owned()),
        }
    }

    /// Requests a page. The limit of the connection grows with the limit of the body.
    async fn ask(
        &self,
        url: &FeedUrl,
        intake: &mut (dyn Intake + Send),
        body_octets_max: usize,
        trial: &mut Trial,
    ) -> Result<(), String> {
        let tls = TlsCheck { sni: None, verify: Verify::System, warn_days: 0 };
        let check = HttpCheck {
            tls: url.tls.then_some(tls),
            port: url.address.port(),
            method: HttpMethod::Get,
            path: Arc::clone(&url.path),
            host: Some(Arc::clone(&url.host)),
            headers: Vec::new(),
            expect: vec![200..=200],
            expect_headers: Vec::new(),
            body: None,
        };
        let octets_max = PROBE_STREAM_OCTETS_MAX + 2 * body_octets_max;
        Box::pin(http::ask(&check, url.address, &self.tls, octets_max, Some(intake), trial)).await
    }
}
