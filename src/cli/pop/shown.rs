//! PoPs in text: the list, and one of them with everything that is known of it.

use crate::cli::server::table;
use crate::cli::when::{moment_of, span};
use crate::rfc3339;
use crate::sys::clock::epoch_secs;
use serde_json::Value;

/// The table of `pop list`: what moves traffic, one PoP a row.
pub(super) fn list(told: &Value) -> String {
    let rows: Vec<Vec<String>> = items(&told["pops"]).map(row).collect();
    let mut text = table(
        &["POP", "IN SERVICE", "SINCE", "STATE", "HEALTH", "WEIGHT", "LOAD", "SHEDS", "RAMP", "OVERRIDE"],
        &rows,
    );
    for alarm in items(&told["alarms"]) {
        text.push_str(&format!("alarm since {}: {}\n", plain(&alarm["since"]), plain(&alarm["text"])));
    }
    text
}

fn row(pop: &Value) -> Vec<String> {
    let by = [&pop["state_override"], &pop["weight_override"]].into_iter().find(|by| !by.is_null());
    let feeds = || items(&pop["feeds"]);
    let of_feeds = |show: &dyn Fn(&Value) -> Option<String>| {
        let shown: Vec<String> = feeds()
            .filter_map(|feed| {
                let service =
                    feed["service"].as_str().map(|service| format!("{service} ")).unwrap_or_default();
                show(feed).map(|shown| format!("{service}{shown}"))
            })
            .collect();
        if shown.is_empty() { "-".to_owned() } else { shown.join(", ") }
    };
    let load = of_feeds(&|feed| {
        let (load, capacity) = (feed["load"].as_f64(), feed["capacity"].as_f64()?);
        let stale = if feed["stale"] == true { ", lost" } else { "" };
        Some(load.map_or("?".to_owned(), |load| format!("{:.0} %", load / capacity * 100.0)) + stale)
    });
    let sheds = of_feeds(&|feed| {
        let share = feed["shed_share"].as_f64().filter(|share| *share > 0.0)?;
        Some(format!("{:.0} %", share * 100.0))
    });
    vec![
        plain(&pop["name"]),
        service_in_words(pop),
        since(&pop["since"]),
        plain(&pop["effective"]["state"]),
        health_in_words(pop),
        plain(&pop["effective"]["weight"]),
        load,
        sheds,
        ramp(pop),
        (pop["progress"]["text"].as_str().map(str::to_owned).into_iter())
            .chain(by.or_else(|| pop["plans"].get(0)).map(in_words))
            .collect::<Vec<_>>()
            .join("; "),
    ]
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// How long something is so already.
fn since(value: &Value) -> String {
    let since = value.as_str().and_then(rfc3339::parse);
    since.map_or_else(|| "?".to_owned(), |since| span(epoch_secs().saturating_sub(since)))
}

/// Cells that are elsewhere, by a gradual override or on the way back.
fn ramp(pop: &Value) -> String {
    let (left, ramp_left) = (pop["effective"]["left"].as_f64(), pop["ramp_left"].as_f64());
    match (left.filter(|left| *left > 0.0), ramp_left.filter(|left| *left > 0.0)) {
        (Some(left), _) => format!("{:.0} % away", left / 256.0 * 100.0),
        (None, Some(left)) => format!("{:.0} % back", (1.0 - left) * 100.0),
        (None, None) => "-".to_owned(),
    }
}

/// An override on one line.
fn in_words(by: &Value) -> String {
    let text = |key: &str| by[key].as_str().unwrap_or_default();
    let over = by["over_secs"]
        .as_u64()
        .filter(|secs| *secs > 0)
        .map(|secs| format!(" over {}", span(secs)))
        .unwrap_or_default();
    let start =
        by["start"].as_str().map(|start| format!(" from {} on", moment_of(start))).unwrap_or_default();
    let until = by["until"].as_str().map(|until| format!(" until {}", moment_of(until))).unwrap_or_default();
    format!(
        "{} {}{over}{start}{until}, by {} at {}: {}",
        text("pops"),
        text("action"),
        text("author"),
        text("set"),
        text("reason")
    )
}

/// One PoP with everything that is known of it.
pub(super) fn one(pop: &Value) -> String {
    let both = |side: &Value| format!("{}, weight {}", side["state"].as_str().unwrap_or("?"), side["weight"]);
    let tags: Vec<&str> = items(&pop["tags"]).filter_map(Value::as_str).collect();
    let mut text = format!("{}\n", plain(&pop["name"]));
    let mut line = |head: &str, words: &str| text.push_str(&format!("  {head:<10} {words}\n"));
    line("tags", &tags.join(", "));
    line("in service", &format!("{} for {}", service_in_words(pop), since(&pop["since"])));
    for sentence in items(&pop["breaks"]).filter_map(Value::as_str) {
        line("broken", sentence);
    }
    line("file", &both(&pop["file"]));
    for by in [&pop["state_override"], &pop["weight_override"]].into_iter().filter(|by| !by.is_null()) {
        line("override", &in_words(by));
    }
    line("in force", &both(&pop["effective"]));
    if let Some(progress) = pop["progress"]["text"].as_str() {
        line("progress", progress);
    }
    for plan in items(&pop["plans"]) {
        line("planned", &in_words(plan));
    }
    for coming in items(&pop["coming"]) {
        let at = coming["at"].as_str().map(moment_of).unwrap_or_default();
        line("then", &format!("{} from {at} on", both(coming)));
    }
    line("health", &health_in_words(pop));
    for feed in items(&pop["feeds"]) {
        line("load", &feed_in_words(feed));
    }
    if let Some(left) = pop["ramp_left"].as_f64().filter(|left| *left > 0.0) {
        line("ramp", &format!("{:.1} % of its cells are still to come back", left * 100.0));
    }
    for target in items(&pop["targets"]) {
        line("target", &target_in_words(target));
    }
    text
}

/// Whether a PoP is in service, such as `yes` or `last resort, flaps`.
fn service_in_words(pop: &Value) -> String {
    let in_service = plain(&pop["in_service"]);
    pop["in_service_why"].as_str().map_or(in_service.clone(), |why| format!("{in_service}, {why}"))
}

/// What probes make of a PoP, such as `up` or `up, flaps`.
fn health_in_words(pop: &Value) -> String {
    let health = plain(&pop["health"]);
    if pop["flaps"] == true { format!("{health}, flaps") } else { health }
}

/// A load feed on one line, such as `310 of 400 (78 %), target 80 %`.
fn feed_in_words(feed: &Value) -> String {
    let number = |key: &str| feed[key].as_f64().unwrap_or_default();
    let whose = feed["service"].as_str().map(|service| format!("{service}: ")).unwrap_or_default();
    let mut text = match feed["load"].as_f64() {
        Some(load) => format!(
            "{whose}{load:.0} of {:.0} ({:.0} %)",
            number("capacity"),
            load * 100.0 / number("capacity")
        ),
        None => format!("{whose}not known yet, of {:.0}", number("capacity")),
    };
    text.push_str(&format!(", target {:.0} %", number("target") * 100.0));
    if number("shed_share") > 0.0 {
        text.push_str(&format!(", sheds {:.1} % of its cells", number("shed_share") * 100.0));
        let to: Vec<String> = (feed["accept"].as_object().into_iter().flatten())
            .map(|(pop, share)| format!("{pop} accepts {:.0} %", share.as_f64().unwrap_or_default() * 100.0))
            .collect();
        text.push_str(&format!(
            " ({})",
            if to.is_empty() { "nobody accepts any".to_owned() } else { to.join(", ") }
        ));
    }
    if feed["stale"] == true {
        text.push_str(", stale");
    }
    if feed["no_room"] == true {
        text.push_str(", no PoP has room for its clients");
    }
    if feed["oscillates"] == true {
        text.push_str(", turns too often");
    }
    if let Some(told) = feed["last_error"].as_str() {
        text.push_str(&format!("; last error: {told}"));
    }
    text
}

/// A probed target on one line, such as
/// `192.0.2.10 default web: up for 5 min, 12 good in a row, 3 ms`.
fn target_in_words(target: &Value) -> String {
    let word = |key: &str| target[key].as_str().unwrap_or_default();
    let mut text = format!("{} {} {}: {}", word("address"), word("service"), word("probe"), word("verdict"));
    text.push_str(&format!(" for {}", span(target["lasted_secs"].as_u64().unwrap_or(0))));
    for (key, words) in
        [("good_streak", "good in a row"), ("bad_streak", "bad in a row"), ("failures", "failures counted")]
    {
        if let Some(count) = target[key].as_u64().filter(|count| *count > 0) {
            text.push_str(&format!(", {count} {words}"));
        }
    }
    if let Some(checks) = target["checks_to_flip"].as_u64() {
        text.push_str(&format!(", may turn after {checks} more"));
    }
    if let Some(micros) = target["latency_micros"].as_u64() {
        text.push_str(&format!(", {}.{} ms", micros / 1000, micros % 1000 / 100));
    }
    if let Some(days) = target["certificate_days"].as_i64() {
        text.push_str(&format!(", certificate for {days} days"));
    }
    if target["frozen"] == true {
        text.push_str(", frozen: all canaries fail");
    }
    if let Some(told) = target["degraded"].as_str() {
        text.push_str(&format!("; but {told}"));
    }
    if let Some(secs) = target["damped_secs"].as_u64() {
        text.push_str(&format!(", flaps: a last resort for {secs} s"));
    } else if let Some(turns) = target["turns"].as_u64().filter(|turns| *turns > 1) {
        text.push_str(&format!(", turned {turns} times of late"));
    }
    if let Some(told) = target["last_error"].as_str() {
        let ago = target["result_age_secs"].as_u64().map(|secs| format!(", {} ago", span(secs)));
        text.push_str(&format!("; last error{}: {told}", ago.unwrap_or_default()));
    }
    text
}
