//! Shares of the file descriptors of the process ([`Shares`]), computed from the limit and the
//! server file, and the watch for a lack of descriptors.

use crate::answer::Transport;
use crate::config::Listen;
use crate::control;
use crate::finding::{Finding, code};
use crate::limits::{
    DESCRIPTORS_CALM_LOOKS, DESCRIPTORS_OWN, DESCRIPTORS_OWN_LEAST, DESCRIPTORS_WATCH_SECS,
    PAGE_DESCRIPTORS_LEAST, PROBE_DESCRIPTORS_LEAST, PROBE_DESCRIPTORS_MAX, TCP_CONNECTIONS_FEWEST,
    TCP_CONNECTIONS_LEAST,
};
use crate::server::streams::{StreamListen, stream_listen};
use crate::shared::Shared;
use crate::shared::descriptors::{Descriptors, Shares, Use};
use crate::shared::event::Event;
use crate::shared::streams::descriptor_streams;
use crate::state::event_log::EventLog;
use crate::sys;
use crate::sys::clock::epoch_secs;
use crate::transport::connection_limit::prefix_max;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Shares of a server that opens `sockets` sockets, and a finding if the limit is too low: a
/// warning if the connections that the file asks for (such as `listen.tcp_connections`) exceed the
/// room, a note if their default does, a warning if every share is cut, an error if the limit is
/// below the sum of the minimum shares.
pub(crate) fn share(listen: &Listen, sockets: usize, limit: Option<usize>) -> (Shares, Option<Finding>) {
    let asked =
        |transport| stream_listen(listen, transport).map_or(0, |stream| stream.limits.connections as usize);
    let Some(limit) = limit.filter(|limit| *limit < usize::MAX) else {
        let unlimited = Shares::each(usize::MAX, |part| match part {
            Use::Stream(transport) => asked(transport),
            Use::Pages | Use::Probes | Use::Own => usize::MAX,
        });
        return (unlimited, None);
    };
    let listeners = if listen.admin.is_some() { 2 } else { 1 };
    let full = Shares::each(limit, |part| match part {
        Use::Stream(transport) => asked(transport).min(TCP_CONNECTIONS_LEAST),
        Use::Pages => listeners * control::places::DESCRIPTORS,
        Use::Probes => PROBE_DESCRIPTORS_MAX.min(limit / 4).max(PROBE_DESCRIPTORS_LEAST),
        Use::Own => DESCRIPTORS_OWN + sockets,
    });
    if full.sum() > limit {
        let least = Shares::each(limit, |part| match part {
            Use::Stream(transport) => asked(transport).min(TCP_CONNECTIONS_FEWEST),
            Use::Pages => listeners * PAGE_DESCRIPTORS_LEAST,
            Use::Probes => PROBE_DESCRIPTORS_LEAST,
            Use::Own => DESCRIPTORS_OWN_LEAST + sockets,
        });
        return cut(&full, &least);
    }
    let reserved = Reserved { full: &full, asked: descriptor_streams().map(asked).sum() };
    // Each transport gets its share of `full`. The rest is divided in proportion to the lack of
    // each, so that no transport takes what another is promised.
    let lack = |transport| asked(transport) - full.of(Use::Stream(transport));
    let (all_lack, sure): (usize, usize) = descriptor_streams()
        .map(|t| (lack(t), full.of(Use::Stream(t))))
        .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    let spare = (reserved.left() - sure).min(all_lack);
    let mut finding = None;
    let shares = Shares::each(limit, |part| match part {
        Use::Stream(transport) => {
            let share = full.of(part) + spare * lack(transport) / all_lack.max(1);
            let stream = stream_listen(listen, transport).filter(|_| share < asked(transport));
            finding = finding.take().or_else(|| stream.map(|stream| reserved.short(&stream, share)));
            share
        }
        Use::Pages | Use::Probes | Use::Own => full.of(part),
    });
    (shares, finding)
}

/// Shares that come before those of connections.
#[derive(Clone, Copy, Debug)]
struct Reserved<'f> {
    full: &'f Shares,
    /// Connections of all transports that the file asks for.
    asked: usize,
}

impl Reserved<'_> {
    /// Parts that are no connections of a transport.
    fn parts() -> impl Iterator<Item = Use> {
        Use::all().filter(|part| !matches!(part, Use::Stream(_)))
    }

    /// Descriptors of these parts.
    fn sum(&self) -> usize {
        Self::parts().map(|part| self.full.of(part)).sum()
    }

    /// Descriptors for connections.
    fn left(&self) -> usize {
        self.full.limit - self.sum()
    }

    /// Finding for a transport for which `left` descriptors are too few.
    fn short(&self, stream: &StreamListen<'_>, left: usize) -> Finding {
        let Reserved { full, asked: all } = *self;
        let limit = full.limit;
        let besides: Vec<String> =
            Self::parts().map(|part| format!("{} {}", full.of(part), part.word())).collect();
        let (key, asked) = (stream.connections_key, stream.limits.connections as usize);
        let of_prefix = prefix_max(left as u32, stream.limits.per_prefix);
        let message = format!(
            "`{key}` is {asked}, and the limit of {limit} descriptors leaves {left} ({of_prefix} for one \
             client prefix) besides {}",
            besides.join(", ")
        );
        let finding = match stream.limits.connections_at {
            Some(at) => {
                Finding::warning(code::DESCRIPTORS, message).at(at, format!("{left} are used instead"))
            }
            None => Finding::note(code::DESCRIPTORS, message),
        };
        let needed = all + self.sum() - full.of(Use::Probes) + PROBE_DESCRIPTORS_MAX;
        finding.help(format!(
            "raise the limit to {needed} (`LimitNOFILE=` of the unit, or `ulimit -Hn`), or set \
             `{key}` to at most {left}"
        ))
    }
}

/// Shares for a limit below the sum of the full shares. Each part gets its minimum; the rest is
/// divided in proportion to the lack of each part.
fn cut(full: &Shares, least: &Shares) -> (Shares, Option<Finding>) {
    let limit = full.limit;
    // A quarter of the limit is for probes.
    let needed = (full.sum() - full.of(Use::Probes)) * 4 / 3 + 1;
    let help = format!("raise the limit to {needed} or more: `LimitNOFILE=` of the unit, or `ulimit -Hn`");
    let (spare, lack) = (limit.saturating_sub(least.sum()), full.sum() - least.sum());
    let of = |part: Use| least.of(part) + spare * (full.of(part) - least.of(part)) / lack.max(1);
    let shares = Shares::each(limit, of);
    let each = |words: &dyn Fn(Use) -> String| Use::all().map(words).collect::<Vec<_>>().join(", ");
    if least.sum() > limit {
        let message = format!(
            "the process may open {limit} descriptors, and needs {} at least: {}",
            least.sum(),
            each(&|part| format!("{} {}", least.of(part), part.word()))
        );
        return (shares, Some(Finding::error(code::DESCRIPTORS, message).help(help)));
    }
    let cut = each(&|part| format!("{} of {} {}", shares.of(part), full.of(part), part.word()));
    let message = format!("the process may open {limit} descriptors, so every share is cut: {cut}");
    (shares, Some(Finding::warning(code::DESCRIPTORS, message).help(help)))
}

/// One line for the banner.
pub(crate) fn words(shares: &Shares) -> String {
    if shares.limit == usize::MAX {
        let of = |transport: Transport| {
            let word = transport.word().to_uppercase();
            format!("{} for {word}", shares.of(Use::Stream(transport)))
        };
        return format!("no limit, {}", descriptor_streams().map(of).collect::<Vec<_>>().join(", "));
    }
    let of = |part: Use| format!("{} {}", shares.of(part), part.word());
    format!("{} at most: {}", shares.limit, Use::all().map(of).collect::<Vec<_>>().join(", "))
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
            || open.is_some() && descriptors.held(Use::Own) > descriptors.shares().of(Use::Own);
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
