//! Programs of probes, and what they leave behind, under the running program.

use std::collections::BTreeSet;
use std::process::Command;
use support::deployment::*;
use support::program::{self, Served, until, until_so};

const A: u16 = 1;

/// A running `meridian serve`.
struct Process {
    deployment: Deployment,
    served: Served,
}

impl Process {
    /// Starts it behind a piece of a shell's script that ends by `exec` and the like, with probes
    /// that run scripts.
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
        let mut command = program::meridian_over(&deployment.config(), &["serve"]);
        command.current_dir(deployment.path(""));
        let served = Served::of(program::behind(&format!("{before} \"$0\" \"$@\""), &command));
        Process { deployment, served }
    }

    fn pid(&self) -> u32 {
        self.served.process.pid()
    }

    /// Lines that scripts have written to a file, once there are so many.
    fn told_lines(&self, name: &str, at_least: usize) -> usize {
        until(&format!("{at_least} lines of {name}"), PATIENCE, || {
            let text = std::fs::read_to_string(self.deployment.path(name)).unwrap_or_default();
            Some(text.lines().count()).filter(|lines| *lines >= at_least)
        })
    }

    /// Numbers of processes that scripts have written to a file, once there are so many.
    fn told(&self, name: &str, at_least: usize) -> BTreeSet<u32> {
        until(&format!("{at_least} processes of {name}"), PATIENCE, || {
            let text = std::fs::read_to_string(self.deployment.path(name)).unwrap_or_default();
            let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
            let all: BTreeSet<u32> =
                whole.lines().map(|line| line.trim().parse().expect("a number")).collect();
            Some(all).filter(|all| all.len() >= at_least)
        })
    }

    fn terminate(&mut self) {
        self.served.process.signal("TERM");
        assert!(self.served.process.ends(PATIENCE).success());
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
    until_so(&format!("an end of {what} ({pids:?})"), || pids.iter().all(|pid| state(*pid).is_none()));
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
    let mut process = Process::start("exec", &probes);
    for (name, _) in &probes[..6] {
        are_gone(name, &process.told(name, 2));
    }
    let own = process.pid();
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
    let process = Process::start("exec", &[quick[0], quick[1], slow]);
    process.told("slow", 3);
    assert_eq!(decode(&ask_udp(process.served.dns, &query(1, "www.cdn.example", A))).2, ["198.51.100.10"]);
}

/// A child that the process had before it became a server is nobody's left-over, nor is what that
/// child leaves behind.
#[test]
fn what_is_not_ours_lives() {
    let mut process = Process::start(
        "sh -c 'echo $$ >> other; (setsid sh -c \"echo \\$\\$ >> other; exec sleep 1000\" &); exec \
         sleep 1000' & exec",
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
        "exec",
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

/// Words of a shell that make what follows the first process of a container.
const FIRST: &str = "unshare --user --map-root-user --pid --fork --kill-child --mount-proc";

/// As the first process of a container the server gets the orphans of others too, as of a shell
/// that somebody has opened there: these live, and leave no zombie. What a probe has left ends,
/// although nothing but its mark tells it from theirs.
#[test]
fn the_first_process_of_a_container_ends_its_own_alone() {
    let allowed = Command::new("sh").args(["-c", &format!("exec {FIRST} true")]).status();
    if !allowed.is_ok_and(|status| status.success()) {
        return eprintln!("this system allows no container: nothing was tried");
    }
    let bare = ready("(env -i setsid sh -c 'echo 1 >> bare; touch $0; exec sleep 77123' $R &)\n");
    let process = Process::start(&format!("exec {FIRST}"), &[("bare", &bare)]);
    let running = |argument: &str| -> Vec<u32> {
        let wanted = format!("sleep\0{argument}\0");
        let entries = std::fs::read_dir("/proc").expect("proc").flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let cmdline = |pid: &u32| std::fs::read_to_string(format!("/proc/{pid}/cmdline"));
        pids.filter(|pid| cmdline(pid).is_ok_and(|told| told == wanted)).collect()
    };
    // The server is the child of `unshare`.
    let own = process.pid();
    let server = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children")).expect("a child");
    let server: u32 = server.trim().parse().expect("one number");
    let enter = format!(
        "exec nsenter -t {server} --user --pid --mount --preserve-credentials \
         sh -c '(setsid sleep 77124 &); (setsid sleep 0.1 &)'"
    );
    let entered = Command::new("sh").args(["-c", &enter]).status().expect("a shell");
    assert!(entered.success());
    let others = until("the orphan of another", PATIENCE, || {
        Some(running("77124")).filter(|others| !others.is_empty())
    });
    let swept = process.told_lines("bare", 3);
    until_so(&format!("an end of what {swept} probes have left"), || running("77123").is_empty());
    let zombies = || -> Vec<u32> {
        let entries = std::fs::read_dir("/proc").expect("proc").flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(|pid| state(*pid) == Some(('Z', server))).collect()
    };
    are_gone("zombies", &zombies().into_iter().collect());
    assert_eq!(running("77124"), others, "what is not ours lives");
}
