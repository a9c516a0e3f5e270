//! Targets of a deployment, from its probes.

use super::*;
use crate::config::{self, Sources};
use crate::health::Moment;
use crate::health::load::controller::LoadController;
use crate::health::load::saved::SavedLoad;
use crate::health::monitor::Monitor;
use crate::health::saved::SavedHealth;
use crate::snapshot::Snapshot;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

struct Memory(BTreeMap<PathBuf, String>);

impl Sources for Memory {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, String> {
        self.0.get(path).map(|text| text.as_bytes().into()).ok_or_else(|| "no such file".to_owned())
    }
    fn list(&self, _: &Path) -> Result<Vec<PathBuf>, String> {
        Ok(vec!["z/z.yaml".into()])
    }
}

const PROBES: &str = "\
probes:
  web: { https: /h, every: 7s }
  slow: { https: /h, every: 60s }
  other: { http: { port: 8080 } }
  shared: { tcp: { port: 22 }, to: 192.0.2.250 }
  push: { push: {} }
  push2: { push: {} }
  mark: { file: '/run/{pop}' }
  flag: { file: /run/all }
  run: { exec: [/bin/x] }
  some: { any_of: [web, other] }
canaries: { probe: shared, addresses: [192.0.2.251, '2001:db8::251'], freeze_max: 60s }
startup_wait: 1s
";

/// Target set of two PoPs, with the given keys for `fra` and `iad`.
fn target_set(fra: &str, iad: &str) -> TargetSet {
    let pops = format!(
        "{PROBES}pops:\n  fra: {{ addresses: [192.0.2.1, '2001:db8::1'], {fra} }}\n  iad: {{ addresses: \
         [192.0.2.2], capacity: 5, {iad} }}\n"
    );
    let policies = "{ web: { pops: [fra, iad], order: listed, up_threshold: 60%, panic: off } }";
    (*compiled(&pops, policies, "w: { steer: web }").target_set).clone()
}

/// Compiles a deployment of one zone.
fn compiled(pops: &str, policies: &str, record: &str) -> Snapshot {
    let files = [
        (
            "m.yaml",
            "node: { name: n }\nlisten: { dns: \"127.0.0.1:53\" }\npops: p.yaml\npolicies: \
            q.yaml\nzones: z\n"
                .to_owned(),
        ),
        ("p.yaml", pops.to_owned()),
        ("q.yaml", format!("policies: {policies}\n")),
        (
            "z/z.yaml",
            format!(
                "zone: z.example.\nsoa: {{ mname: n, rname: h }}\nrecords:\n  '@': {{ NS: n }}\n  n: {{ A: \
                 192.0.2.53 }}\n  {record}\n"
            ),
        ),
    ];
    let memory = Memory(files.into_iter().map(|(path, text)| (PathBuf::from(path), text)).collect());
    let loaded = config::read_deployment(Path::new("m.yaml"), &memory);
    let text = crate::finding::render::text(&loaded.findings, &loaded.files, false);
    let deployment = loaded.deployment.unwrap_or_else(|| panic!("{text}"));
    let (snapshot, _) = crate::snapshot::compile::compile(&deployment, None, 1);
    snapshot.unwrap()
}

/// Formula as text, with targets as `probe@destination`.
fn shown(target_set: &TargetSet, formula: &Formula) -> String {
    match formula {
        Formula::Unwatched => "-".into(),
        Formula::Target(index) => {
            let target = &target_set.targets[index.index()];
            format!("{}@{}", target.probe, target.destination)
        }
        Formula::Group(need, parts) => {
            let parts: Vec<String> = parts.iter().map(|part| shown(target_set, part)).collect();
            format!("{need:?}({})", parts.join(" "))
        }
    }
}

/// Rows of the keys of each PoP, the formulas of fra's two addresses and iad's one, and the number
/// of targets besides the two canaries.
#[test]
fn addresses_become_formulas() {
    const TWO: &str = "web@192.0.2.1:443 web@[2001:db8::1]:443";
    for (fra, iad, formulas, targets) in [
        ("weight: 1", "weight: 1", "- - -".to_owned(), 0),
        ("probe: web", "probe: none", format!("{TWO} -"), 2),
        (
            "probe: [web, other]",
            "weight: 1",
            "All(web@192.0.2.1:443 other@192.0.2.1:8080) All(web@[2001:db8::1]:443 other@[2001:db8::1]:8080) \
             -".into(),
            4,
        ),
        (
            "probe: some",
            "weight: 1",
            "Any(web@192.0.2.1:443 other@192.0.2.1:8080) Any(web@[2001:db8::1]:443 other@[2001:db8::1]:8080) \
             -".into(),
            4,
        ),
        // All users of the same check of one address share one target.
        ("probe: shared", "probe: shared",
            "shared@192.0.2.250:22 shared@192.0.2.250:22 shared@192.0.2.250:22".into(), 1),
        // Two probes that differ in timing share a target, with the timing of the first by name.
        (
            "probe: [web, slow]",
            "weight: 1",
            "All(slow@192.0.2.1:443 slow@192.0.2.1:443) All(slow@[2001:db8::1]:443 slow@[2001:db8::1]:443) \
             -".into(),
            2,
        ),
        // A push for one probe does not count for another.
        ("weight: 1", "probe: [push, push2]", "- - All(push@192.0.2.2:0 push2@192.0.2.2:0)".into(), 2),
        ("probe: flag", "probe: flag", "flag@192.0.2.1:0 flag@192.0.2.1:0 flag@192.0.2.1:0".into(), 1),
        ("probe: mark", "probe: mark", "mark@192.0.2.1:0 mark@[2001:db8::1]:0 mark@192.0.2.2:0".into(), 3),
        ("probe: run", "probe: run", "run@192.0.2.1:0 run@[2001:db8::1]:0 run@192.0.2.2:0".into(), 3),
    ] {
        let target_set = target_set(fra, iad);
        assert_eq!(
            target_set.slots.iter().map(|s| (s.pop, &*s.service)).collect::<Vec<_>>(),
            [(PopId(0), "default"), (PopId(1), "default")]
        );
        let all = target_set.slots.iter().flat_map(|slot| slot.v4.iter().chain(&slot.v6));
        assert_eq!(
            all.map(|formula| shown(&target_set, formula)).collect::<Vec<_>>().join(" "),
            formulas,
            "{fra}, {iad}"
        );
        assert_eq!(target_set.targets.len(), targets + 2, "{fra}, {iad}");
        let mut keys: Vec<&str> = target_set.targets.iter().map(|target| &*target.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), target_set.targets.len(), "keys are told apart");
    }
    let slow = target_set("probe: [web, slow]", "weight: 1");
    assert_eq!(slow.targets[0].spec.every_ms, 60_000);
}

#[test]
fn policies_and_canaries_are_in_the_roster() {
    let target_set = target_set("probe: web", "weight: 1");
    let canaries: Vec<String> = target_set
        .canaries
        .iter()
        .map(|index| target_set.targets[index.index()].destination.to_string())
        .collect();
    assert_eq!(canaries, ["192.0.2.251:22", "[2001:db8::251]:22"]);
    assert_eq!((target_set.freeze_max_ms, target_set.startup_wait_ms), (60_000, 1_000));
    let pops: Vec<_> = target_set.pops.iter().map(|pop| (&*pop.name, pop.capacity)).collect();
    assert_eq!(pops, [("fra", None), ("iad", Some(5.0))]);
    let policy = &target_set.policies[0];
    assert_eq!(
        (&*policy.name, policy.members.as_slice(), policy.up_threshold_percent),
        ("web", &[(PopId(0), SlotId(0)), (PopId(1), SlotId(1))][..], 60)
    );
    assert_eq!(policy.guard.share_percent, 100);
}

/// Keys do not change with other settings.
#[test]
fn keys_do_not_hold_what_changes() {
    let (first, second) =
        (target_set("probe: web", "weight: 1"), target_set("probe: web, weight: 7", "probe: web"));
    let keys = |target_set: &TargetSet| target_set.targets.iter().map(|t| t.key.clone()).collect::<Vec<_>>();
    assert!(keys(&first).iter().all(|key| keys(&second).contains(key)));
}

/// Saved health and load of the first version are found again: files that it wrote for these
/// deployments, with every kind of probe and feed, give every target and feed its state.
#[test]
fn saved_state_of_the_first_version_is_found() {
    let now = Moment(1_000_000);
    let policies = "{ web: { pops: [one, two], order: listed, panic: off } }";
    let probed = compiled(include_str!("upgrade/probed.yaml"), policies, "w: { steer: web }");
    let health = SavedHealth::from_lines(include_str!("upgrade/health").lines());
    let mut monitor = Monitor::new(probed.target_set.clone(), 0, now);
    assert_eq!(monitor.restore(&health, now, 1_795_771_393), 13);
    assert_eq!(probed.target_set.targets.len(), 13, "each has its line");

    let policies = "{ web: { pops: [[one, two, three, four]], order: listed }, \
                    post: { pops: [[two, four]], order: listed, service: mail } }";
    let measured =
        compiled(include_str!("upgrade/measured.yaml"), policies, "w: { steer: web }\n  p: { steer: post }");
    let loads: Vec<SavedLoad> =
        include_str!("upgrade/load").lines().filter_map(SavedLoad::from_line).collect();
    let mut controller = LoadController::new(measured.loads.clone(), 0, now);
    assert_eq!(controller.restore(&loads, now, 1_795_771_435), 4);
    assert_eq!(measured.loads.feeds.len(), 4, "each has its line");
}
