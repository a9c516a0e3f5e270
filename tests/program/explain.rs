//! `explain` asks the running server: what it tells is what the server answers over its sockets,
//! under overrides, verdicts, ramps and load; it finds the server although the server file is
//! broken; and without a server it says so and reads no file.

use meridian::testing::explain::dig;
use meridian::testing::server::{Engine, Server};
use meridian::testing::wire::name::Name;
use meridian::testing::wire::rr::RrType;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;
use support::deployment::*;
use support::dice::Dice;
use support::{prefix, program};

const POPS: [&str; 4] = ["ams", "fra", "iad", "nrt"];
const NAMES: [&str; 4] = ["www", "listed", "last", "status"];

/// Four PoPs on three continents, each with a pushed probe for each address, a pushed load, and a
/// ramp; operator networks say where clients are.
fn four_pops() -> Deployment {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    deployment.edit("meridian.yaml", |server| server + "geoip: { networks: networks.yaml }\n");
    deployment.write(
        "networks.yaml",
        "europe: { prefixes: [198.18.0.0/17], country: DE, lat: 50, lon: 8 }\n\
         america: { prefixes: [198.18.128.0/17], country: US, lat: 40, lon: -75 }\n\
         asia: { prefixes: [198.19.0.0/16], country: JP, lat: 35, lon: 139 }\n",
    );
    let mut pops = "probes:\n  told: { push: { ttl: 1d }, up_after: 1, down_after: 1 }\npops:\n".to_owned();
    for (index, (name, at)) in POPS
        .iter()
        .zip(["lat: 52.3, lon: 4.8", "lat: 50.1, lon: 8.7", "lat: 39, lon: -77.5", "lat: 35.8, lon: 140.4"])
        .enumerate()
    {
        pops.push_str(&format!(
            "  {name}:\n    at: {{ {at} }}\n    addresses: [192.0.2.1{index}0, 192.0.2.1{index}1, \
             \"2001:db8::{index}\"]\n    probe: told\n    ramp: 1m\n    capacity: 100\n    load: {{ \
             push: {{}}, \
             every: 1s, gain: 0.3, smoothing: 1 }}\n"
        ));
    }
    deployment.write("pops.yaml", &pops);
    deployment.write(
        "zones/cdn.example.yaml",
        "zone: cdn.example.\nttl: 300\nsoa: { mname: ns1, rname: hostmaster }\nrecords:\n  \"@\": { \
         NS: [ns1] \
         }\n  ns1: { A: 192.0.2.53 }\n  status: { A: 192.0.2.80 }\n  www: { steer: near }\n  \
         listed: { steer: \
         order }\n  last: { steer: last }\npolicies:\n  near: { pops: all, answers: 2, band: 30% \
         }\n  order: { \
         pops: [fra, iad, nrt], order: listed, panic: off }\n  last: { pops: [[fra, ams], iad], \
         order: listed, \
         when_all_down: last_good, panic: off }\n",
    );
    deployment
}

fn post(deployment: &Deployment, path: &str, body: &Value) -> (u16, Value) {
    let page = deployment.send("POST", path, &body.to_string());
    (page.status, page.json())
}

/// What happens to a server.
fn happens(deployment: &Deployment, dice: &mut Dice) {
    let pop = *dice.pick(&POPS);
    let state = *dice.pick(&["drain", "down", "up", "auto", "auto"]);
    let (path, body) = match dice.below(5) {
        0 | 1 => {
            let address =
                format!("192.0.2.1{}{}", POPS.iter().position(|p| *p == pop).expect("it"), dice.below(2));
            let address = if dice.once_in(2) { json!(address) } else { Value::Null };
            let body = json!({ "probe": "told", "pop": pop, "up": !dice.once_in(2), "address": address });
            ("/probes/push", body)
        }
        2 => ("/load/push", json!({ "pop": pop, "value": dice.below(200) })),
        3 => (
            "/pops/override",
            json!({ "pops": [pop], "state": state, "reason": "x", "force": true,
            "over_secs": *dice.pick(&[0, 0, 20]) }),
        ),
        _ => (
            "/pops/override",
            json!({ "pops": [pop], "weight": dice.below(200), "reason": "x",
            "force": true }),
        ),
    };
    let (status, told) = post(deployment, path, &body);
    assert!(status == 200, "{path} {body}: {told}");
}

/// Status, records and scope as `dig` would show them, in any order.
fn shown(text: &str) -> BTreeSet<String> {
    text.lines().map(|line| line.replace(" rd", "")).filter(|line| !line.is_empty()).collect()
}

fn meridian(arguments: &[&str], config: &Path) -> (i32, String, String) {
    program::run(program::meridian_over(config, arguments))
}

fn explained(deployment: &Deployment, name: &str, client: IpAddr) -> Value {
    let body = json!({ "name": name, "ecs": format!("{client}/32") });
    let (status, told) = post(deployment, "/explain", &body);
    assert_eq!(status, 200, "{told}");
    told
}

/// 200 clients and names at moments of a server's life.
#[test]
fn explain_tells_what_the_server_answers() {
    let deployment = four_pops();
    let server = deployment.start(Engine::Fast);
    let dice = &mut Dice(3);
    let (mut compared, mut lines) = (0, BTreeSet::new());
    while compared < 200 {
        for _ in 0..dice.below(3) {
            happens(&deployment, dice);
        }
        let name = format!("{}.cdn.example.", dice.pick::<&str>(&NAMES));
        let client = dice.inside(prefix("198.18.0.0/15"));
        let before = explained(&deployment, &name, client);
        let subnet = prefix(&format!("{client}/32"));
        let packet = dig::query(&Name::parse(&name, None).expect("a name"), RrType::A, Some(subnet));
        let answer = ask_udp(server.dns()[0], &packet);
        let after = explained(&deployment, &name, client);
        // What changes between is of another moment.
        if before["sequence"] != after["sequence"] {
            continue;
        }
        compared += 1;
        let told = before["answer"].as_str().expect("an answer");
        assert_eq!(
            shown(told),
            shown(&dig::render(&answer)),
            "{}",
            before["text"].as_str().unwrap_or_default()
        );
        let heads = before["lines"].as_array().expect("lines").iter();
        lines.extend(heads.filter_map(|line| line[0].as_str()).map(str::to_owned));
    }
    for head in ["policy", "evidence", "rule", "list", "scan", "state", "chosen", "ttl", "scope"] {
        assert!(lines.contains(head), "no line `{head}` was met: {lines:?}");
    }
    server.stop();
}

fn drained(deployment: &Deployment) -> Server {
    let server = deployment.start(Engine::Fast);
    let body = json!({ "pops": ["fra"], "state": "drain", "reason": "new switch", "force": true });
    assert_eq!(post(deployment, "/pops/override", &body).0, 200);
    server
}

/// The command asks the server and says which; `--files` reads the files, which know of no
/// override; what is supposed is laid over the state of now; without a server it says so.
#[test]
fn the_command_says_whom_it_asks() {
    let deployment = four_pops();
    let config = deployment.path("meridian.yaml");
    let question = ["explain", "listed.cdn.example.", "--ecs", "198.18.0.0/24"];
    let (status, stdout, stderr) = meridian(&question, &config);
    assert!(status == 2 && stdout.is_empty(), "{stdout}{stderr}");
    assert!(stderr.contains("no server can be asked") && stderr.contains("--files"), "{stderr}");

    let server = drained(&deployment);
    let (status, stdout, stderr) = meridian(&question, &config);
    assert!(status == 0 && stderr.is_empty(), "{stderr}");
    let first = stdout.lines().next().expect("a line");
    for word in ["asked", "test at", "control.sock", "snapshot 2", "digest ", "files ", "Z,"] {
        assert!(first.contains(word), "no {word:?} in {first}");
    }
    assert!(stdout.contains("chosen     iad") && stdout.contains("new switch"), "{stdout}");
    let (_, stdout, _) = meridian(&[&question[..], &["--down", "iad"]].concat(), &config);
    assert!(
        stdout.contains("supposed   down by probes: iad") && stdout.contains("chosen     nrt"),
        "{stdout}"
    );
    let (status, _, stderr) = meridian(&[&question[..], &["--down", "xxx"]].concat(), &config);
    assert!(status == 2 && stderr.contains("`xxx` is not a PoP"), "{stderr}");
    let (status, stdout, stderr) = meridian(&[&question[..], &["--files"]].concat(), &config);
    assert!(
        status == 0 && stdout.contains("no server was asked") && stdout.contains("chosen     fra"),
        "{stderr}"
    );
    server.stop();
}

/// With a server file that cannot be read, or that names another socket, commands find the server
/// by its note and say so; the note goes with the server; one left behind is passed over.
#[test]
fn a_broken_server_file_hides_no_server() {
    let deployment = four_pops();
    let config = deployment.path("meridian.yaml");
    let sound = std::fs::read_to_string(&config).expect("a file").replace("control.sock", "run.sock");
    deployment.write("meridian.yaml", &sound);
    let server = deployment.start(Engine::Fast);
    for broken in ["listen: { control: [", &sound.replace("run.sock", "other.sock")] {
        deployment.write("meridian.yaml", broken);
        let (status, stdout, stderr) = meridian(&["pop", "list"], &config);
        assert!(status == 0 && stdout.contains("fra"), "{stderr}");
        assert!(stderr.contains("run.sock") && stderr.contains("meridian.yaml"), "{stderr}");
        let (status, _, stderr) = meridian(&["reload"], &config);
        assert!(status == 1 && stderr.contains("run.sock"), "the server refuses it: {stderr}");
    }
    server.stop();
    let (status, _, stderr) = meridian(&["pop", "list"], &config);
    assert!(status == 2 && !stderr.contains("run.sock"), "the note is gone: {stderr}");
    // As a server leaves it that was killed.
    deployment.write("meridian.yaml", &sound);
    let server = deployment.start(Engine::Fast);
    let notes: Vec<_> = std::fs::read_dir(deployment.path("")).expect("a folder").flatten().collect();
    let note = notes.iter().map(|entry| entry.path()).find(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".meridian.yaml"))
    });
    // A machine with a runtime folder has it there.
    let Some(note) = note else { return server.stop() };
    let text = std::fs::read_to_string(&note).expect("a note");
    server.stop();
    std::fs::write(&note, text.replace("run.sock", "dead.sock")).expect("the folder is ours");
    let server = deployment.start(Engine::Fast);
    let alive = std::fs::read_to_string(&note).expect("a note");
    assert!(alive.contains("run.sock"), "a new server writes its own: {alive}");
    std::fs::write(&note, text.replace("run.sock", "dead.sock")).expect("the folder is ours");
    let (status, stdout, stderr) = meridian(&["pop", "list"], &config);
    assert!(status == 0 && stdout.contains("fra") && stderr.is_empty(), "{stderr}");
    server.stop();
    assert!(note.exists(), "a note of another server stays");
}

/// A push that is not taken is no success: its status says so, and its answer why.
#[test]
fn a_push_that_is_not_taken_is_refused() {
    let deployment = four_pops();
    let server = deployment.start(Engine::Fast);
    for (path, body, wanted, why) in [
        ("/load/push", json!({ "pop": "ams", "value": 10_000 }), 200, ""),
        ("/load/push", json!({ "pop": "ams", "value": 10_001 }), 409, "more than 100 times the capacity"),
        ("/load/push", json!({ "pop": "ams", "value": -1 }), 400, "a finite number from 0 on, not `-1`"),
        ("/load/push", json!({ "pop": "ams", "service": "no", "value": 1 }), 409, "no load feed"),
        ("/load/push", json!({ "pop": "no", "value": 1 }), 409, "no load feed"),
        ("/probes/push", json!({ "probe": "told", "pop": "ams", "up": true }), 200, ""),
        ("/probes/push", json!({ "probe": "no", "pop": "ams", "up": true }), 409, "waits for pushes"),
        (
            "/probes/push",
            json!({ "probe": "told", "pop": "ams", "up": true, "address": "192.0.2.200" }),
            409,
            "waits for pushes",
        ),
    ] {
        let (status, told) = post(&deployment, path, &body);
        assert_eq!(status, wanted, "{path} {body}: {told}");
        assert!(told["error"].as_str().unwrap_or_default().contains(why), "{path} {body}: {told}");
        assert_eq!(told["ok"], wanted == 200, "{path} {body}: {told}");
    }
    server.stop();
}

/// The socket of a server that was killed may be another's by now: a command that follows the note
/// asks that one nothing, and says what it has found.
#[test]
fn a_note_leads_to_no_other_server() {
    let (killed, other) = (four_pops(), four_pops());
    let socket = killed.path("run.sock");
    let config = std::fs::read_to_string(other.path("meridian.yaml")).expect("a file");
    other.write("meridian.yaml", &config.replace("control.sock", &socket.display().to_string()));
    let server = other.start(Engine::Fast);
    let of_killed = killed.path("meridian.yaml").canonicalize().expect("a file");
    let note = format!("{}\n{}\n", socket.display(), of_killed.display());
    killed.write(".meridian.yaml.control", &note);
    for command in [&["pop", "list"][..], &["reload"], &["pop", "down", "--yes", "fra", "--reason", "x"]] {
        let (status, stdout, stderr) = meridian(command, &killed.path("meridian.yaml"));
        assert!(status == 2 && stdout.is_empty(), "{command:?}: {stdout}{stderr}");
        let found = other.path("meridian.yaml").canonicalize().expect("a file");
        for word in ["run.sock", "started with", &found.display().to_string(), "no request was sent to it"] {
            assert!(stderr.contains(word), "{command:?}: no {word:?} in {stderr}");
        }
    }
    assert_eq!(server.shared().published.snapshot().sequence(), 1, "nothing was done there");
    // The one of the note is asked.
    let (status, _, stderr) = meridian(&["pop", "list"], &other.path("meridian.yaml"));
    assert!(status == 0 && stderr.is_empty(), "{stderr}");
    server.stop();
}
