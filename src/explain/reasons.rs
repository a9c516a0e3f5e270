//! Reasons for the state of a PoP in a choice: overrides, probes, ramps and load, in words.

use crate::rfc3339;
use crate::shared::operator_view::{FeedView, PopHealth, PopView, TargetView};
use crate::steer::ledger::Override;
use crate::steer::pop_status::ALL_CELLS;

/// Most failed targets that are listed for a PoP; `pop show` lists all.
const TARGETS_TOLD: usize = 3;

/// One line for each cause that moves clients away from a PoP or back to it, or for a stale load
/// feed; no line for a PoP in normal service.
pub(super) fn of_pop(pop: &PopView) -> Vec<String> {
    let mut lines = Vec::new();
    for by in [&pop.state_by, &pop.weight_by].into_iter().flatten() {
        lines.push(override_line(by));
    }
    if pop.state_by.is_none() && !pop.state.is_auto() {
        lines.push(format!("{} by the file", pop.state.word()));
    }
    if matches!(pop.health, PopHealth::Down | PopHealth::Partial) {
        let down: Vec<&TargetView> = pop.targets.iter().filter(|target| target.verdict == "down").collect();
        lines.extend(down.iter().take(TARGETS_TOLD).map(|target| by_probes(target)));
        if down.len() > TARGETS_TOLD {
            lines.push(format!("and {} more targets are down", down.len() - TARGETS_TOLD));
        }
    }
    if pop.left > 0 && pop.left < ALL_CELLS {
        lines.push(format!("a gradual override keeps {} % of its cells elsewhere", percent(pop.left)));
    }
    if pop.ramp_left > 0 {
        lines.push(format!("ramps: {} % of its cells are not back yet", percent(pop.ramp_left)));
    }
    lines.extend(pop.feeds.iter().filter(|feed| feed.share > 0 || feed.is_stale).map(by_load));
    lines
}

fn percent(share: u16) -> u32 {
    (u32::from(share) * 100 + 128) / 256
}

fn override_line(by: &Override) -> String {
    format!(
        "{} by override of `{}`, by {} at {}: {}",
        by.action,
        by.selector,
        by.author,
        rfc3339::date_time(by.set_epoch_secs),
        by.reason
    )
}

fn by_probes(target: &TargetView) -> String {
    let why = target.last_error.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    format!(
        "{} {} {} is down for {} s{why}",
        target.address.as_deref().unwrap_or_default(),
        target.service,
        target.probe,
        target.lasted_secs
    )
}

fn by_load(feed: &FeedView) -> String {
    let load = match feed.load {
        Some(load) => {
            format!("load {:.0} of {:.0} (target {:.0} %)", load, feed.capacity, feed.target * 100.0)
        }
        None => "load not known".to_owned(),
    };
    let service = feed.service.as_deref().map(|service| format!(" of {service}")).unwrap_or_default();
    let stale = if feed.is_stale { ", its feed is stale" } else { "" };
    format!("{load}{service}{stale}: it may shed {} % of its cells", percent(feed.share))
}
