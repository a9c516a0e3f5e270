//! Zones each for themselves: a faulty one is told and goes on from its last good texts, or is
//! answered SERVFAIL; those beside it, and what steers, are taken over all the same.

mod kept;
mod kinds;

use kinds::*;
use meridian::testing::finding::render;
use meridian::testing::server::{Engine, Server};
use serde_json::Value;
use std::net::SocketAddr;
use std::process::Command;
use support::deployment::*;
use support::program::until_so;
use support::reply::Reply;

const A: u16 = 1;
/// EDNS option NSID, so that the query has an OPT.
const NSID: u8 = 3;
const NOERROR: u16 = 0;
const SERVFAIL: u16 = 2;
const REFUSED: u16 = 5;
/// Invalid Data (RFC 8914 section 4.25).
const INVALID_DATA: u16 = 24;

/// A good zone (`cdn.example`), and the two that are broken: one of YAML, one of text.
fn three_zones() -> Deployment {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    for (path, text) in [(YAML, YAML_TEXT), (TEXT, TEXT_TEXT), (INCLUDED, INCLUDED_TEXT)] {
        deployment.write(path, text);
    }
    deployment
}

/// What an answer says: response code, IPv4 addresses, extended error, AA.
fn ask(dns: SocketAddr, name: &str) -> (u16, Vec<String>, Option<u16>, bool) {
    let octets = ask_udp(dns, &with_option(query(1, name, A), NSID, &[]));
    let reply = Reply::of(&octets);
    let error = reply.opt.as_ref().expect("an OPT").ede;
    (reply.rcode, reply.addresses(), error, reply.is_authoritative())
}

/// The addresses of a name that exists.
fn addresses(dns: SocketAddr, name: &str) -> Vec<String> {
    let (rcode, addresses, error, is_authoritative) = ask(dns, name);
    assert_eq!((rcode, error, is_authoritative), (NOERROR, None, true), "{name}");
    addresses
}

/// Asserts that a name is answered SERVFAIL because its zone is dead.
fn is_dead(dns: SocketAddr, name: &str, why: &str) {
    let answer = ask(dns, name);
    assert_eq!(answer, (SERVFAIL, Vec::new(), Some(INVALID_DATA), false), "{name}: {why}");
}

/// `meridian` with arguments: exit status, and what it prints.
fn run(deployment: &Deployment, arguments: &[&str]) -> (Option<i32>, String) {
    let (status, stdout, stderr) = deployment.run(arguments);
    (Some(status), stdout + &stderr)
}

/// `meridian reload`: exit status, and what came of it.
fn reload(deployment: &Deployment, more: &[&str]) -> (Option<i32>, Value) {
    let (status, text) = run(deployment, &[&["reload", "--format", "json"], more].concat());
    let told = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    (status, told)
}

/// What `meridian status`' page says of zones that are not served by their files: zone, standing.
fn others(told: &Value) -> Vec<(&str, &str)> {
    let list = told["zones"]["others"].as_array().expect("a list");
    list.iter()
        .map(|zone| (zone["zone"].as_str().unwrap_or("?"), zone["standing"].as_str().unwrap_or("?")))
        .collect()
}

/// The zone of a file.
fn zone_of(path: &str) -> &'static str {
    if path == YAML { "b.example." } else { "t.example." }
}

/// Starts a server, or gives the findings that refuse it.
fn start(deployment: &Deployment) -> Result<Server, String> {
    deployment.try_start(Engine::Fast)
}

/// At a start, each kind of broken zone is told, and answered SERVFAIL; the others are served.
#[test]
fn every_kind_at_a_start() {
    let mut tried = 0;
    for (what, path, how, code) in KINDS {
        let deployment = three_zones();
        break_it(&deployment, path, how);
        if !holds(&deployment, path, how) {
            continue;
        }
        let server = start(&deployment).unwrap_or_else(|text| panic!("{what}:\n{text}"));
        let dns = server.dns()[0];
        let (findings, files) = server.findings();
        let text = render::text(findings, files, false);
        assert!(text.contains(&format!("error[{code}]")), "{what}: no {code} in\n{text}");
        let zone = zone_of(path);
        assert!(text.contains(&format!("the zone `{zone}` is answered SERVFAIL")), "{what}:\n{text}");
        assert_eq!(addresses(dns, "www.cdn.example"), ["198.51.100.10"], "{what}");
        for name in [zone, &format!("ns1.{zone}"), &format!("x.y.{zone}")] {
            is_dead(dns, name, what);
        }
        match zone {
            "b.example." => assert_eq!(addresses(dns, "www.t.example"), ["192.0.2.80"], "{what}"),
            _ => assert_eq!(addresses(dns, "www.b.example"), ["198.51.100.10"], "{what}"),
        }
        server.stop();
        tried += 1;
    }
    assert!(tried >= 35, "{tried}");
}

/// At a reload, each kind is told, and its zone goes on from its last good texts, with the steering
/// of the day; the change beside it is taken over. Mended, it is served by its files again.
#[test]
fn every_kind_at_a_reload() {
    let deployment = three_zones();
    let server = deployment.start(Engine::Fast);
    let dns = server.dns()[0];
    for (number, (what, path, how, code)) in KINDS.iter().enumerate() {
        let zone = zone_of(path);
        break_it(&deployment, path, how);
        if !holds(&deployment, path, how) {
            mend(&deployment, path, how);
            continue;
        }
        let address = format!("198.51.100.{}", 100 + number);
        deployment.set_address(&address);
        let (status, told) = reload(&deployment, &[]);
        assert_eq!((status, told["ok"].as_bool()), (Some(3), Some(true)), "{what}: {told:#}");
        assert_eq!(others(&told), [(zone, "kept")], "{what}: {told:#}");
        assert_eq!(told["zones"]["current"], 2, "{what}: {told:#}");
        let findings = told["findings"].as_array().expect("a list");
        let is_told = |finding: &Value| finding["code"] == *code && finding["severity"] == "error";
        assert!(findings.iter().any(is_told), "{what}: no {code} in {told:#}");
        assert_eq!(addresses(dns, "www.cdn.example"), [address.as_str()], "{what}");
        assert_eq!(addresses(dns, "www.b.example"), [address.as_str()], "{what}");
        assert_eq!(addresses(dns, "ns1.b.example"), ["192.0.2.7"], "{what}");
        assert_eq!(addresses(dns, "www.t.example"), ["192.0.2.80"], "{what}");
        mend(&deployment, path, how);
        let (status, told) = reload(&deployment, &[]);
        assert_eq!((status, others(&told)), (Some(0), vec![]), "{what}: {told:#}");
    }
    // What was changed soundly at last is served.
    deployment.write(TEXT, &TEXT_TEXT.replace("192.0.2.8\n", "192.0.2.9\n"));
    assert_eq!(reload(&deployment, &[]).0, Some(0));
    assert_eq!(addresses(dns, "ns1.t.example"), ["192.0.2.9"]);
    server.stop();
}

/// A copy that somebody left beside a zone's own file is told, and costs the zone nothing, at a
/// reload and at a start.
#[test]
fn a_stray_copy() {
    let deployment = three_zones();
    let server = deployment.start(Engine::Fast);
    deployment.write("zones/b2.yaml", YAML_TEXT);
    deployment.set_address("198.51.100.77");
    let (status, told) = reload(&deployment, &[]);
    assert_eq!((status, others(&told)), (Some(3), vec![]), "{told:#}");
    assert_eq!(told["findings"][0]["code"], "MRD0209", "{told:#}");
    assert_eq!(addresses(server.dns()[0], "www.b.example"), ["198.51.100.77"]);
    server.stop();
    let server = start(&deployment).unwrap_or_else(|text| panic!("{text}"));
    assert_eq!(addresses(server.dns()[0], "www.b.example"), ["198.51.100.77"]);
    server.stop();
}

/// A file that appears, whole or half, and is named after a zone that is served from another file
/// takes nothing from that zone, over a restart too. As long as it stands there, every reload says
/// so, and so do the pages and `check`.
#[test]
fn a_stray_file_is_told_while_it_stands() {
    let deployment = three_zones();
    deployment.write("zones/prod.yaml", YAML_TEXT);
    std::fs::remove_file(deployment.path(YAML)).expect("there");
    let mut server = deployment.start(Engine::Fast);
    let path = |name: &str| deployment.path(name).display().to_string();
    let stray = path(YAML);
    let why = format!("the zone `b.example.` is already served from `{}`", path("zones/prod.yaml"));
    let line = format!("file {stray}: not in force: {why}\n");
    for (text, restarts) in
        [(YAML_TEXT.replace("192.0.2.7", "192.0.2.17"), false), ("zone: b.example.\nx: [".into(), true)]
    {
        deployment.write(YAML, &text);
        // Told once is not enough.
        for _ in 0..2 {
            let (status, told) = run(&deployment, &["reload"]);
            assert_eq!(status, Some(3), "{told}");
            assert!(told.contains(&format!("\nfiles not in force: 1\n{line}")), "{told}");
        }
        if restarts {
            let kept = || std::fs::read_dir(deployment.path("state/zones")).is_ok_and(|all| all.count() == 1);
            until_so("a zone in the state folder", kept);
            server.stop();
            server = deployment.start(Engine::Fast);
        }
        assert_eq!(addresses(server.dns()[0], "ns1.b.example"), ["192.0.2.7"]);
        let status = run(&deployment, &["reload", "--status"]).1;
        assert!(status.ends_with(&line) && !status.contains("zone b.example."), "{status}");
        let (_, alarms) = run(&deployment, &["pop", "list"]);
        assert!(alarms.contains(&format!("the file `{stray}` is not in force: {why}")), "{alarms}");
    }
    // A deployment whose zones are all sound.
    deployment.write("zones/b2.yaml", YAML_TEXT);
    deployment.write(YAML, YAML_TEXT);
    std::fs::remove_file(deployment.path("zones/prod.yaml")).expect("there");
    let (status, text) = run(&deployment, &["check"]);
    assert_eq!(status, Some(1), "{text}");
    let verdict = "files not in force: errors 1, warnings 0; every zone can be served";
    assert!(text.contains(verdict) && !text.contains("faulty zones"), "{text}");
    std::fs::remove_file(deployment.path("zones/b2.yaml")).expect("there");
    let (status, told) = run(&deployment, &["reload"]);
    assert!(status == Some(0) && !told.contains("not in force"), "{told}");
    deployment
        .events(|events| events.contains(&format!("the file `{stray}` was removed, or is in force now")));
    server.stop();
}

/// A folder, a pipe or a file whose name is not UTF-8 is told, once, if it ends like a zone file.
#[cfg(target_os = "linux")]
#[test]
fn whatever_has_a_name_that_is_not_utf8() {
    use std::os::unix::ffi::OsStrExt;
    let deployment = three_zones();
    let server = deployment.start(Engine::Fast);
    let path = |name: &[u8]| deployment.path("zones").join(std::ffi::OsStr::from_bytes(name));
    std::fs::create_dir(path(b"folder\xfc.zone")).expect("a folder");
    assert!(Command::new("mkfifo").arg(path(b"pipe\xfc.yml")).status().expect("mkfifo").success());
    std::fs::write(path(b"copy\xfc.yaml"), YAML_TEXT).expect("a file");
    std::fs::create_dir(path(b"folder\xfc")).expect("a folder");
    let (status, told) = reload(&deployment, &[]);
    assert_eq!((status, others(&told)), (Some(3), vec![]), "{told:#}");
    let strays = told["zones"]["stray_files"].as_array().expect("a list");
    let files = strays.iter().filter_map(|stray| stray["file"].as_str()?.rsplit('/').next());
    let files: Vec<&str> = files.collect();
    assert_eq!(files, [r"copy\xfc.yaml", r"folder\xfc.zone", r"pipe\xfc.yml"]);
    let findings = told["findings"].as_array().expect("a list");
    let codes: Vec<&str> = findings.iter().filter_map(|finding| finding["code"].as_str()).collect();
    assert_eq!(codes, ["MRD0108"; 3], "{told:#}");
    server.stop();
}

/// What is wrong besides a broken zone, the change that makes it so, and what is told.
type Refusal<'a> = (&'a str, &'a dyn Fn(&Deployment), &'a str);

/// What steers is all or none, also beside a faulty zone; so is everything where the operator says
/// so, where no zone is left, and where a file does not tell which zone it is.
#[test]
fn what_still_refuses() {
    let refuse = "zones: { folder: zones/, on_error: refuse }";
    let rows: [Refusal<'_>; 4] = [
        ("a broken PoP file beside a broken zone", &|d| d.write("pops.yaml", "pops: ["), "error[MRD0101]"),
        (
            "zones that refuse",
            &|d| {
                let text = std::fs::read_to_string(d.path("meridian.yaml")).expect("there");
                d.write("meridian.yaml", &text.replace("zones: zones/", refuse));
            },
            "error[MRD0204]",
        ),
        (
            "no zone left",
            &|d| {
                [TEXT, INCLUDED, "zones/cdn.example.yaml"]
                    .iter()
                    .for_each(|path| std::fs::remove_file(d.path(path)).expect("there"));
            },
            "error[MRD0204]",
        ),
        (
            "a file without the name of its zone",
            &|d| d.write("zones/a..b.yaml", "records: ["),
            "follows neither from its text",
        ),
    ];
    for (what, change, told) in rows {
        let deployment = three_zones();
        let server = deployment.start(Engine::Fast);
        let before = addresses(server.dns()[0], "www.cdn.example");
        deployment.write(YAML, "zone: b.example.\nrecords: {}\n");
        change(&deployment);
        let (status, text) = run(&deployment, &["reload"]);
        if what == "no zone left" {
            assert!(text.contains("2 of 3 zones no longer have a file"), "{what}:\n{text}");
        } else {
            assert!(text.contains(told), "{what}:\n{text}");
        }
        assert!(status == Some(1) && text.contains("is served on"), "{what}:\n{text}");
        assert_eq!(addresses(server.dns()[0], "www.cdn.example"), before, "{what}");
        assert_eq!(addresses(server.dns()[0], "ns1.b.example"), ["192.0.2.7"], "{what}");
        server.stop();
        match start(&deployment) {
            Ok(server) => {
                server.stop();
                panic!("{what}: a start is not refused");
            }
            Err(text) => assert!(text.contains(told), "{what}:\n{text}"),
        }
    }
}

/// `check` tells a faulty zone and fails, whatever else is sound.
#[test]
fn check_fails() {
    let deployment = three_zones();
    assert_eq!(run(&deployment, &["check"]).0, Some(0));
    deployment.write(YAML, "zone: b.example.\nrecords: {}\n");
    let (status, text) = run(&deployment, &["check"]);
    assert_eq!(status, Some(1), "{text}");
    for words in ["error[MRD0204]", "the zone `b.example.` is answered SERVFAIL", "faulty zones: errors 2"] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
}

/// A CNAME of ours ends before a dead zone, as before a zone that is not ours; zones below a dead
/// one are served.
#[test]
fn chains_end_before_a_dead_zone() {
    let deployment = three_zones();
    let zone = "zone: cdn.example.\nsoa: { mname: ns1, rname: h }\nrecords:\n  \"@\": { NS: [ns1] }\n  \
                ns1: { A: 192.0.2.53 }\n  fixed: { CNAME: www.b.example. }\n  chosen: { steer: away }\n\
                policies:\n  away: { pops: [{ cname: www.b.example. }, one], order: listed }\n";
    deployment.write("zones/cdn.example.yaml", zone);
    deployment.write(
        "zones/below.yaml",
        "zone: below.b.example.\nsoa: { mname: ns1, rname: h }\nrecords:\n  \"@\": { NS: [ns1] }\n  ns1: \
         { A: 192.0.2.60 }\n",
    );
    deployment.write(YAML, "zone: b.example.\nrecords: [\n");
    let server = start(&deployment).unwrap_or_else(|text| panic!("{text}"));
    let dns = server.dns()[0];
    is_dead(dns, "www.b.example", "its file is broken");
    for name in ["fixed.cdn.example", "chosen.cdn.example"] {
        let octets = ask_udp(dns, &query(1, name, A));
        let reply = Reply::of(&octets);
        let [answer, authority, _] = &reply.sections;
        assert_eq!((reply.rcode, answer.len(), authority.len()), (NOERROR, 1, 0), "{name}: the CNAME alone");
    }
    assert_eq!(addresses(dns, "ns1.below.b.example"), ["192.0.2.60"]);
    server.stop();
}
