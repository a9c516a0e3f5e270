//! What other files would move: over health states against every client's own answer, and by the
//! program, with and without a server.

use crate::process::run;
use meridian::testing::geo::prefix::Prefix;
use meridian::testing::health::targets::PolicyId;
use meridian::testing::impact::{Answered, Comparison, PolicyChange, replay};
use meridian::testing::server::Engine;
use meridian::testing::snapshot::Snapshot;
use meridian::testing::wire::rr::RrType;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use support::deployment::{Deployment, decode, push, query as plain_query};
use support::dice::Dice;
use support::{ServerFile, Tree, ask, load, query, sample, with_down};

fn pop(name: &str) -> Answered {
    Answered::Pop(name.into())
}

/// Who answers a client, by the answer itself.
fn answered(snapshot: &Snapshot, name: &str, client: Ipv4Addr) -> Option<String> {
    let (outcome, _) = ask(
        snapshot,
        &query(name, RrType::A, Some(Prefix::new(client.into(), 24))),
        [192, 0, 2, 77].into(),
        0,
    );
    outcome.pop().map(|(pop, _)| snapshot.steering.pops[usize::from(pop.0)].name.to_string())
}

fn of<'r>(policy_changes: &'r [PolicyChange<2>], policy: &str) -> &'r PolicyChange<2> {
    policy_changes.iter().find(|policy_change| &*policy_change.policy == policy).unwrap()
}

/// A snapshot and equal files: nobody moves, also where the same PoP is down by probes.
#[test]
fn nothing_moves_where_nothing_changed() {
    let (world, again) = (sample(), sample());
    for (before, after) in [
        (world.snapshot.clone(), again.snapshot.clone()),
        (with_down(&world, &["fra"]), with_down(&again, &["fra"])),
    ] {
        let replay = replay(&before, &after, 10);
        assert!(!replay.policy_changes.is_empty() && replay.losses.count == 0);
        for policy_change in &replay.policy_changes {
            assert!(
                policy_change.flows.iter().all(|flow| flow.moves.is_empty() && flow.whole > 0.0),
                "{policy_change:?}"
            );
            assert_eq!(policy_change.to.as_ref(), Some(&policy_change.policy));
        }
    }
}

/// Shares of IPv4 are those that asking clients at random finds, each way, for every kind of
/// change.
#[test]
fn shares_are_what_clients_see() {
    let world = sample();
    let changes = [
        ("a weight", Tree::sample().replacing("pops.yaml", "weight: 50 ", "weight: 400 ")),
        (
            "a state",
            Tree::sample().replacing("pops.yaml", "    weight: 50 ", "    state: down\n    weight: 50 "),
        ),
        (
            "a band",
            Tree::sample().replacing("policies.yaml", "band: none", "band: 60%").replacing(
                "policies.yaml",
                "  nearest:\n",
                "  nearest:\n    band: 60%\n",
            ),
        ),
    ];
    let mut moved = 0;
    for (what, tree) in changes {
        let after = load(&tree).unwrap_or_else(|findings| panic!("{what}: {findings}"));
        let replay = replay(&world.snapshot, &after.snapshot, 10);
        // One steered name of each policy is asked; names share alike on the whole.
        let mut names: BTreeMap<PolicyId, String> = BTreeMap::new();
        for zone in world.snapshot.zones.iter() {
            for (node, steered) in zone.steered() {
                let name = meridian::testing::wire::name::Name::from_wire(zone.name(node))
                    .unwrap()
                    .to_string()
                    .replace('*', "c42");
                names.entry(steered.policy).or_insert(name);
            }
        }
        for (policy, name) in names {
            let flow =
                &of(&replay.policy_changes, &world.snapshot.steering.policies[policy.index()].name).flows[0];
            let dice = &mut Dice(u64::from(policy.0) + 7);
            let (mut ways, mut asked) = (BTreeMap::<(String, String), f64>::new(), 0.0);
            while asked < 6_000.0 {
                let client = Ipv4Addr::from_bits(dice.roll() as u32);
                if meridian::testing::geo::special::special_block(client.into()).is_some() {
                    continue;
                }
                asked += 1.0;
                if let (Some(was), Some(is)) =
                    (answered(&world.snapshot, &name, client), answered(&after.snapshot, &name, client))
                    && was != is
                {
                    *ways.entry((was, is)).or_default() += 1.0;
                }
            }
            for (from, to) in flow.moves.keys() {
                if let (Answered::Pop(from), Answered::Pop(to)) = (from, to) {
                    ways.entry((from.to_string(), to.to_string())).or_default();
                }
            }
            for ((from, to), count) in ways {
                let (told, seen) = (flow.share(&pop(&from), &pop(&to)), count / asked);
                assert!(
                    (told - seen).abs() < 0.025,
                    "{what}, {name}: {from} -> {to}, told {told:.3}, seen {seen:.3}"
                );
                moved += usize::from(seen > 0.0);
            }
        }
    }
    assert!(moved > 3, "{moved}");
}

/// A name that is gone, one that is not steered any more, one that loses IPv6, one that has another
/// policy.
#[test]
fn names_that_lose_something_are_told() {
    let files = |records: &str, v6: &str| {
        Tree::of(ServerFile::default())
            .with(
                "pops.yaml",
                format!(
                    "pops:\n  one: {{ addresses: [192.0.2.1{v6}] }}\n  two: {{ addresses: \
                [192.0.2.2, \"2001:db8::2\"] }}\n"
                ),
            )
            .with(
                "policies.yaml",
                "policies: { first: { pops: [one], order: listed }, second: { pops: \
                [two], order: listed } }\n",
            )
            .with(
                "zones/z.example.yaml",
                format!(
                    "zone: z.example.\nsoa: {{ mname: ns, rname: h }}\nrecords:\n  \"@\": {{ NS: ns \
                    }}\n  ns: {{ A: 192.0.2.9, AAAA: \"2001:db8::9\" }}\n{records}"
                ),
            )
    };
    let load =
        |records, v6| load(&files(records, v6)).unwrap_or_else(|findings| panic!("{findings}")).snapshot;
    let before = load(
        "  a: { steer: first }\n  b: { steer: first }\n  c: { steer: first }\n  d: { steer: second }\n  e: { \
         A: 192.0.2.7 }\n",
        ", \"2001:db8::1\"",
    );
    let after = load(
        "  b: { steer: second }\n  c: { A: 192.0.2.7 }\n  d: { steer: second }\n  f: { A: 192.0.2.7 }\n",
        "",
    );
    assert_eq!(
        (replay(&before, &after, 1).losses.list.len(), replay(&before, &after, 1).losses.count),
        (1, 4)
    );
    let told = replay(&before, &after, 9);
    let losses: Vec<String> =
        told.losses.list.iter().map(|loss| format!("{} {}", loss.name, loss.rtype)).collect();
    assert_eq!(
        (losses, told.losses.count),
        (["a A", "a AAAA", "c AAAA", "e A"].map(|loss| loss.replace(' ', ".z.example. ")).to_vec(), 4)
    );
    let shown: Vec<(String, Option<String>, usize, f64)> = (told.policy_changes.iter())
        .map(|policy_change| {
            let moved = policy_change.flows[0].moves.values().sum::<f64>() / policy_change.flows[0].whole;
            (
                policy_change.policy.to_string(),
                policy_change.to.as_ref().map(ToString::to_string),
                policy_change.names,
                moved,
            )
        })
        .collect();
    let expected = [
        ("first", None, 1, 1.0),
        ("first", None, 1, 1.0),
        ("first", Some("second"), 1, 1.0),
        ("second", Some("second"), 1, 0.0),
    ];
    assert_eq!(
        shown,
        expected.map(|(policy, to, names, moved)| (policy.to_owned(), to.map(str::to_owned), names, moved))
    );
    let whole = Comparison::new(&before, &after, std::iter::empty());
    assert!((whole.moved_space()[0] - 0.75).abs() < 1e-9 && whole.moved_queries().is_none(), "{whole:?}");
}

fn listed(deployment: &Deployment, order: &str) {
    deployment.write(
        "pops.yaml",
        "pops:\n  one: { addresses: [198.51.100.10] }\n  two: { addresses: [198.51.100.20] }\n",
    );
    deployment.write(
        "zones/cdn.example.yaml",
        &format!(
            "zone: cdn.example.\nttl: 300\nsoa: {{ mname: ns1, rname: hostmaster, negative_ttl: 60 \
             }}\nrecords:\n  \"@\": {{ NS: [ns1] }}\n  \
             ns1: {{ A: 192.0.2.53 }}\n  a: {{ steer: first }}\n  b: {{ steer: second }}\npolicies:\n  \
             first: {{ pops: [{order}], order: listed }}\n  second: {{ pops: [one, two], order: listed }}\n"
        ),
    );
}

/// The program against a running server: shares of space and of counted queries, under the
/// overrides in force; a bound is an error; files that a reload would refuse are refused; without a
/// server that is told.
#[test]
fn files_are_compared_with_what_a_server_has() {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    listed(&deployment, "one, two");
    let config = deployment.path("meridian.yaml");
    let config = config.to_str().expect("text");
    let check = |more: &[&str]| run(&[&["check", "--config", config][..], more].concat());
    assert_eq!(check(&["--diff"]).0, 2, "nobody runs");
    let server = deployment.start(Engine::Fast);
    let (status, stdout, stderr) = check(&["--diff", "--max-move", "0%"]);
    assert!(status == 0 && stdout.contains("no client moves"), "{stdout}{stderr}");
    for name in ["a.cdn.example", "a.cdn.example", "a.cdn.example", "b.cdn.example"] {
        assert_eq!(
            decode(&support::deployment::ask_udp(server.dns()[0], &plain_query(1, name, 1))).2,
            ["198.51.100.10"]
        );
    }
    listed(&deployment, "two, one");
    let (status, stdout, stderr) = check(&["--diff", "--format", "json"]);
    assert_eq!(status, 0, "{stderr}");
    let told: Value = serde_json::from_str(&stdout).expect("JSON");
    let diff = &told["diff"];
    assert_eq!(
        (&diff["moved"]["ipv4"], &diff["moved"]["queries"]),
        (&0.5.into(), &0.75.into()),
        "one of two names, three of four queries: {diff}"
    );
    let moves = diff["moves"].as_array().expect("moves");
    assert_eq!(
        (moves.len(), &moves[0]["from"], &moves[0]["to"]),
        (1, &"one".into(), &"two".into()),
        "{diff}"
    );
    assert!(diff["assumed"].as_str().is_some_and(|text| text.contains("overrides")), "{diff}");
    let (status, stdout, _) = check(&["--max-move", "50%"]);
    assert!(
        status == 1 && stdout.contains("refused: more moves than 50.0 %"),
        "of the queries more than half: {stdout}"
    );
    assert_eq!(check(&["--diff", "--max-move", "75%"]).0, 0);
    // `one` is off on both sides: nobody is left to move.
    let (status, _, stderr) = run(&["pop", "down", "one", "--reason", "x", "--yes", "--config", config]);
    assert_eq!(status, 0, "{stderr}");
    let (status, stdout, stderr) = check(&["--diff", "--max-move", "0%"]);
    assert!(status == 0 && stdout.contains("no client moves"), "{stdout}{stderr}");
    listed(&deployment, "two, three");
    let (status, _, stderr) = check(&["--diff"]);
    assert!(status == 1 && stderr.contains("three"), "{stderr}");
}

/// Two deployments without a server.
#[test]
fn two_deployments_are_compared() {
    let (old, new) = (Deployment::new(&["127.0.0.1:0"], ""), Deployment::new(&["127.0.0.1:0"], ""));
    listed(&old, "one, two");
    listed(&new, "two, one");
    let path = |deployment: &Deployment| deployment.path("meridian.yaml").to_str().expect("text").to_owned();
    let (old_path, new_path) = (path(&old), path(&new));
    let (status, stdout, _) = run(&["diff", &old_path, &new_path]);
    assert!(
        status == 0 && stdout.contains("moves: 50.0 % of IPv4") && stdout.contains("assumed: every PoP up"),
        "{stdout}"
    );
    assert_eq!(run(&["diff", &old_path, &new_path, "--max-move", "49%"]).0, 1);
    assert_eq!(run(&["diff", &old_path, &new_path, "--max-move", "50%"]).0, 0);
    assert_eq!(run(&["check", "--config", &new_path, "--diff", &old_path, "--max-move", "5%"]).0, 1);
    new.write("pops.yaml", "pops: {");
    let (status, _, stderr) = run(&["diff", &old_path, &new_path]);
    assert!(status == 1 && stderr.contains("not compared"), "{stderr}");
}

/// An alias that leads to another steered name takes its clients there, also along a second alias;
/// one that leads where it led moves with that name alone; one that is gone loses what its end had.
#[test]
fn aliases_are_followed() {
    let files = |records: &str| {
        Tree::of(ServerFile::default())
            .with("pops.yaml", "pops: { one: { addresses: [192.0.2.1] }, two: { addresses: [192.0.2.2] } }\n")
            .with(
                "policies.yaml",
                "policies: { first: { pops: [one], order: listed }, second: { pops: \
                [two], order: listed } }\n",
            )
            .with(
                "zones/z.example.yaml",
                format!(
                    "zone: z.example.\nsoa: {{ mname: ns, rname: h }}\nrecords:\n  \"@\": {{ NS: ns }}\n  \
                     ns: {{ A: 192.0.2.9 }}\n  \
                     a: {{ steer: first }}\n  b: {{ steer: second }}\n{records}"
                ),
            )
    };
    let load = |records| load(&files(records)).unwrap_or_else(|findings| panic!("{findings}")).snapshot;
    let before = load("  x: { CNAME: y }\n  y: { CNAME: a }\n  z: { CNAME: a }\n  gone: { CNAME: x }\n");
    let told = replay(&before, &load("  x: { CNAME: y }\n  y: { CNAME: b }\n  z: { CNAME: a }\n"), 9);
    let shown: Vec<(&str, Option<&str>, usize, bool)> = (told.policy_changes.iter())
        .map(|policy_change| {
            (
                &*policy_change.policy,
                policy_change.to.as_deref(),
                policy_change.names,
                policy_change.flows[0].moves.is_empty(),
            )
        })
        .collect();
    let expected = [
        ("first", None, 1, false),
        ("first", Some("first"), 1, true),
        ("first", Some("second"), 2, false),
        ("second", Some("second"), 1, true),
    ];
    assert_eq!(shown, expected);
    assert_eq!(
        told.losses.list.iter().map(|loss| format!("{} {}", loss.name, loss.rtype)).collect::<Vec<_>>(),
        ["gone.z.example. A"]
    );
}

/// A PoP that is forced up moves its clients when that ends, since its probes call it down.
#[test]
fn who_is_forced_up_may_be_down() {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    listed(&deployment, "one, two");
    let pops = |state: &str| {
        let probes = "probes: { told: { push: {}, up_after: 1, down_after: 1 } }";
        let one = format!("one: {{ addresses: [198.51.100.10], probe: told{state} }}");
        deployment.write(
            "pops.yaml",
            &format!("{probes}\npops:\n  {one}\n  two: {{ addresses: [198.51.100.20] }}\n"),
        );
    };
    pops(", state: up");
    let server = deployment.start(Engine::Fast);
    push(&server, "told", "one", &[], false);
    let config = deployment.path("meridian.yaml");
    let check = || run(&["check", "--config", config.to_str().expect("text"), "--diff", "--max-move", "0%"]);
    let (status, stdout, stderr) = check();
    assert_eq!(status, 0, "{stdout}{stderr}");
    pops("");
    let (status, stdout, stderr) = check();
    assert!(status == 1 && stdout.contains("one   two"), "{stdout}{stderr}");
    server.stop();
}
