//! Shares of the file descriptors of the process ([`Shares`]), computed from the limit and the
//! server file, and the watch for a lack of descriptors.

use crate::config::Listen;
use crate::control;
use crate::finding::{At, Finding, code};
use crate::limits::{
    DESCRIPTORS_CALM_LOOKS, DESCRIPTORS_OWN, DESCRIPTORS_OWN_LEAST, DESCRIPTORS_WATCH_SECS,
    PAGE_DESCRIPTORS_LEAST, PROBE_DESCRIPTORS_LEAST, PROBE_DESCRIPTORS_MAX, TCP_CONNECTIONS_FEWEST,
    TCP_CONNECTIONS_LEAST,
};
use crate::shared::Shared;
use crate::shared::descriptors::{Descriptors, Shares, Use};
use crate::shared::event::Event;
use crate::state::event_log::EventLog;
use crate::sys;
use crate::sys::clock::epoch_secs;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Shares of a server that opens `sockets` sockets, and a finding if the limit is too low: a
/// warning if `listen.tcp_connections` (written at `at`) exceeds the room, a note if its default
/// does, a warning if every share is cut, an error if the limit is below the sum of the minimum
/// shares.
pub(crate) fn share(
    listen: &Listen,
    at: Option<At>,
    sockets: usize,
    limit: Option<usize>,
) -> (Shares, Option<Finding>) {
    let Some(limit) = limit.filter(|limit| *limit < usize::MAX) else {
        return (Shares { tcp: listen.tcp_connections as usize, ..Shares::default() }, None);
    };
    let listeners = if listen.admin.is_some() { 2 } else { 1 };
    let asked = listen.tcp_connections as usize;
    let full = Shares {
        limit,
        own: DESCRIPTORS_OWN + sockets,
        pages: listeners * control::places::DESCRIPTORS,
        probes: PROBE_DESCRIPTORS_MAX.min(limit / 4).max(PROBE_DESCRIPTORS_LEAST),
        tcp: asked.min(TCP_CONNECTIONS_LEAST),
    };
    if sum(&full) > limit {
        let least = Shares {
            limit,
            own: DESCRIPTORS_OWN_LEAST + sockets,
            pages: listeners * PAGE_DESCRIPTORS_LEAST,
            probes: PROBE_DESCRIPTORS_LEAST,
            tcp: asked.min(TCP_CONNECTIONS_FEWEST),
        };
        return cut(&full, &least);
    }
    let left = limit - (full.own + full.pages + full.probes);
    let shares = Shares { tcp: asked.min(left), ..full };
    if asked <= left {
        return (shares, None);
    }
    let message = format!(
        "`listen.tcp_connections` is {asked}, and the limit of {limit} descriptors leaves {left} besides {} \
         for sockets and files, {} for pages, {} for probes",
        full.own, full.pages, full.probes
    );
    let finding = match at {
        Some(at) => Finding::warning(code::DESCRIPTORS, message).at(at, format!("{left} are used instead")),
        None => Finding::note(code::DESCRIPTORS, message),
    };
    let needed = asked + full.own + full.pages + PROBE_DESCRIPTORS_MAX;
    let finding = finding.help(format!(
        "raise the limit to {needed} (`LimitNOFILE=` of the unit, or `ulimit -Hn`), or set \
         `listen.tcp_connections` to at most {left}"
    ));
    (shares, Some(finding))
}

fn sum(shares: &Shares) -> usize {
    Use::ALL.into_iter().map(|part| shares.of(part)).sum()
}

/// Shares for a limit below the sum of the full shares. Each part gets its minimum; the rest is
/// divided in proportion to the lack of each part.
fn cut(full: &Shares, least: &Shares) -> (Shares, Option<Finding>) {
    let limit = full.limit;
    // A quarter of the limit is for probes.
    let needed = (full.own + full.pages + full.tcp) * 4 / 3 + 1;
    let help = format!("raise the limit to {needed} or more: `LimitNOFILE=` of the unit, or `ulimit -Hn`");
    let (spare, lack) = (limit.saturating_sub(sum(least)), sum(full) - sum(least));
    let of = |part: Use| least.of(part) + spare * (full.of(part) - least.of(part)) / lack.max(1);
    let shares = Shares {
        limit,
        tcp: of(Use::Tcp),
        pages: of(Use::Pages),
        probes: of(Use::Probes),
        own: of(Use::Own),
    };
    if sum(least) > limit {
        let message = format!(
            "the process may open {limit} descriptors, and needs {} at least: {}",
            sum(least),
            Use::ALL.map(|part| format!("{} {}", least.of(part), part.word())).join(", ")
        );
        return (shares, Some(Finding::error(code::DESCRIPTORS, message).help(help)));
    }
    let cut = Use::ALL.map(|part| format!("{} of {} {}", shares.of(part), full.of(part), part.word()));
    let message =
        format!("the process may open {limit} descriptors, so every share is cut: {}", cut.join(", "));
    (shares, Some(Finding::warning(code::DESCRIPTORS, message).help(help)))
}

/// One line for the banner.
pub(crate) fn words(shares: &Shares) -> String {
    if shares.limit == usize::MAX {
        return format!("no limit, {} for TCP", shares.tcp);
    }
    let of = |part: Use| format!("{} {}", shares.of(part), part.word());
    format!("{} at most: {}", shares.limit, Use::ALL.map(of).join(", "))
}

/// Counts open descriptors, and logs the begin and the end of a lack of descriptors, until the
/// server stops.
pub(crate) async fn watch(shared: Arc<Shared>, event_log: EventLog, stop: CancellationToken) {
    let mut watched = Watched::default();
    loop {
        let open = sys::descriptors::open();
        if let Some(event) = watched.look(&shared.descriptors, open, epoch_secs()) {
            event_log.append(&event);
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(DESCRIPTORS_WATCH_SECS)) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// State of the watch.
#[derive(Debug, Default)]
struct Watched {
    exhausted: u64,
    is_short: bool,
    /// Consecutive checks without a lack.
    calm: u32,
}

impl Watched {
    /// Checks for a lack of descriptors: the process's own descriptors exceed their share, or the
    /// system has refused a descriptor since the last check.
    fn look(&mut self, descriptors: &Descriptors, open: Option<usize>, now_epoch_secs: u64) -> Option<Event> {
        if let Some(open) = open {
            descriptors.note_open(open);
        }
        let exhausted = descriptors.exhausted();
        let lacks = exhausted > self.exhausted
            || open.is_some() && descriptors.held(Use::Own) > descriptors.shares().own;
        self.exhausted = exhausted;
        self.calm = if lacks { 0 } else { self.calm.saturating_add(1) };
        let is_short = lacks || self.is_short && self.calm < DESCRIPTORS_CALM_LOOKS;
        if is_short == self.is_short {
            return None;
        }
        self.is_short = is_short;
        descriptors.note_short(is_short.then_some(now_epoch_secs));
        Some(match is_short {
            true => Event::DescriptorsShort { sentence: descriptors.sentence() },
            false => Event::DescriptorsEnough,
        })
    }
}

#[cfg(test)]
mod tests;
