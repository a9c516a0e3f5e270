//! Last good texts over reloads and restarts; zones that are gone; what nodes see of it.

use super::*;
use std::fs;
use support::pages;
use support::program::until_seen;

const BROKEN: &str = "zone: b.example.\nrecords: [\n";

/// Names in `state/zones/`.
fn kept_files(deployment: &Deployment) -> Vec<String> {
    let entries = fs::read_dir(deployment.path("state/zones")).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Waits until the state folder keeps so many zones: a thread of its own writes them.
fn keeps(deployment: &Deployment, count: usize) {
    until_seen(&format!("{count} zones"), PATIENCE, || {
        let kept = kept_files(deployment);
        let is_so = kept.iter().filter(|name| name.ends_with(".texts")).count() == count;
        if is_so { Ok(()) } else { Err(format!("{kept:?}")) }
    });
}

/// The text of a page of the control socket, as `reload --status` and `/status` show it.
fn status(deployment: &Deployment) -> String {
    run(deployment, &["reload", "--status"]).1
}

/// A zone on its last good texts survives restarts, with its own policies and included files, even
/// if steering has changed. Once its files are correct, its saved texts are deleted.
#[test]
fn a_restart_keeps_the_texts() {
    let deployment = three_zones();
    let server = deployment.start(Engine::Fast);
    deployment.write(YAML, BROKEN);
    deployment.write(INCLUDED, "www A 192.0.2.800\n");
    let (code, told) = reload(&deployment, &[]);
    assert_eq!((code, others(&told)), (Some(3), vec![("b.example.", "kept"), ("t.example.", "kept")]));
    keeps(&deployment, 2);
    server.stop();
    for round in 0..3 {
        let address = format!("198.51.100.{}", 200 + round);
        deployment.set_address(&address);
        let server = deployment.start(Engine::Fast);
        let dns = server.dns()[0];
        assert_eq!(addresses(dns, "www.b.example"), [address.as_str()], "round {round}");
        assert_eq!(addresses(dns, "ns1.b.example"), ["192.0.2.7"], "round {round}");
        assert_eq!(addresses(dns, "www.t.example"), ["192.0.2.80"], "round {round}");
        let text = status(&deployment);
        assert!(text.contains("zone b.example.: kept, texts ") && text.contains(YAML), "{text}");
        // A reload keeps what the restart has brought back.
        assert_eq!(reload(&deployment, &[]).0, Some(3));
        assert_eq!(addresses(dns, "www.b.example"), [address.as_str()], "round {round}");
        server.stop();
    }
    // Mended while the server is down.
    deployment.write(INCLUDED, "www A 192.0.2.81\n");
    let server = deployment.start(Engine::Fast);
    assert_eq!(addresses(server.dns()[0], "www.t.example"), ["192.0.2.81"]);
    keeps(&deployment, 1);
    // Mended under it.
    deployment.write(YAML, &YAML_TEXT.replace("192.0.2.7", "192.0.2.17"));
    assert_eq!(reload(&deployment, &[]).0, Some(0));
    assert_eq!(addresses(server.dns()[0], "ns1.b.example"), ["192.0.2.17"]);
    keeps(&deployment, 0);
    let events = deployment.events(|events| events.contains("is served from its current files again"));
    for standing in ["\"standing\":\"kept\"", "\"standing\":\"current\""] {
        assert!(events.contains(standing), "no {standing} in {events}");
    }
    server.stop();
}

/// A zone whose last good texts name what is no more refuses the reload, which says so. A start
/// goes on without that zone, and takes its texts again once they fit.
#[test]
fn texts_that_no_longer_fit() {
    let deployment = three_zones();
    let pops = |names: &[&str]| {
        let each = names.iter().map(|name| format!("  {name}: {{ addresses: [198.51.100.10] }}\n"));
        deployment.write("pops.yaml", &format!("pops:\n{}", each.collect::<String>()));
    };
    deployment.write(
        "zones/cdn.example.yaml",
        "zone: cdn.example.\nsoa: { mname: ns1, rname: h }\nrecords:\n  \"@\": \
        { NS: [ns1] }\n  ns1: { A: 192.0.2.53 }\n",
    );
    pops(&["one", "two"]);
    let server = deployment.start(Engine::Fast);
    deployment.write(YAML, BROKEN);
    assert_eq!(reload(&deployment, &[]).0, Some(3));
    keeps(&deployment, 1);
    // The PoP that only the kept texts name goes.
    pops(&["two"]);
    let (code, text) = run(&deployment, &["reload"]);
    assert_eq!(code, Some(1), "{text}");
    for words in [
        "the zone `b.example.` cannot continue with its last good texts",
        "(last good)",
        "MRD0301",
        "MRD0101",
    ] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
    assert_eq!(addresses(server.dns()[0], "www.b.example"), ["198.51.100.10"]);
    server.stop();

    let server = deployment.start(Engine::Fast);
    is_dead(server.dns()[0], "www.b.example", "its texts do not fit");
    assert_eq!(addresses(server.dns()[0], "www.t.example"), ["192.0.2.80"]);
    // Nothing that is still dead refuses a reload.
    assert_eq!(reload(&deployment, &[]).0, Some(3));
    pops(&["one", "two"]);
    let (code, told) = reload(&deployment, &[]);
    assert_eq!((code, others(&told)), (Some(3), vec![("b.example.", "kept")]), "{told:#}");
    assert_eq!(addresses(server.dns()[0], "www.b.example"), ["198.51.100.10"]);
    server.stop();
}

/// A zone whose file is gone goes, unless others need it: then it stays, over a restart too, until
/// the loss is allowed. One that nobody needs goes at once.
#[test]
fn zones_that_are_gone() {
    let deployment = three_zones();
    let cdn = std::fs::read_to_string(deployment.path("zones/cdn.example.yaml")).expect("there");
    for (what, record) in [
        ("a CNAME", "  to: { CNAME: www.b.example. }\n"),
        ("a mail exchange", "  to: { MX: 10 www.b.example. }\n"),
        ("a name server", "  to: { NS: ns1.b.example. }\n"),
        ("a service", "  to: { SRV: 1 1 80 www.b.example. }\n"),
        ("an alias of a policy", "  to: { steer: away }\n"),
    ] {
        let away = "  away: { pops: [one], order: listed, when_all_down: { cname: www.b.example. } }\n";
        deployment.write(
            "zones/cdn.example.yaml",
            &cdn.replace("policies:\n", &format!("{record}policies:\n{away}")),
        );
        deployment.write(YAML, YAML_TEXT);
        let server = start(&deployment).unwrap_or_else(|text| panic!("{what}:\n{text}"));
        fs::remove_file(deployment.path(YAML)).expect("there");
        let (code, told) = reload(&deployment, &[]);
        assert_eq!((code, others(&told)), (Some(3), vec![("b.example.", "vanished")]), "{what}: {told:#}");
        assert_eq!(addresses(server.dns()[0], "www.b.example"), ["198.51.100.10"], "{what}");
        keeps(&deployment, 1);
        server.stop();
        let server = start(&deployment).unwrap_or_else(|text| panic!("{what}:\n{text}"));
        assert_eq!(addresses(server.dns()[0], "www.b.example"), ["198.51.100.10"], "{what}, started");
        assert!(status(&deployment).contains("zone b.example.: vanished"), "{what}");
        let (code, told) = reload(&deployment, &["--allow-loss"]);
        assert_eq!((code, others(&told)), (Some(0), vec![]), "{what}: {told:#}");
        assert_eq!(ask(server.dns()[0], "www.b.example").0, REFUSED, "{what}");
        keeps(&deployment, 0);
        server.stop();
    }
    deployment.write("zones/cdn.example.yaml", &cdn);
    deployment.write(YAML, YAML_TEXT);
    let server = deployment.start(Engine::Fast);
    fs::remove_file(deployment.path(YAML)).expect("there");
    assert_eq!(reload(&deployment, &[]).0, Some(0));
    assert_eq!(ask(server.dns()[0], "www.b.example").0, REFUSED);
    server.stop();
}

/// A folder of which more than half is gone is taken for a fault of whoever fills it. A signal
/// cannot allow the loss.
#[test]
fn more_than_half_gone() {
    let deployment = three_zones();
    let server = deployment.start(Engine::Fast);
    let dns = server.dns()[0];
    [YAML, TEXT, INCLUDED].iter().for_each(|path| fs::remove_file(deployment.path(path)).expect("there"));
    let (code, text) = run(&deployment, &["reload"]);
    assert!(code == Some(1) && text.contains("2 of 3 zones no longer have a file"), "{text}");
    assert!(text.contains("MRD0522") && text.contains("--allow-loss"), "{text}");
    assert!(!support::deployment::reload(&server).published, "a signal allows no loss");
    assert_eq!(addresses(dns, "ns1.b.example"), ["192.0.2.7"]);
    let (code, told) = reload(&deployment, &["--allow-loss"]);
    assert_eq!((code, others(&told)), (Some(0), vec![]), "{told:#}");
    assert_eq!(ask(dns, "ns1.b.example").0, REFUSED);
    assert_eq!(addresses(dns, "www.cdn.example"), ["198.51.100.10"]);
    server.stop();
}

/// Two nodes with the same files that go on from different texts have different digests, and say of
/// which zone; nodes that go on from the same texts have the same.
#[test]
fn digests_are_of_the_texts_in_force() {
    let [one, other, third] = [(); 3].map(|()| three_zones());
    other.write(YAML, &YAML_TEXT.replace("192.0.2.7", "192.0.2.70"));
    let servers = [&one, &other, &third].map(|deployment| deployment.start(Engine::Fast));
    let told = [&one, &other, &third].map(|deployment| {
        deployment.write(YAML, BROKEN);
        reload(deployment, &[]).1
    });
    let of = |key: &str| told.each_ref().map(|told| told[key].to_string());
    let texts = told.each_ref().map(|told| told["zones"]["others"][0]["digest"].to_string());
    for (what, digests) in [("files", of("files_digest")), ("state", of("digest")), ("texts", texts)] {
        assert!(digests[0] != digests[1] && digests[0] == digests[2], "{what}: {digests:?}");
    }
    // A node that has nothing to go back to differs from all of them.
    let fourth = three_zones();
    fourth.write(YAML, BROKEN);
    let dead = fourth.start(Engine::Fast);
    assert_ne!(format!("\"{}\"", dead.shared().published.snapshot().files_digest()), of("files_digest")[0]);
    servers.into_iter().chain([dead]).for_each(Server::stop);
}

/// A disk that takes nothing, or a pipe in the place of a kept text, stops neither a reload nor a
/// start; it is told.
#[test]
fn a_disk_that_takes_nothing() {
    let deployment = three_zones();
    let server = deployment.start(Engine::Fast);
    // A file where the folder would be.
    let place = deployment.path("state/zones");
    fs::write(&place, "in the way").expect("the folder is there");
    deployment.write(YAML, BROKEN);
    deployment.set_address("198.51.100.77");
    assert_eq!(reload(&deployment, &[]).0, Some(3));
    assert_eq!(addresses(server.dns()[0], "www.b.example"), ["198.51.100.77"]);
    deployment.events(|events| events.contains("last good texts of zones are not kept over a restart"));
    // It is tried again by itself.
    fs::remove_file(&place).expect("there");
    keeps(&deployment, 1);
    server.stop();
    let kept = deployment.path(&format!("state/zones/{}", kept_files(&deployment)[0]));
    fs::remove_file(&kept).expect("there");
    assert!(Command::new("mkfifo").arg(&kept).status().expect("mkfifo").success());
    let server = start(&deployment).unwrap_or_else(|text| panic!("{text}"));
    is_dead(server.dns()[0], "www.b.example", "a pipe has no texts");
    assert_eq!(addresses(server.dns()[0], "www.cdn.example"), ["198.51.100.77"]);
    let (findings, files) = server.findings();
    let text = render::text(findings, files, false);
    assert!(
        text.contains("MRD0523") && text.contains("the server has no earlier version of the zone to serve"),
        "{text}"
    );
    server.stop();
}

/// Alarm, metric, `/status` and `explain` tell what a zone is served from.
#[test]
fn what_operators_see() {
    let deployment = three_zones();
    let config = std::fs::read_to_string(deployment.path("meridian.yaml")).expect("there");
    deployment.write(
        "meridian.yaml",
        &config.replace("  threads: 2\n", "  threads: 2\n  admin: \"127.0.0.1:0\"\n"),
    );
    let served = deployment.serve(&[]);
    let (dns, admin) = (served.dns, served.admin());
    let page = |path: &str| {
        let page = pages::admin(admin, path);
        format!("{}\n{}", page.head, page.body)
    };
    assert!(!page("/metrics").contains("meridian_zone_not_current{"));
    deployment.write("zones/b2.yaml", YAML_TEXT);
    assert_eq!(reload(&deployment, &[]).0, Some(3));
    for (path, words) in [
        ("/metrics", "meridian_alarms 1\n"),
        ("/readyz", "200 OK"),
        ("/readyz", "/zones/b2.yaml` is not in force: "),
        ("/status", "/zones/b2.yaml\",\"why\":\"the zone `b.example.` is already"),
    ] {
        assert!(page(path).contains(words), "no {words} in {path}: {}", page(path));
    }
    fs::remove_file(deployment.path("zones/b2.yaml")).expect("there");
    deployment.write(YAML, BROKEN);
    assert_eq!(reload(&deployment, &[]).0, Some(3));
    let sentence = "the zone `b.example.` is served from its last good texts, because its files are faulty";
    for (path, words) in [
        ("/metrics", "meridian_zone_not_current{standing=\"kept\",zone=\"b.example.\"} 1"),
        ("/readyz", sentence),
        ("/status", "\"standing\":\"kept\""),
    ] {
        assert!(page(path).contains(words), "no {words} in {path}: {}", page(path));
    }
    let (code, text) = run(&deployment, &["explain", "ns1.b.example", "A", "--client", "192.0.2.1"]);
    assert!(code == Some(0) && text.contains(sentence), "{text}");
    let (_, text) = run(&deployment, &["explain", "--files", "ns1.b.example", "A", "--client", "192.0.2.1"]);
    assert!(text.contains("is answered SERVFAIL") && text.contains("not served"), "{text}");
    assert_eq!(addresses(dns, "ns1.b.example"), ["192.0.2.7"]);
    deployment.write(YAML, YAML_TEXT);
    assert_eq!(reload(&deployment, &[]).0, Some(0));
    assert!(!page("/readyz").contains("last good texts"));
}
