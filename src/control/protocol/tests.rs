//! Types of the protocol against nodes and commands of other versions.

use super::comparison::ComparisonReply;
use super::explain::{ExplainRequest, Explained};
use super::forecast::SupposedForecast;
use super::overrides::{AcknowledgeRequest, Acknowledged, OverrideReply, OverrideRequest};
use super::policies::{Policies, Policy};
use super::pops::{Pop, Pops};
use super::pushes::{LoadPushRequest, ProbePushRequest, Taken};
use super::reload::{Cancelled, ReloadReply, ReloadStatus};
use super::status::{Readiness, Status};
use super::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt::Debug;

/// A reply of the oldest and of a newer server is read: one without any field, and one with a field
/// more in every object.
#[test]
fn replies_of_other_versions_are_read() {
    fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(page: Value) {
        let empty = serde_json::from_value::<T>(json!({})).expect("no field is needed");
        assert_eq!(serde_json::from_value::<T>(with_more(json!({}))).expect("read"), empty);
        let read = serde_json::from_value::<T>(page.clone()).expect("read");
        let newer = serde_json::from_value::<T>(with_more(page.clone())).expect("read");
        assert_eq!(newer, read, "{page}");
        assert_eq!(serde_json::to_value(&read).expect("JSON"), page, "the shape stays");
    }
    let zones = json!({
        "current": 1,
        "others": [{ "zone": "a.example.", "standing": "kept", "why": "b", "digest": null }],
        "stray_files": [{ "file": "c", "why": "d" }],
    });
    let finding = json!({
        "code": "M0101", "severity": "error", "message": "m", "label": "l", "help": ["h"], "more": 2,
        "path": "p", "line": 1, "column": 2, "end": 3,
        "related": [{ "path": "p", "line": null, "column": null, "end": null, "message": "r" }],
    });
    let entry = json!({
        "pops": "eu-*", "action": "drain", "author": "a", "reason": "r", "set": "s", "start": null,
        "over_secs": 60, "done": "d", "until": null,
    });
    let pop = json!({
        "name": "fra", "tags": ["eu"], "file": { "state": "auto", "weight": 1 },
        "effective": { "state": "drain", "weight": 1, "left": 128 },
        "progress": { "text": "t", "done_percent": 50.0, "cached_percent": 1.0, "end": "e" },
        "plans": [entry], "state_override": entry, "weight_override": null, "health": "no probe",
        "flaps": false, "in_service": "last resort", "in_service_why": "flaps", "since": "s",
        "coming": [{ "at": "a", "state": "drain", "weight": 1 }], "breaks": ["b"], "ramp_left": 0.5,
        "feeds": [{
            "service": null, "load": 310.0, "capacity": 400.0, "target": 0.8, "shed_share": 0.25,
            "accept": { "ams": 0.5 }, "stale": false, "oscillates": false, "no_room": true,
            "last_error": null, "age_secs": 3,
        }],
        "targets": [{
            "probe": "web", "service": "default", "address": "192.0.2.1", "verdict": "up",
            "good_streak": 1, "bad_streak": 0, "checks_to_flip": null,
            "up_after": 2, "down_after": 3, "ok_after": 4, "failures": 0, "frozen": false,
            "turns": 0, "damped_secs": null, "lasted_secs": 5, "last_error": null,
            "latency_micros": 300, "certificate_days": -1, "degraded": null, "result_age_secs": 1,
        }],
    });
    let policy = json!({
        "name": "www", "service": "default", "candidates": [["fra", { "cname": "cdn.example." }]],
        "order": "nearest", "band": "10%", "share": "sticky", "ttl": { "min": 20, "max": 60 },
        "answers": 1, "when_all_down": { "cname": "cdn.example." },
        "rules": [
            { "when": "", "candidates": "policy", "order": null, "fence": false },
            { "when": "w", "candidates": [["fra"]], "order": "listed", "fence": true },
            { "when": "w", "candidates": { "use": "other" }, "order": null, "fence": false },
            { "when": "w", "candidates": { "cname": "cdn.example." }, "order": null, "fence": false },
        ],
        "members": [{
            "pop": "fra", "state": "auto", "weight": 1, "serves": ["A"], "left": 0.5, "sheds": 0.0,
            "answered": 5, "expected": 0.5,
        }],
        "answered": null, "scopes": 3, "preference_lists": 2, "https": false,
        "panic": { "share": 0.5, "window_secs": 30.0, "hold_secs": 60.0 },
        "held": false, "returning": true,
    });
    let ways = json!([{ "from": "fra", "to": "ams", "ipv4": 0.5, "ipv6": 0.0, "queries": null }]);
    let moves = json!([{ "from": "fra", "to": "ams", "cells": 0.5, "queries": null }]);
    let lane = json!({
        "received": 1, "connections": 0, "replies": { "NOERROR": 1 }, "dropped": { "silence": 0 },
    });
    check::<Pops>(json!({ "sequence": 1, "pops": [pop], "alarms": [{ "text": "t", "since": "s" }] }));
    check::<Pop>(pop);
    check::<Policies>(json!({
        "sequence": 1, "policies": [policy], "pops": [{ "pop": "fra", "answered": 5 }],
    }));
    check::<Policy>(policy);
    check::<Status>(json!({
        "version": "v", "node": "n", "phase": "serving", "uptime_secs": 1, "engine": "fast",
        "config": "c", "dns": ["127.0.0.1:53", "[::1]:53"],
        "streams": [{ "transport": "dot", "addresses": ["127.0.0.1:853"] }],
        "certificate_not_after": 1_800_000_000, "admin_certificate_not_after": null,
        "sequence": 1, "digest": "d",
        "files_digest": "f", "zones": zones, "summary": ["s"], "lanes": { "udp": lane },
        "rate_limited": [{ "prefix": "192.0.2.0/24", "answers": 7 }],
        "overload": { "known_prefixes": 5, "passing_prefixes": 4, "share": 0.5, "refused": false },
        "quarantine": { "questions": 1, "quarantined": 2, "refused": 3, "files_lost": 4 },
    }));
    check::<Readiness>(json!({ "ready": false, "phase": "draining", "reasons": ["r"], "notes": ["n"] }));
    check::<ReloadReply>(json!({
        "ok": true, "sequence": 2, "digest": "d", "files_digest": "f", "difference": ["l"],
        "zones": zones, "findings": [finding], "text": "t",
    }));
    check::<ReloadReply>(json!({ "ok": false, "findings": [finding], "text": "t" }));
    check::<ReloadStatus>(json!({
        "running": { "origin": "SIGHUP", "age_secs": 1, "does": "reads" }, "waiting": 1, "hung": 0,
        "zones": zones,
    }));
    check::<Cancelled>(json!({ "cancelled": "reads" }));
    check::<OverrideReply>(json!({
        "ok": true, "ended": "dry_run", "error": null, "broken": [], "sequence": 1, "digest": "d",
        "pops": [{
            "name": "fra", "before": { "state": "auto", "weight": 1 },
            "after": { "state": "down", "weight": 1 },
        }],
        "warnings": ["w"],
        "forecast": {
            "moves": moves, "policies": [{ "policy": "www", "moves": moves }],
            "load": [{ "pop": "ams", "service": null, "added": 1.5, "load": 2.0, "capacity": 4.0 }],
            "samples": 10,
        },
    }));
    check::<SupposedForecast>(json!({
        "sequence": 1, "moves": moves, "policies": [{ "policy": "www", "moves": moves }],
        "load": [{ "pop": "ams", "service": null, "added": 1.5, "load": 2.0, "capacity": 4.0 }],
        "samples": 10,
    }));
    check::<Acknowledged>(json!({ "ok": true, "over": ["o"] }));
    check::<Taken>(json!({ "ok": true }));
    check::<Explained>(json!({
        "ok": true, "node": "n", "sequence": 1, "digest": "d", "files_digest": "f", "moment": "m",
        "lines": [["head", "words"]], "decision": null, "answer": null, "text": "t",
    }));
    check::<ComparisonReply>(json!({
        "assumed": "a", "moved": { "ipv4": 0.5, "ipv6": 0.0, "queries": 0.25 }, "moves": ways,
        "policies": [{
            "policy": "www", "then": null, "names": 1, "ipv4": 0.5, "ipv6": 0.0, "queries": null,
            "moves": ways,
        }],
        "lost": [{ "name": "www.a.example.", "type": "AAAA" }], "lost_in_all": 1,
        "resolvers": { "networks": 2, "moved": 1 },
    }));
}

/// A setting that a newer server has and this program does not know costs no page.
#[test]
fn settings_of_a_newer_server_are_kept() {
    for (key, value) in [
        ("when_all_down", json!({ "pool": ["fra"] })),
        ("panic", json!({ "capacity": 0.5 })),
        ("candidates", json!([[{ "pool": "eu" }]])),
        ("rules", json!([{ "when": "", "candidates": 7, "order": null, "fence": false }])),
    ] {
        let mut page = serde_json::to_value(Policy::default()).expect("JSON");
        page[key] = value;
        let read: Policy = serde_json::from_value(page.clone()).expect("read");
        assert_eq!(serde_json::to_value(read).expect("JSON"), page, "{key}");
    }
}

/// A request leaves out what it does not use, and one with an unknown field is refused.
#[test]
fn requests_are_read_as_they_are_written() {
    fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(mut body: Value) {
        let read = serde_json::from_value::<T>(body.clone()).expect("read");
        assert_eq!(serde_json::to_value(&read).expect("JSON"), body);
        body["more"] = json!(1);
        assert!(serde_json::from_value::<T>(body.clone()).is_err(), "{body}");
    }
    let told = |key: &str, value: Value| {
        let mut body = json!({
            "pops": ["fra"], "reason": "r", "over_secs": 0, "force": false, "dry_run": false,
            "unsaved": false,
        });
        body[key] = value;
        body
    };
    for (key, value) in [("state", json!("down")), ("weight", json!(20)), ("weight", json!("auto"))] {
        check::<OverrideRequest>(told(key, value));
    }
    check::<AcknowledgeRequest>(json!({}));
    check::<AcknowledgeRequest>(json!({ "author": "a" }));
    check::<ProbePushRequest>(json!({ "probe": "p", "pop": "fra", "up": true }));
    check::<LoadPushRequest>(json!({ "pop": "fra", "value": 350.0 }));
    check::<ExplainRequest>(json!({ "name": "a.", "down": [], "up": [], "drain": [] }));
}

/// A value with a field more in each of its objects.
fn with_more(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            // Names of PoPs, reasons and response codes are keys of these: another one is no field.
            let is_map = |key: &str| matches!(key, "accept" | "lanes" | "replies" | "dropped");
            let fields = fields.into_iter().map(|(key, value)| match is_map(&key) {
                true => (key, value),
                false => (key, with_more(value)),
            });
            Value::Object(fields.chain([("a field of a newer server".to_owned(), json!([1]))]).collect())
        }
        Value::Array(members) => members.into_iter().map(with_more).collect(),
        other => other,
    }
}
