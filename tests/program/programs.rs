//! Programs of probes, and what they leave behind, under the running program.

use crate::support::deployment::*;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

const A: u16 = 1;

/// A running `meridian serve`; killed when a test fails.
struct Process {
    deployment: Deployment,
    child: Child,
    dns: SocketAddr,
}

impl Process {
    /// Starts it behind a piece of a shell's script, with probes that run scripts.
    fn start(before: &str, probes: &[(&str, &str)]) -> Process {
        let deployment = Deployment::new(&["127.0.0.1:0"], "");
        let (mut kinds, mut names) = (String::new(), Vec::new());
        for (name, script) in probes {
            deployment.write(&format!("{name}.sh"), script);
            let path = deployment.path(&format!("{name}.sh"));
            kinds +=
                &format!("  {name}: {{ exec: [/bin/sh, {path:?}], every: 2s, timeout: 1s, up_after: 1 }}\n");
            names.push(*name);
        }
        deployment.write(
            "pops.yaml",
            &format!(
                "probes:\n{kinds}pops:\n  one:\n    at: {{ lat: 50.1, lon: 8.7, country: DE }}\n    \
                 addresses: [198.51.100.10]\n    probe: [{}]\n",
                names.join(", ")
            ),
        );
        let mut child = Command::new("sh")
            .args(["-c", &format!("{before} exec \"$0\" \"$@\"")])
            .args([env!("CARGO_BIN_EXE_meridian"), "serve", "--config"])
            .arg(deployment.path("meridian.yaml"))
            .current_dir(deployment.path(""))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        let (dns, _) = banner(child.stdout.take().expect("piped"));
        Process { deployment, child, dns }
    }

    /// Numbers of processes that scripts have written to a file, once there are so many.
    fn told(&self, name: &str, at_least: usize) -> BTreeSet<u32> {
        let end = Instant::now() + PATIENCE;
        loop {
            let text = std::fs::read_to_string(self.deployment.path(name)).unwrap_or_default();
            let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
            let all: BTreeSet<u32> =
                whole.lines().map(|line| line.trim().parse().expect("a number")).collect();
            if all.len() >= at_least {
                return all;
            }
            assert!(Instant::now() < end, "{name}: {text:?}");
            std::thread::yield_now();
        }
    }

    fn terminate(&mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
        assert!(self.child.wait().expect("our child").success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// State letter and parent of a process, if it is in the table (proc(5)).
fn state(pid: u32) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// Waits until none of them is in the table of processes, not even as a zombie.
fn are_gone(what: &str, pids: &BTreeSet<u32>) {
    let end = Instant::now() + PATIENCE;
    while let Some(pid) = pids.iter().find(|pid| state(**pid).is_some()) {
        assert!(Instant::now() < end, "{what}: {pid} is {:?}", state(*pid));
        std::thread::yield_now();
    }
}

/// A script that waits until what it has started has made the file `$R`, if it names it.
fn ready(script: &str) -> String {
    let wait = if script.contains("$R") { "until test -e $R; do sleep 0.01; done\n" } else { "" };
    format!("R=ready.$$\n{script}{wait}exit 0\n")
}

/// Descendants in a group, in a session of their own, behind two forks, and with an empty
/// environment are gone after the program, whether it ends by itself or by its time-out; no zombie
/// stays, and a child that closes its output and sleeps ends at the time-out.
#[test]
fn nothing_outlives_a_program() {
    let probes = [
        ("group", "sleep 1000 & echo $! >> group\n"),
        ("session", "setsid sh -c 'echo $$ >> session; touch $0; exec sleep 1000' $R &\n"),
        ("forks", "(setsid sh -c 'sleep 1000 & echo $! >> forks; touch $0' $R &)\n"),
        ("bare", "(env -i setsid sh -c 'sleep 1000 & echo $! >> bare; touch $0' $R &)\n"),
        ("late", "(setsid sh -c 'sleep 1000 & echo $! >> late' &)\nexec sleep 1000\n"),
        ("mute", "exec >&- 2>&-\necho $$ >> mute\nexec sleep 1000\n"),
        ("dead", "(setsid sh -c 'true & touch $0; exec sleep 0.05' $R &)\n"),
    ];
    let probes = probes.map(|(name, script)| (name, ready(script)));
    let probes: Vec<(&str, &str)> = probes.iter().map(|(name, script)| (*name, script.as_str())).collect();
    let mut process = Process::start("", &probes);
    for (name, _) in &probes[..6] {
        are_gone(name, &process.told(name, 2));
    }
    let own = process.child.id();
    let zombies = || -> Vec<u32> {
        let entries = std::fs::read_dir("/proc").expect("proc").flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(|pid| state(*pid) == Some(('Z', own))).collect()
    };
    let first: BTreeSet<u32> = zombies().into_iter().collect();
    are_gone("zombies", &first);
    process.terminate();
    for (name, _) in &probes[..6] {
        let all = process.told(name, 2);
        assert!(all.iter().all(|pid| state(*pid).is_none()), "{name}: nothing outlives the server");
    }
}

/// A descendant that has left its group lives as long as its program runs, while others end beside
/// it; it may be what the program waits for.
#[test]
fn what_a_running_program_has_started_lives() {
    let quick = [("a", "exit 0\n"), ("b", "sleep 1000 & exit 0\n")];
    let slow = (
        "slow",
        "(env -i PATH=\"$PATH\" setsid sh -c 'sleep 0.6; echo 1 >> \"$0\"' \"./slow.$$\" &)\n\
         while ! test -s \"slow.$$\"; do sleep 0.02; done\necho $$ >> slow\nexit 0\n",
    );
    let process = Process::start("", &[quick[0], quick[1], slow]);
    process.told("slow", 3);
    assert_eq!(decode(&ask_udp(process.dns, &query(1, "www.cdn.example", A))).2, ["198.51.100.10"]);
}

/// A child that the process had before it became a server is nobody's left-over, nor is what that
/// child leaves behind.
#[test]
fn what_is_not_ours_lives() {
    let mut process = Process::start(
        "sh -c 'echo $$ >> other; (setsid sh -c \"echo \\$\\$ >> other; exec sleep 1000\" &); exec \
         sleep 1000' &",
        &[("group", &ready("(setsid sh -c 'sleep 1000 & echo $! >> group; touch $0' $R &)\n"))],
    );
    let others = process.told("other", 2);
    are_gone("left over", &process.told("group", 3));
    process.terminate();
    let alive: Vec<u32> =
        others.iter().copied().filter(|pid| state(*pid).is_some_and(|(state, _)| state != 'Z')).collect();
    for pid in &others {
        let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
    }
    assert_eq!(alive, others.into_iter().collect::<Vec<_>>());
}

/// Programs that run when the server is told to stop end with it.
#[test]
fn programs_end_with_the_server() {
    let mut process = Process::start(
        "",
        &[
            ("ok", "exit 0\n"),
            (
                "hangs",
                "echo $$ >> hangs\n(setsid sh -c 'sleep 1000 & echo $! >> hangs' &)\nexec sleep 1000\n",
            ),
        ],
    );
    process.told("hangs", 4);
    process.terminate();
    let all = process.told("hangs", 4);
    assert!(all.iter().all(|pid| state(*pid).is_none()), "{all:?}");
}
