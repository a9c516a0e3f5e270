//! Rights of the process: user, capabilities, sandbox, core images, and secrets that nothing shows.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use support::certificate::sound;
use support::deployment::*;
use support::program::{Process, Served, behind, meridian_over, until_so};

const A: u16 = 1;
const SECRET: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";

/// A user without rights, which every Linux has, and its ID.
const NOBODY: (&str, u32) = ("nobody", 65_534);

/// Capabilities to change files' owners, groups, the user and the bounding set, and to open ports
/// below 1024 (bits 0, 6, 7, 8 and 10 of capabilities(7)).
const NEEDED: u64 = 0x5c1;

/// True for root with the capabilities that becoming another user needs; else a line that the test
/// is skipped.
fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let set = field(&status, "CapEff").and_then(|set| u64::from_str_radix(set, 16).ok());
    let is_root = field(&status, "Uid").is_some_and(|ids| ids.split_whitespace().next() == Some("0"))
        && set.is_some_and(|set| set & NEEDED == NEEDED);
    if !is_root {
        eprintln!("skipped: needs root, to become another user");
    }
    is_root
}

/// Field of a `status` of proc(5).
fn field<'t>(status: &'t str, name: &str) -> Option<&'t str> {
    status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// The `status` of each thread of a process.
fn threads(process: &Process) -> Vec<String> {
    let folder = fs::read_dir(format!("/proc/{}/task", process.pid())).expect("a process");
    folder.flatten().filter_map(|entry| fs::read_to_string(entry.path().join("status")).ok()).collect()
}

/// A deployment that every user can read, with further keys of the server file.
fn readable(dns: &str, keys: &str) -> Deployment {
    let deployment = Deployment::new(&[dns], keys);
    let top = deployment.config().parent().expect("a folder").to_owned();
    for folder in [top.clone(), top.join("zones")] {
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).expect("the folder is ours");
    }
    deployment
}

/// Names of the threads whose field differs.
fn others<'t>(threads: &'t [String], name: &str, expected: &str) -> Vec<&'t str> {
    let differs = |status: &&String| field(status, name) != Some(expected);
    threads.iter().filter(differs).filter_map(|status| field(status, "Name")).collect()
}

/// Root opens a port below 1024, and answers as another user without any capability, in every
/// thread; its folders and its socket are that user's, and files reload.
#[test]
fn root_becomes_the_user() {
    if !is_root() {
        return;
    }
    // An address of this process's own, so that port 53 is free.
    let number = std::process::id();
    let dns = format!("127.{}.{}.53:53", 100 + number % 100, number / 100 % 250);
    let keys = "  control: run/meridian/control.sock\nuser: nobody\nstate: var/meridian\n";
    let deployment = readable(&dns, keys);
    deployment.edit("meridian.yaml", |text| {
        text.replace("  control: control.sock\n", "").replace("\nstate: state/\n", "\n")
    });
    let top = deployment.config().parent().expect("a folder").to_owned();
    for folder in ["run", "var"] {
        fs::create_dir(top.join(folder)).expect("the folder is ours");
        fs::set_permissions(top.join(folder), Permissions::from_mode(0o755)).expect("the folder is ours");
    }
    let served = deployment.serve(&["--log", "json"]);
    assert_eq!(decode(&ask_udp(served.dns, &query(1, "www.cdn.example", A))).2, ["198.51.100.10"]);
    assert!(served.process.stdout().contains("user nobody, no capabilities"), "{}", served.process.stdout());

    let threads = threads(&served.process);
    assert!(threads.len() > 8, "{}", threads.len());
    let ids = [NOBODY.1; 4].map(|id| id.to_string()).join("\t");
    assert_eq!(others(&threads, "Uid", &ids), [""; 0]);
    assert_eq!(others(&threads, "Gid", &ids), [""; 0]);
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(others(&threads, set, "0000000000000000"), [""; 0], "{set}");
    }
    assert_eq!(others(&threads, "NoNewPrivs", "1"), [""; 0]);
    assert_eq!(others(&threads, "Seccomp", "2"), [""; 0]);
    let owner = |path: &str| fs::metadata(top.join(path)).map(|file| file.uid()).expect(path);
    for path in ["run/meridian", "run/meridian/control.sock", "var/meridian", "var/meridian/events.jsonl"] {
        until_so(path, || top.join(path).exists());
        assert_eq!(owner(path), NOBODY.1, "{path}");
    }
    assert_eq!(owner("run"), 0, "a folder that was there keeps its owner");
    deployment.set_address("198.51.100.11");
    let (status, _, stderr) = deployment.run(&["reload"]);
    assert_eq!(status, 0, "{stderr}");
    assert_eq!(decode(&ask_udp(served.dns, &query(1, "www.cdn.example", A))).2, ["198.51.100.11"]);
}

/// A user that is unknown, or that this process cannot become, refuses the start. So does a file
/// that the user cannot read: a reload could not read it either.
#[test]
fn users_that_cannot_be() {
    let refused = |deployment: &Deployment, code: &str, words: &str| {
        let (status, stdout, stderr) = deployment.run(&["serve"]);
        assert_eq!(status, 1, "{stdout}");
        assert!(stderr.contains(code) && stderr.contains(words), "{stderr}");
    };
    if !is_root() {
        let deployment = readable("127.0.0.1:0", "user: nobody\n");
        return refused(&deployment, "MRD0525", "cannot become the user `nobody`");
    }
    let deployment = readable("127.0.0.1:0", "user: no-such-user\n");
    refused(&deployment, "MRD0525", "this machine has no user `no-such-user`");
    // Its folders are root's.
    let deployment = readable("127.0.0.1:0", "user: nobody\n");
    refused(&deployment, "MRD0525", "may not write to the folder");
    let top = deployment.config().parent().expect("a folder").to_owned();
    std::os::unix::fs::chown(&top, Some(NOBODY.1), None).expect("root may");
    let pops = deployment.path("pops.yaml");
    fs::set_permissions(&pops, Permissions::from_mode(0o600)).expect("the file is ours");
    refused(&deployment, "MRD0100", "pops.yaml");
    fs::set_permissions(&pops, Permissions::from_mode(0o644)).expect("the file is ours");
    let served = deployment.serve(&[]);
    assert!(served.process.stdout().contains("user nobody, no capabilities"), "{}", served.process.stdout());
}

/// Without `user` root stays root, and says so; the sandbox is there all the same.
#[test]
fn the_sandbox_needs_no_other_user() {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    let served = deployment.serve(&[]);
    let printed = served.process.stdout();
    assert!(printed.contains("rights    sandbox: files"), "{printed}");
    if !printed.contains("system calls filtered") {
        return eprintln!("skipped: this kernel does not filter system calls");
    }
    assert_eq!(others(&threads(&served.process), "Seccomp", "2"), [""; 0]);
}

/// The sandbox starts no program unless a check had one at the start, so a reload that brings the
/// first is refused; removing the last is not.
#[test]
fn a_first_program_needs_a_restart() {
    const WITH: &str = "probes:\n  own: { exec: { command: [\"true\"] } }\n";
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    let pops = deployment.read("pops.yaml");
    let served = deployment.serve(&[]);
    assert!(served.process.stdout().contains("no programs"), "{}", served.process.stdout());
    deployment.write("pops.yaml", &format!("{WITH}{pops}"));
    let (status, _, stderr) = deployment.run(&["reload"]);
    assert_eq!(status, 1);
    assert!(stderr.contains("MRD0501") && stderr.contains("`exec`"), "{stderr}");
    drop(served);
    let served = deployment.serve(&[]);
    assert!(served.process.stdout().contains("programs of probes run"), "{}", served.process.stdout());
    deployment.write("pops.yaml", &pops);
    let (status, _, stderr) = deployment.run(&["reload"]);
    assert_eq!(status, 0, "{stderr}");
}

/// Without the sandbox, for a reason that the banner shows, system calls are not filtered.
#[test]
fn the_sandbox_is_off_for_a_reason() {
    let deployment = Deployment::new(&["127.0.0.1:0"], "sandbox: { off: \"a test looks\" }\n");
    let served = deployment.serve(&[]);
    assert!(served.process.stdout().contains("sandbox off: a test looks"), "{}", served.process.stdout());
    assert_eq!(others(&threads(&served.process), "Seccomp", "0"), [""; 0]);
}

/// A process in the sandbox leaves no core image, which would hold its keys.
#[test]
fn no_core_image() {
    let dumps = |keys: &str| {
        let deployment = Deployment::new(&["127.0.0.1:0"], keys);
        let mut command = behind(
            "ulimit -c unlimited && exec \"$0\" \"$@\"",
            &meridian_over(&deployment.config(), &["serve"]),
        );
        command.current_dir(deployment.config().parent().expect("a folder"));
        let mut served = Served::of(command);
        served.process.signal("ABRT");
        served.process.ends(PATIENCE).core_dumped()
    };
    const OFF: &str = "sandbox: { off: \"a test looks\" }\n";
    if !dumps(OFF) {
        return eprintln!("skipped: this machine writes no core images");
    }
    assert!(!dumps(""));
}

/// Nothing that the server prints, logs, keeps or shows has a secret in it.
#[test]
fn secrets_are_not_shown() {
    let issued = sound();
    let keys = "  dot: \"127.0.0.1:0\"\ncookies: { secrets: cookies.secrets }\n\
                tls: { certificate: tls.pem, key: key.pem }\n";
    let deployment = Deployment::new(&["127.0.0.1:0"], keys);
    deployment.write("cookies.secrets", &format!("{SECRET}\n"));
    deployment.write("tls.pem", &issued.certificate);
    deployment.write("key.pem", &issued.key);
    let mut command = meridian_over(&deployment.config(), &["serve", "--log", "json"]);
    command.env("RUST_LOG", "trace");
    let served = Served::of(command);
    let asked = with_option(query(1, "www.cdn.example", A), 10, &[7; 8]);
    assert!(cookie_of(&ask_udp(served.dns, &asked)).is_some(), "cookies are on");
    assert_eq!(deployment.run(&["reload"]).0, 0);
    // A fault in the file of secrets shows a place, and not the text.
    deployment.write("cookies.secrets", &format!("{SECRET}0\n"));
    let (status, stdout, stderr) = deployment.run(&["reload"]);
    assert_eq!(status, 1, "{stdout}");
    let (_, explained, _) = deployment.run(&["explain", "www.cdn.example", "--from", "192.0.2.1"]);
    let mut shown = vec![stdout, stderr, explained, served.process.stdout(), served.process.stderr()];
    shown.extend(
        ["/status", "/metrics", "/pops", "/policies", "/reload"].map(|path| deployment.page(path).body),
    );
    let folder = fs::read_dir(deployment.path("state")).expect("the state folder").flatten();
    shown.extend(
        folder
            .filter_map(|entry| fs::read(entry.path()).ok())
            .map(|octets| String::from_utf8_lossy(&octets).into_owned()),
    );
    let key: Vec<&str> = issued.key.lines().filter(|line| !line.starts_with("-----")).collect();
    let all = shown.join("\n");
    assert!(all.contains("cdn.example") && key.len() > 1, "{all}");
    for secret in key.iter().chain([&SECRET]) {
        assert!(!all.to_lowercase().contains(&secret.to_lowercase()), "{secret} is shown");
    }
}
