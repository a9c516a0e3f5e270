//! From a log of an edge to an answer by latency: import, build, check, explain.

use crate::process::run;
use std::fs;
use std::path::Path;
use support::deployment::Deployment;

const WITH_MAP: &str = "databases: [geoip/places.mmdb, geoip/latency.mmdb]";
const WITHOUT_MAP: &str = "databases: [geoip/places.mmdb]";

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

/// Runs a command that must succeed, and gives what it printed.
fn done(arguments: &[&str]) -> (String, String) {
    let (status, stdout, stderr) = run(arguments);
    assert_eq!(status, 0, "{arguments:?}\n{stdout}\n{stderr}");
    (stdout, stderr)
}

/// The sample deployment without its latency map.
fn sample_without_map() -> Deployment {
    let sample = Deployment::sample(&["127.0.0.1:0"]);
    sample.edit("meridian.yaml", |text| text.replace(WITH_MAP, WITHOUT_MAP));
    sample
}

/// The map in the tree is the one that its source makes.
#[test]
fn the_map_of_the_sample_is_built_from_its_source() {
    let sample = Deployment::sample(&["127.0.0.1:0"]);
    let (config, source) = (sample.path("meridian.yaml"), sample.path("geoip/latency.csv"));
    let target = sample.path("again.mmdb");
    let paths = ["--config", text(&config), "--output", text(&target), text(&source)];
    let (report, _) = done(&[&["latency", "build", "--epoch", "1769904000"][..], &paths].concat());
    assert!(report.contains("rows      14 used\n"), "{report}");
    assert!(
        fs::read(&target).expect("the map") == fs::read(sample.path("geoip/latency.mmdb")).expect("the map"),
        "build it anew: geoip/README.md has the command"
    );
}

/// Three log lines of clients in New York (198.51.100.0/24), with an RTT in microseconds.
fn log(sample: &Deployment, pop: &str, rtt_us: u32) -> String {
    let lines: String = (1..4)
        .map(|host| format!("1764230400.{host} 198.51.100.{host} {rtt_us}\n"))
        .chain(["a line of something else\n".to_owned()])
        .collect();
    let (raw, rows) = (sample.path(&format!("{pop}.log")), sample.path(&format!("{pop}.csv")));
    fs::write(&raw, lines).expect("the folder is ours");
    let config = sample.path("meridian.yaml");
    let (stdout, stderr) = done(&[
        "latency",
        "import",
        "--config",
        text(&config),
        "--format",
        "nginx",
        "--pop",
        pop,
        "--output",
        text(&rows),
        text(&raw),
    ]);
    assert_eq!(stdout, "");
    assert!(stderr.starts_with("4 lines: 3 samples in 1 rows\n  1 not used: "), "{stderr}");
    let measured = fs::read_to_string(&rows).expect("rows");
    assert!(!measured.contains("198.51.100.1"), "an address is kept: {measured}");
    text(&rows).to_owned()
}

/// Clients in New York reach Dallas faster than Ashburn: their logs say so, and so do answers.
#[test]
fn clients_go_where_logs_say_that_it_is_fast() {
    let sample = sample_without_map();
    let config = sample.path("meridian.yaml");
    let config = text(&config);
    sample.edit("policies.yaml", |text| {
        let near = "  nearest:\n    pops: all\n";
        assert!(text.contains(near));
        text.replace(
            near,
            "  nearest:\n    pops: all\n    order: latency\n    band: { ms: 5, percent: 10 }\n",
        )
    });
    let name = "nearest.edge.cdn.example";
    let explain = |words: &[&str]| {
        let (story, _) =
            done(&["explain", "--files", "--config", config, name, "A", "--ecs", "198.51.100.0/24"]);
        for word in words {
            assert!(story.contains(word), "no {word:?} in\n{story}");
        }
    };
    // Without a map the order is that of distance, and `check` says so.
    let (_, stderr) = done(&["check", "--config", config]);
    assert!(stderr.contains("MRD0407") && stderr.contains("orders by latency"), "{stderr}");
    explain(&["band 1   iad"]);

    let rows = [log(&sample, "iad", 140_000), log(&sample, "dfw", 30_000)];
    let build = |target: &str, more: &[&str]| {
        let target = sample.path(target);
        let mut arguments = vec!["latency", "build", "--config", config, "--epoch", "1764230400"];
        arguments.extend(["--output", text(&target)]);
        arguments.extend_from_slice(more);
        arguments.extend(rows.iter().map(String::as_str));
        let (report, _) = done(&arguments);
        (fs::read(&target).expect("the map"), report)
    };
    let (map, report) = build("geoip/latency.mmdb", &[]);
    assert!(report.contains("rows      2 used"), "{report}");
    assert_eq!(build("geoip/again.mmdb", &[]).0, map, "the same inputs make the same octets");

    sample.edit("meridian.yaml", |text| text.replace(WITHOUT_MAP, WITH_MAP));
    let (_, stderr) = done(&["check", "--config", config]);
    assert!(!stderr.contains("MRD0407"), "{stderr}");
    explain(&["band 1   dfw", " ms measured, 3 samples"]);

    // The map in service holds its choice against a gain that is too small to move for.
    fs::write(&rows[0], "prefix,pop,hour,samples,rtt_ms\n198.51.100.0/24,iad,2025-11-27T08:00:00Z,40,29.0\n")
        .expect("the folder is ours");
    let before = sample.path("geoip/latency.mmdb");
    let (_, report) = build("geoip/held.mmdb", &["--previous", text(&before)]);
    assert!(report.contains("less than 10 ms or 10 % is gained"), "{report}");
    fs::copy(sample.path("geoip/held.mmdb"), &before).expect("the folder is ours");
    explain(&["band 1   dfw"]);
}

/// A resolver in New York has its clients in Sao Paulo, as logs tell: it gets Sao Paulo, while a
/// client subnet in New York, the resolver's own too, gets the PoP of New York.
#[test]
fn a_resolver_gets_the_pop_of_its_clients() {
    let sample = sample_without_map();
    let config = sample.path("meridian.yaml");
    let config = text(&config);
    sample.edit("policies.yaml", |text| {
        text.replace("  nearest:\n    pops: all\n", "  nearest:\n    pops: all\n    order: latency\n")
    });
    // Three networks of clients, and one of New York itself; no line but these names a resolver.
    let line = |address: &str, pop: &str, rtt_ms: u32, resolver: &str| {
        let client = format!("\"address\":\"{address}\",\"pop\":\"{pop}\"");
        format!("{{\"time\":1764230400,{client},\"rtt_ms\":{rtt_ms}{resolver}}}\n")
    };
    let by = ",\"resolver\":\"198.51.100.53\"";
    let lines = [
        line("143.107.1.7", "gru", 9, by),
        line("143.107.2.7", "gru", 9, by),
        line("143.107.3.7", "gru", 9, by),
        line("198.51.100.7", "iad", 9, ""),
        line("198.51.100.8", "iad", 9, ",\"resolver\":\"10.0.0.53\""),
    ];
    let (log, rows, clients) = (sample.path("log"), sample.path("rtt.csv"), sample.path("clients.csv"));
    fs::write(&log, lines.concat()).expect("the folder is ours");
    let (_, stderr) = done(
        &[
            &["latency", "import", "--config", config, "--format", "json", "--output", text(&rows)][..],
            &["--resolvers-output", text(&clients), text(&log)],
        ]
        .concat(),
    );
    assert!(stderr.contains("3 samples name a resolver: 3 rows of its clients"), "{stderr}");
    let mix = fs::read_to_string(&clients).expect("rows");
    let expected: String = (1..4).map(|third| format!("198.51.100.0/24,143.107.{third}.0/24,1\n")).collect();
    assert_eq!(mix, format!("resolver,prefix,weight\n{expected}"));

    let map = sample.path("geoip/latency.mmdb");
    let build = |more: &[&str]| {
        let first = ["latency", "build", "--config", config, "--epoch", "1764230400", "--output", text(&map)];
        done(&[&first[..], more, &[text(&rows)]].concat()).0
    };
    let explain = |from: &[&str], words: &[&str]| {
        let name = "nearest.edge.cdn.example";
        let (story, _) = done(&[&["explain", "--files", "--config", config, name, "A"][..], from].concat());
        for word in words {
            assert!(story.contains(word), "no {word:?} in\n{story}");
        }
        story
    };
    let (resolver, client) = (["--client", "198.51.100.53"], ["--ecs", "198.51.100.0/24"]);

    // Without their mix the resolver's own network decides.
    build(&[]);
    sample.edit("meridian.yaml", |text| text.replace(WITHOUT_MAP, WITH_MAP));
    explain(&resolver, &["band 1   iad"]);
    let own = explain(&client, &["band 1   iad", " ms measured, 2 samples"]);

    let report = build(&["--resolvers", text(&clients)]);
    assert!(
        report.contains("resolvers 1 by the clients behind them, 1 to another PoP than their own network"),
        "{report}"
    );
    let story = explain(
        &resolver,
        &[
            "clients    by the mean RTTs of the clients behind the resolver",
            "band 1   gru",
            " ms mean of 3 networks of clients, mostly by own samples",
        ],
    );
    assert!(story.contains("\t192.0.2.60"), "the answer is Sao Paulo:\n{story}");
    // Neither the answer nor the scope of a client subnet there knows of it.
    let steered = |story: &str| {
        let is_of_files = |line: &&str| !line.starts_with("asked") && !line.starts_with("source");
        story.lines().filter(is_of_files).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(steered(&explain(&client, &[])), steered(&own));
    done(&["explain", "--verify-scopes", "--config", config]);

    // The map moves the resolver under both policies that order by latency.
    let other = sample_without_map();
    fs::copy(sample.path("policies.yaml"), other.path("policies.yaml")).expect("a copy");
    let (moves, _) = done(&["diff", text(&other.path("meridian.yaml")), config]);
    assert!(moves.contains("resolvers: 2 of 2 networks move"), "{moves}");

    let (place, _) = done(&["geoip", "lookup", "198.51.100.53", "--config", config]);
    for words in
        ["latency:     iad", "measured, 2 samples, newest ", "resolvers:   gru", "mean of 3 networks"]
    {
        assert!(place.contains(words), "no {words:?} in\n{place}");
    }

    // A build on top of this map drops its lists without their mix, and says so.
    let old = sample.path("old.mmdb");
    fs::copy(&map, &old).expect("a copy");
    let report = build(&["--previous", text(&old)]);
    assert!(report.contains("warning   the map before has 1 lists of resolvers"), "{report}");
    let report = build(&["--previous", text(&old), "--resolvers", text(&clients)]);
    assert!(!report.contains("warning"), "{report}");
}

/// What is no log, no map and no PoP is an error with its place, and writes no map.
#[test]
fn faults_are_told_with_their_place() {
    let sample = Deployment::sample(&["127.0.0.1:0"]);
    let config = sample.path("meridian.yaml");
    let (config, junk, map) = (text(&config), sample.path("junk"), sample.path("map.mmdb"));
    fs::write(&junk, "no log\n\u{0}\n").expect("the folder is ours");
    let (junk, target) = (text(&junk), text(&map));
    let rows: &[(&[&str], &str)] = &[
        (&["import", "--format", "nginx", "--pop", "fra", junk], "no line had a sample"),
        (&["import", "--format", "nginx", "--pop", "xxx", junk], "no such PoP"),
        (&["import", "--format", "csv", junk], "the first line names no column"),
        (&["import", "--format", "nginx", "nowhere"], "cannot read `nowhere`"),
        (&["build", "--output", target, junk], "no measurements"),
        (&["build", "--output", target, "--explore", "101", junk], "between 0 and 100"),
    ];
    for (arguments, words) in rows {
        let command = [&["latency", arguments[0], "--config", config][..], &arguments[1..]].concat();
        let (status, _, stderr) = run(&command);
        assert!(status != 0 && stderr.contains(words), "{command:?}: {status}\n{stderr}");
    }
    assert!(!map.exists());
}

/// An import that finds no sample leaves the old measurements, and nothing beside them.
#[test]
fn a_failed_import_keeps_the_old_file() {
    let sample = Deployment::sample(&["127.0.0.1:0"]);
    let (junk, old) = (sample.path("junk"), sample.path("fra.csv"));
    fs::write(&junk, "no log\n").expect("the folder is ours");
    fs::write(&old, "old\n").expect("the folder is ours");
    let count = || fs::read_dir(old.parent().expect("a folder")).expect("the folder is ours").count();
    let before = count();
    let config = sample.path("meridian.yaml");
    let common = ["latency", "import", "--config", text(&config), "--output", text(&old), "--pop", "fra"];
    for log in [text(&junk), "nowhere"] {
        let (status, ..) = run(&[&common[..], &["--format", "nginx", log]].concat());
        assert_ne!(status, 0, "{log}");
        assert_eq!(fs::read_to_string(&old).expect("the file stays"), "old\n", "{log}");
        assert_eq!(count(), before, "{log}");
    }
}

/// Inputs that are not what they seem are refused, and the file that stood there stays.
#[test]
fn nothing_is_taken_for_what_it_is_not() {
    let sample = Deployment::sample(&["127.0.0.1:0"]);
    let config = sample.path("meridian.yaml");
    let (config, rows) = (text(&config), sample.path("geoip/latency.csv"));
    let refused = |arguments: &[&str], words: &[&str]| {
        let (status, stdout, stderr) = run(arguments);
        assert_eq!(status, 1, "{arguments:?}\n{stdout}\n{stderr}");
        for words in words {
            assert!(stderr.contains(words), "no {words:?} in\n{stderr}");
        }
    };
    // A database that is no map.
    let (places, target) = (sample.path("geoip/places.mmdb"), sample.path("new.mmdb"));
    let build = ["latency", "build", "--config", config, "--output", text(&target)];
    refused(&[&build[..], &["--previous", text(&places), text(&rows)]].concat(), &["no latency map"]);
    // PoPs that were renamed: the error says so.
    let renamed = sample.path("renamed.csv");
    fs::write(&renamed, "198.51.100.0/24,nyc,2026-01-31T20:00:00Z,1,9.0\n").expect("the folder is ours");
    refused(&[&build[..], &[text(&renamed)]].concat(), &["1 not used: no PoP of the deployment", ":1)"]);

    // A second CSV file that begins with a comment has its own columns; the old output stays, also
    // behind a link.
    let (millis, micros) = (sample.path("a.csv"), sample.path("b.csv"));
    fs::write(&millis, "address,pop,rtt_ms,time\n198.51.100.7,iad,9,1764230400\n").expect("ours");
    fs::write(&micros, "# export\n\naddress,pop,rtt_us,time\n192.0.2.7,fra,900,1764230400\n").expect("ours");
    let output = sample.path("rtt.csv");
    let import = ["latency", "import", "--config", config, "--format", "csv", "--output"];
    done(&[&import[..], &[text(&output), text(&millis), text(&micros)]].concat());
    let good = fs::read_to_string(&output).expect("rows");
    assert!(good.contains("192.0.2.0/24,fra,2025-11-27T08:00:00Z,1,0.9\n"), "{good}");
    let link = sample.path("link.csv");
    std::os::unix::fs::symlink(&output, &link).expect("a link");
    refused(&[&import[..], &[text(&link), text(&millis)]].concat(), &["link.csv"]);
    assert_eq!(fs::read_to_string(&output).expect("rows"), good);
}
