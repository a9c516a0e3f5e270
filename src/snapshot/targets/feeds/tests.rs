//! Feeds and their followers.

use super::*;
use crate::config::{self, Sources};
use crate::health::targets::SlotId;
use std::path::{Path, PathBuf};

struct Memory([(&'static str, String); 4]);

impl Sources for Memory {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, String> {
        let found = self.0.iter().find(|(name, _)| Path::new(name) == path);
        found.map(|(_, text)| text.as_bytes().into()).ok_or_else(|| "no such file".to_owned())
    }
    fn list(&self, _: &Path) -> Result<Vec<PathBuf>, String> {
        Ok(vec!["z.yaml".into()])
    }
}

/// Feed set of four PoPs, with the given keys for `fra` and for its service `video`. `ams` and
/// `fra` have two services each.
fn target_set(fra: &str, video: &str) -> FeedSet {
    (*compiled(fra, video).loads).clone()
}

fn compiled(fra: &str, video: &str) -> crate::snapshot::Snapshot {
    let pops = format!(
        "pops:\n  ams: {{ at: {{ lat: 52.4, lon: 4.9 }}, addresses: 192.0.2.1, services: {{ video: {{ \
         addresses: 192.0.2.9 }} }} }}\n  \
         fra: {{ at: {{ lat: 50.1, lon: 8.7 }}, addresses: 192.0.2.2, services: {{ idle: {{ addresses: \
         192.0.2.11 }}, video: {{ addresses: \
         192.0.2.10, {video} }} }}, {fra} }}\n  \
         iad: {{ at: {{ lat: 39, lon: -77.5 }}, addresses: 192.0.2.3 }}\n  lab: {{ addresses: 192.0.2.4 }}\n"
    );
    let policies = "policies:\n  web: { pops: [fra, ams, iad, lab], order: listed, ttl: 40, rules: [{ when: \
        { country: DE }, pops: fra, ttl: 90 }] }\n  \
                    short: { pops: [fra, ams], order: listed, ttl: 20 }\n  \
                    film: { pops: [fra, ams], order: listed, service: video, ttl: { min: 5, max: 300 } }\n";
    let zone = "zone: z.example.\nsoa: { mname: n, rname: h }\nrecords:\n  '@': { NS: n }\n  n: { A: \
        192.0.2.53 }\n  w: { steer: web }\n  \
                s: { steer: short }\n  f: { steer: film }\n";
    let server =
        "node: { name: n }\nlisten: { dns: \"127.0.0.1:53\" }\npops: p.yaml\npolicies: q.yaml\nzones: z\n";
    let memory = Memory([
        ("m.yaml", server.into()),
        ("p.yaml", pops),
        ("q.yaml", policies.into()),
        ("z.yaml", zone.into()),
    ]);
    let loaded = config::read_deployment(Path::new("m.yaml"), &memory);
    let text = crate::finding::render::text(&loaded.findings, &loaded.files, false);
    let deployment = loaded.deployment.unwrap_or_else(|| panic!("{text}"));
    let (snapshot, _) = crate::snapshot::compile::compile(&deployment, None, 1);
    snapshot.unwrap()
}

/// Slot as `fra:video`; slots of the service `video` are those of the policy `film`.
fn slot(snapshot: &crate::snapshot::Snapshot, slot: SlotId) -> String {
    let film = snapshot.steering.policies.iter().find(|policy| policy.name.ends_with("film")).unwrap();
    let service = if film.slots.contains(&slot) { "video" } else { "default" };
    let loads = &snapshot.loads;
    format!("{}:{service}", loads.pops[loads.slots[slot.index()].index()])
}

/// Feeds in words: PoP, service, the services of its slots with their PoPs, capacity and TTL.
fn shown(snapshot: &crate::snapshot::Snapshot) -> Vec<String> {
    let target_set = &snapshot.loads;
    let slot = |index: &SlotId| slot(snapshot, *index);
    let line = |feed: &FeedTarget| {
        let slots: Vec<String> = feed.slots.iter().map(slot).collect();
        let pop = &target_set.pops[feed.pop.index()];
        format!(
            "{pop} {} [{}] {} {}",
            feed.service.as_deref().unwrap_or("-"),
            slots.join(" "),
            feed.capacity,
            feed.ttl_secs
        )
    };
    target_set.feeds.iter().map(line).collect()
}

#[test]
fn slots_belong_to_the_feed_that_speaks_for_them() {
    let rows: [(&str, &str, &[&str]); 7] = [
        ("weight: 1", "probe: none", &[]),
        // A load without a capacity is not read.
        ("load: { push: {} }", "probe: none", &[]),
        ("capacity: 9, load: { push: {} }", "probe: none", &["fra - [fra:default fra:video] 9 300"]),
        ("capacity: 9", "load: { push: {} }", &["fra video [fra:video] 9 300"]),
        ("weight: 1", "capacity: 3, load: { push: {} }", &["fra video [fra:video] 3 300"]),
        (
            "capacity: 9, load: { push: {} }",
            "capacity: 3, load: { push: {} }",
            &["fra video [fra:video] 3 300", "fra - [fra:default] 9 90"],
        ),
        // The service's own load has no capacity, and the load of the PoP does not cover it.
        ("load: { push: {} }", "load: { push: {} }", &[]),
    ];
    for (fra, video, wanted) in rows {
        assert_eq!(shown(&compiled(fra, video)), wanted, "{fra}, {video}");
    }
}

/// Followers are sorted by distance, unknown places last, and each shares a list with the PoP: the
/// cells of `video` go to `ams` only.
#[test]
fn the_nearest_of_the_same_lists_follow_first() {
    for (fra, video, wanted) in [
        (
            "capacity: 9, load: { push: {} }",
            "probe: none",
            vec![vec!["ams:default", "iad:default", "lab:default"]],
        ),
        (
            "capacity: 9, load: { push: {} }",
            "capacity: 3, load: { push: {} }",
            vec![vec!["ams:video"], vec!["ams:default", "iad:default", "lab:default"]],
        ),
    ] {
        let snapshot = compiled(fra, video);
        let feeds = snapshot.loads.feeds.iter();
        let followers: Vec<Vec<String>> =
            feeds.map(|feed| feed.followers.iter().map(|at| slot(&snapshot, *at)).collect()).collect();
        assert_eq!(followers, wanted, "{video}");
    }
}

/// A feed keeps its key while its source is the same.
#[test]
fn keys_hold_the_source_alone() {
    let key = |fra: &str, video: &str| target_set(fra, video).feeds[0].key.clone();
    let push = key("capacity: 9, load: { push: {} }", "probe: none");
    assert_eq!(
        push,
        key("capacity: 5, weight: 7, tags: [a], load: { push: {}, every: 5s, target: 50% }", "probe: none")
    );
    assert_ne!(push, key("capacity: 9, load: { file: /a }", "probe: none"));
    assert_ne!(push, key("capacity: 9", "load: { push: {} }"));
}
