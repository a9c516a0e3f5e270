//! Tests of `prepare`.

use super::*;
use crate::config::{Cpus, Listen, Sandbox, StreamLimits};
use crate::finding::Severity;

fn fixed() -> RestartOnly {
    let listen = Listen {
        dns: vec![([127, 0, 0, 1], 5300).into()],
        control: "control.sock".into(),
        admin: None,
        admin_hosts: Vec::new(),
        threads: None,
        cpus: Cpus::Off,
        socket_affinity: false,
        batch: 64,
        receive_buffer: None,
        send_buffer: None,
        tcp: StreamLimits::default(),
        dot: Vec::new(),
        doh: Vec::new(),
        doq: Vec::new(),
        dot_limits: StreamLimits::default(),
        doh_limits: StreamLimits::default(),
        doq_limits: StreamLimits::default(),
    };
    RestartOnly {
        listen,
        pid_file: None,
        exit_on_fault: false,
        state: "state".into(),
        user: None,
        sandbox: Sandbox::On,
        runs_programs: false,
    }
}

/// A broken safety rule refuses a reload but not a start, unless rules are off; a date that has
/// passed is reported.
#[test]
fn files_must_keep_safety_rules() {
    let folder = tempfile::tempdir().unwrap();
    let write = |pops: &str| {
        for (name, text) in [
            (
                "m.yaml",
                "node: { name: n }\nlisten: { dns: \"127.0.0.1:53\" }\npops: p.yaml\npolicies: \
                     q.yaml\nzones: z\n",
            ),
            ("p.yaml", pops),
            ("q.yaml", "policies: { web: { pops: all, order: listed } }\n"),
            (
                "z/z.yaml",
                "zone: z.example.\nsoa: { mname: n, rname: h }\nrecords:\n  '@': { NS: n }\n  n: { A: \
                     203.0.113.5 }\n  w: { steer: web }\n",
            ),
        ] {
            std::fs::create_dir_all(folder.path().join("z")).unwrap();
            std::fs::write(folder.path().join(name), text).unwrap();
        }
    };
    let root = folder.path().join("m.yaml");
    let codes = |findings: &Findings| findings.iter().map(|f| (f.code, f.severity)).collect::<Vec<_>>();
    let file = |head: &str, state: &str| {
        format!(
            "{head}safety: [{{ never_fewer_than: 2, of: all }}]\npops:\n  a: {{ addresses: 192.0.2.1 \
                 }}\n  b: {{ addresses: 192.0.2.2, {state} }}\n"
        )
    };
    write(&file("", "weight: 5"));
    let first = run(&root, None, None, 1)
        .map_err(|refused| codes(&refused.0))
        .unwrap_or_else(|codes| panic!("{codes:?}"));
    assert_eq!(codes(&first.findings), []);
    let previous = Arc::new(first.snapshot);
    // Pages only print the digests of the zones; a reload takes over equal texts, with theirs.
    let again = run(&root, Some(&previous), None, 2).map_err(|refused| codes(&refused.0)).expect("sound");
    let zones = (&previous.folder.zones, &again.snapshot.folder.zones);
    assert!(zones.0.len() == 1 && zones.0[0].texts.digest.is_known());
    assert!(Arc::ptr_eq(&zones.0[0].texts, &zones.1[0].texts));
    for (head, state, code, refused) in [
        ("", "state: up", None, false),
        ("", "state: drain", Some(code::UNSAFE), true),
        ("", "state: down", Some(code::UNSAFE), true),
        ("", "weight: 0", Some(code::UNSAFE), true),
        ("safety_off_until: 9999-01-01\n", "state: drain", None, false),
        ("safety_off_until: 2020-01-01\n", "weight: 5", Some(code::SAFETY_OFF_PAST), false),
    ] {
        write(&file(head, state));
        let found = match run(&root, Some(&previous), None, 2) {
            Ok(fresh) => (codes(&fresh.findings), false),
            Err(refusal) => (codes(&refusal.0), true),
        };
        let severity = if refused { Severity::Error } else { Severity::Warning };
        assert_eq!(
            found,
            (code.map(|code| (code, severity)).into_iter().collect(), refused),
            "{head}{state}"
        );
        // A start with broken safety rules is not refused.
        assert!(run(&root, None, None, 1).is_ok(), "{head}{state}");
    }
}

/// Each key that needs a restart is named if it differs, and only then.
#[test]
fn restart_keys_are_named() {
    type Change = fn(&mut RestartOnly);
    let change: [(&str, Change); 30] = [
        ("listen.dns", |f| f.listen.dns.clear()),
        ("listen.control", |f| f.listen.control = "other".into()),
        ("listen.admin", |f| f.listen.admin = Some(([127, 0, 0, 1], 1).into())),
        ("listen.admin_hosts", |f| f.listen.admin_hosts.push(crate::wire::name::Name::root())),
        ("listen.threads", |f| f.listen.threads = Some(1)),
        ("listen.cpus", |f| f.listen.cpus = Cpus::Auto),
        ("listen.socket_affinity", |f| f.listen.socket_affinity = true),
        ("listen.batch", |f| f.listen.batch = 1),
        ("listen.receive_buffer", |f| f.listen.receive_buffer = Some(1)),
        ("listen.send_buffer", |f| f.listen.send_buffer = Some(1)),
        ("listen.tcp_connections", |f| f.listen.tcp.connections = 1),
        ("listen.tcp_connections_per_prefix", |f| f.listen.tcp.per_prefix = 1),
        ("listen.tcp_idle", |f| f.listen.tcp.idle_secs = 1),
        ("listen.dot", |f| f.listen.dot.push(([127, 0, 0, 1], 853).into())),
        ("listen.dot_connections", |f| f.listen.dot_limits.connections = 1),
        ("listen.dot_connections_per_prefix", |f| f.listen.dot_limits.per_prefix = 1),
        ("listen.dot_idle", |f| f.listen.dot_limits.idle_secs = 1),
        ("listen.doh", |f| f.listen.doh.push(([127, 0, 0, 1], 443).into())),
        ("listen.doh_connections", |f| f.listen.doh_limits.connections = 1),
        ("listen.doh_connections_per_prefix", |f| f.listen.doh_limits.per_prefix = 1),
        ("listen.doh_idle", |f| f.listen.doh_limits.idle_secs = 1),
        ("listen.doq", |f| f.listen.doq.push(([127, 0, 0, 1], 853).into())),
        ("listen.doq_connections", |f| f.listen.doq_limits.connections = 1),
        ("listen.doq_connections_per_prefix", |f| f.listen.doq_limits.per_prefix = 1),
        ("listen.doq_idle", |f| f.listen.doq_limits.idle_secs = 1),
        ("pid_file", |f| f.pid_file = Some("other.pid".into())),
        ("exit_on_fault", |f| f.exit_on_fault = true),
        ("state", |f| f.state = "other".into()),
        ("user", |f| f.user = Some("meridian".into())),
        ("sandbox", |f| f.sandbox = Sandbox::Off("a test".into())),
    ];
    assert!(need_restart(&fixed(), &fixed(), None).is_empty());
    for (key, change) in change {
        let mut asked = fixed();
        change(&mut asked);
        let findings = need_restart(&fixed(), &asked, None);
        assert_eq!(findings.len(), 1);
        assert!(
            findings.iter().all(|f| f.code == code::NEEDS_RESTART && f.message.contains(&format!("`{key}`")))
        );
    }
}

/// Doubts that databases settle are reported once, with all other findings, if the databases can be
/// read. If one cannot, they are no errors, because that database might settle them.
#[test]
fn doubts_are_told_beside_other_faults() {
    const GOOD: &str = "192.0.2.0/24,DE,,,\n";
    const KNOWS_UK: &str = "192.0.2.0/24,UK,,,\n";
    const BROKEN: &str = "192.0.2.0/24,Germany,,,\n";
    let (error, warning) = (Some(Severity::Error), Some(Severity::Warning));
    let zone = |apex: &str, more: &str| {
        format!(
            "zone: {apex}\nsoa: {{ mname: n, rname: h }}\nrecords:\n  '@': {{ NS: n }}\n  n: {{ A: \
             203.0.113.5 }}\n{more}"
        )
    };
    // Latitude of the PoP, databases (`None`: no such file), a fault in the image of a zone, and
    // the severity of the finding that `UK` is no country.
    type Row<'r> = (u32, &'r [Option<&'r str>], bool, Option<Severity>);
    let rows: [Row<'_>; 14] = [
        (50, &[], false, error),
        (50, &[Some(GOOD)], false, error),
        (50, &[Some(KNOWS_UK)], false, None),
        (500, &[], false, error),
        (500, &[Some(GOOD)], false, error),
        (500, &[Some(KNOWS_UK)], false, None),
        (50, &[None], false, warning),
        (500, &[None], false, warning),
        (50, &[Some(BROKEN)], false, warning),
        (500, &[Some(BROKEN)], false, warning),
        (50, &[Some(KNOWS_UK), None], false, None),
        (500, &[Some(KNOWS_UK), Some(BROKEN)], false, None),
        (500, &[Some(GOOD), Some(BROKEN)], false, warning),
        (50, &[Some(GOOD)], true, error),
    ];
    for (lat, databases, faulty_zone, wanted) in rows {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("z")).unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let names: Vec<String> = (0..databases.len()).map(|number| format!("{number}.csv")).collect();
        for (name, text) in names.iter().zip(databases) {
            text.iter().for_each(|text| write(name, text));
        }
        let geoip = match names.is_empty() {
            true => String::new(),
            false => format!("geoip: {{ databases: [{}] }}\n", names.join(", ")),
        };
        write(
            "m.yaml",
            &format!(
                "node: {{ name: n }}\nlisten: {{ dns: \"127.0.0.1:53\" }}\npops: p.yaml\npolicies: \
                 q.yaml\nzones: z\n{geoip}"
            ),
        );
        write(
            "p.yaml",
            &format!("pops: {{ a: {{ at: {{ lat: {lat}, lon: 8 }}, addresses: 192.0.2.1 }} }}\n"),
        );
        write(
            "q.yaml",
            "policies: { web: { pops: all, order: listed, rules: [{ when: { country: UK }, pops: [a] \
             }] } }\n",
        );
        write("z/z.example.yaml", &zone("z.example.", "  w: { steer: web }\n"));
        if faulty_zone {
            write("z/y.example.yaml", &zone("y.example.", "  w: { A: nonsense }\n"));
        }
        let told = |(findings, files): (Findings, Files)| {
            let doubts = findings.iter().filter(|f| f.message.contains("`UK` is not a country"));
            let told: Vec<Severity> = doubts.map(|f| f.severity).collect();
            let text = crate::finding::render::text(&findings, &files, false);
            assert!(lat == 50 || text.contains("500"), "{text}");
            assert_eq!(told, Vec::from_iter(wanted), "{lat} {databases:?} {faulty_zone}\n{text}");
        };
        match run(&folder.path().join("m.yaml"), None, None, 1) {
            Ok(fresh) => told((fresh.findings, fresh.files)),
            Err(refused) => told(*refused),
        }
    }
}
