//! PoPs as text: the list, and one PoP with all its details.

use crate::cli::server::table;
use crate::cli::when::{moment_of, span};
use crate::control::protocol::pops::{Feed, Pop, Pops, Setting, Target};
use crate::rfc3339;
use crate::shared::override_entry::OverrideEntry;
use crate::steer::pop_status::fraction;
use crate::sys::clock::epoch_secs;

/// Table of `pop list`: one PoP a row, with all that moves its traffic.
pub(super) fn list(page: &Pops) -> String {
    let rows: Vec<Vec<String>> = page.pops.iter().map(row).collect();
    let mut text = table(
        &["POP", "IN SERVICE", "SINCE", "STATE", "HEALTH", "WEIGHT", "LOAD", "SHEDS", "RAMP", "OVERRIDE"],
        &rows,
    );
    for alarm in &page.alarms {
        text.push_str(&format!("alarm since {}: {}\n", alarm.since, alarm.text));
    }
    text
}

fn row(pop: &Pop) -> Vec<String> {
    let of_feeds = |show: &dyn Fn(&Feed) -> Option<String>| {
        let shown: Vec<String> = (pop.feeds.iter())
            .filter_map(|feed| {
                let service = feed.service.as_ref().map(|service| format!("{service} ")).unwrap_or_default();
                show(feed).map(|shown| format!("{service}{shown}"))
            })
            .collect();
        if shown.is_empty() { "-".to_owned() } else { shown.join(", ") }
    };
    let load = of_feeds(&|feed| {
        let stale = if feed.stale { ", lost" } else { "" };
        let percent = |load: f64| format!("{:.0} %", load / feed.capacity * 100.0);
        Some(feed.load.map_or("?".to_owned(), percent) + stale)
    });
    let sheds =
        of_feeds(&|feed| (feed.shed_share > 0.0).then(|| format!("{:.0} %", feed.shed_share * 100.0)));
    let by = pop.state_override.as_ref().or(pop.weight_override.as_ref()).or(pop.plans.first());
    vec![
        pop.name.to_string(),
        service_in_words(pop),
        since(&pop.since),
        pop.effective.setting.state.to_string(),
        health_in_words(pop),
        pop.effective.setting.weight.to_string(),
        load,
        sheds,
        ramp(pop),
        (pop.progress.iter().map(|progress| progress.text.clone()))
            .chain(by.map(in_words))
            .collect::<Vec<_>>()
            .join("; "),
    ]
}

/// Time that has passed since a moment, in words.
fn since(since: &str) -> String {
    let since = rfc3339::parse(since);
    since.map_or_else(|| "?".to_owned(), |since| span(epoch_secs().saturating_sub(since)))
}

/// Share of cells at other PoPs during a gradual override, or already back during a ramp.
fn ramp(pop: &Pop) -> String {
    match (pop.effective.left, pop.ramp_left) {
        (left, _) if left > 0 => format!("{:.0} % away", fraction(left) * 100.0),
        (_, left) if left > 0.0 => format!("{:.0} % back", (1.0 - left) * 100.0),
        _ => "-".to_owned(),
    }
}

/// Override on one line.
fn in_words(by: &OverrideEntry) -> String {
    let OverrideEntry { pops, action, author, set, reason, .. } = by;
    let over = if by.over_secs > 0 { format!(" over {}", span(by.over_secs)) } else { String::new() };
    let start = by.start.as_ref().map(|start| format!(" from {} on", moment_of(start))).unwrap_or_default();
    let until = by.until.as_ref().map(|until| format!(" until {}", moment_of(until))).unwrap_or_default();
    format!("{pops} {action}{over}{start}{until}, by {author} at {set}: {reason}")
}

/// Page of `pop show`.
pub(super) fn one(pop: &Pop) -> String {
    let both = |setting: &Setting| format!("{}, weight {}", setting.state, setting.weight);
    let mut text = format!("{}\n", pop.name);
    let mut line = |head: &str, words: &str| text.push_str(&format!("  {head:<10} {words}\n"));
    line("tags", &pop.tags.join(", "));
    line("in service", &format!("{} for {}", service_in_words(pop), since(&pop.since)));
    pop.breaks.iter().for_each(|sentence| line("broken", sentence));
    line("file", &both(&pop.file));
    for by in [&pop.state_override, &pop.weight_override].into_iter().flatten() {
        line("override", &in_words(by));
    }
    line("in force", &both(&pop.effective.setting));
    if let Some(progress) = &pop.progress {
        line("progress", &progress.text);
    }
    pop.plans.iter().for_each(|plan| line("planned", &in_words(plan)));
    for coming in &pop.coming {
        line("then", &format!("{} from {} on", both(&coming.setting), moment_of(&coming.at)));
    }
    line("health", &health_in_words(pop));
    pop.feeds.iter().for_each(|feed| line("load", &feed_in_words(feed)));
    if pop.ramp_left > 0.0 {
        line("ramp", &format!("{:.1} % of its cells are not back yet", pop.ramp_left * 100.0));
    }
    pop.targets.iter().for_each(|target| line("target", &target_in_words(target)));
    text
}

/// Service state of a PoP, such as `yes` or `last resort, flaps`.
fn service_in_words(pop: &Pop) -> String {
    match &pop.in_service_why {
        Some(why) => format!("{}, {why}", pop.in_service),
        None => pop.in_service.to_string(),
    }
}

/// Health of a PoP by its probes, such as `up` or `up, flaps`.
fn health_in_words(pop: &Pop) -> String {
    if pop.flaps { format!("{}, flaps", pop.health) } else { pop.health.to_string() }
}

/// Load feed on one line, such as `310 of 400 (78 %), target 80 %`.
fn feed_in_words(feed: &Feed) -> String {
    let whose = feed.service.as_ref().map(|service| format!("{service}: ")).unwrap_or_default();
    let capacity = feed.capacity;
    let mut text = match feed.load {
        Some(load) => format!("{whose}{load:.0} of {capacity:.0} ({:.0} %)", load * 100.0 / capacity),
        None => format!("{whose}not known yet, of {capacity:.0}"),
    };
    text.push_str(&format!(", target {:.0} %", feed.target * 100.0));
    if feed.shed_share > 0.0 {
        text.push_str(&format!(", sheds {:.1} % of its cells", feed.shed_share * 100.0));
        let to: Vec<String> = (feed.accept.iter())
            .map(|(pop, share)| format!("{pop} accepts {:.0} %", share * 100.0))
            .collect();
        text.push_str(&format!(
            " ({})",
            if to.is_empty() { "no PoP accepts any".to_owned() } else { to.join(", ") }
        ));
    }
    if feed.stale {
        text.push_str(", stale");
    }
    if feed.no_room {
        text.push_str(", no PoP has room for its clients");
    }
    if feed.oscillates {
        text.push_str(", turns too often");
    }
    if let Some(error) = &feed.last_error {
        text.push_str(&format!("; last error: {error}"));
    }
    text
}

/// Probed target on one line, such as
/// `192.0.2.10 default web: up for 5 min, 12 good in a row, 3 ms`.
fn target_in_words(target: &Target) -> String {
    let Target { service, probe, verdict, .. } = target;
    let address = target.address.as_deref().unwrap_or_default();
    let mut text = format!("{address} {service} {probe}: {verdict} for {}", span(target.lasted_secs));
    for (count, words) in [
        (target.good_streak, "good in a row"),
        (target.bad_streak, "bad in a row"),
        (u32::from(target.failures), "failures counted"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {words}"));
        }
    }
    match target.checks_to_flip {
        Some(checks) => text.push_str(&format!(", may turn after {checks} more")),
        None if &*target.verdict == "down" && target.up_after > 0 => {
            text.push_str(&format!(", up after {} good in a row", target.up_after));
        }
        None => {}
    }
    if let Some(micros) = target.latency_micros {
        text.push_str(&format!(", {}.{} ms", micros / 1000, micros % 1000 / 100));
    }
    if let Some(days) = target.certificate_days {
        text.push_str(&format!(", certificate for {days} days"));
    }
    if target.frozen {
        text.push_str(", frozen: all canaries fail");
    }
    if let Some(flaw) = &target.degraded {
        text.push_str(&format!("; but {flaw}"));
    }
    if let Some(secs) = target.damped_secs {
        text.push_str(&format!(", flaps: a last resort for {secs} s"));
    } else if target.turns > 1 {
        text.push_str(&format!(", turned {} times recently", target.turns));
    }
    if let Some(error) = &target.last_error {
        let ago = target.result_age_secs.map(|secs| format!(", {} ago", span(secs)));
        text.push_str(&format!("; last error{}: {error}", ago.unwrap_or_default()));
    }
    text
}
