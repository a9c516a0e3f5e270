//! Two network namespaces joined by a veth pair: one for the server, one for the load. Both are
//! removed with the value, also after a panic. A run that a signal has ended leaves them to the
//! next run.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use support::program;

/// Address of the server's end.
pub const SERVER: &str = "10.253.0.1";
/// Address of the end of the load.
const LOAD: &str = "10.253.0.2";

/// Names of the two namespaces, before the ID of the process of the run.
const NAMESPACES: [&str; 2] = ["meridian-s-", "meridian-l-"];

/// The processing of packets that arrive at the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polling {
    /// Soft interrupts on the server's core (NAPI with packet steering to that core).
    Softirq,
    /// A kernel thread on the server's core (threaded NAPI), below the server as
    /// `deploy/meridian-napi@.service` sets it.
    Thread,
}

impl Polling {
    pub const ALL: [Polling; 2] = [Polling::Softirq, Polling::Thread];

    pub fn word(self) -> &'static str {
        match self {
            Polling::Softirq => "softirq",
            Polling::Thread => "kernel thread",
        }
    }
}

/// The namespaces and their link.
pub struct Link {
    /// Namespace and interface of the server, then of the load.
    ends: [(String, String); 2],
    /// Nice value of server and load.
    nice: i32,
}

impl Drop for Link {
    fn drop(&mut self) {
        for (namespace, _) in &self.ends {
            // A link goes with either of its ends.
            let _ = Command::new("ip").args(["netns", "del", namespace]).output();
        }
    }
}

impl Link {
    /// The reason why this machine cannot have one, if there is one.
    pub fn obstacle() -> Option<String> {
        let needed = ["ip", "ethtool", "taskset", "nice", "renice"];
        if let Some(missing) = needed.into_iter().find(|name| program::installed(name).is_none()) {
            return Some(format!("`{missing}` is not installed"));
        }
        if run("id", &["-u"]).map(|id| id.trim() != "0").unwrap_or(true) {
            return Some("only root can make network namespaces".to_owned());
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        (cores < 2).then(|| "server and load need a core each".to_owned())
    }

    /// Removes the namespaces of runs that have ended without it, and ends the processes in them.
    /// Returns the process IDs of these runs.
    pub fn remove_left_over() -> Result<BTreeSet<String>, String> {
        let mut ended = BTreeSet::new();
        for line in run("ip", &["netns", "list"])?.lines() {
            let namespace = line.split_whitespace().next().unwrap_or_default();
            let of = NAMESPACES.iter().find_map(|before| namespace.strip_prefix(before));
            // A zombie is over too: the kernel names no program of it.
            let is_over = |process: &&str| fs::read_link(format!("/proc/{process}/exe")).is_err();
            let Some(process) = of.filter(is_over) else { continue };
            // The server outlives a run that was ended alone.
            for left in run("ip", &["netns", "pids", namespace])?.split_whitespace() {
                let _ = run("kill", &["-KILL", left]);
            }
            run("ip", &["netns", "del", namespace])?;
            ended.insert(process.to_owned());
        }
        Ok(ended)
    }

    /// Makes both ends, under names of this process.
    pub fn new(nice: i32) -> Result<Link, String> {
        let process = std::process::id();
        let [server, load] = NAMESPACES.map(|before| format!("{before}{process}"));
        let ends = [(server, format!("ms{process}")), (load, format!("ml{process}"))];
        let link = Link { ends, nice };
        let [(server, server_end), (load, load_end)] = &link.ends;
        run("ip", &["netns", "add", server])?;
        run("ip", &["netns", "add", load])?;
        let pair = ["link", "add", server_end, "netns", server, "type", "veth"];
        run("ip", &[&pair[..], &["peer", "name", load_end, "netns", load]].concat())?;
        for ((namespace, end), address) in link.ends.iter().zip([SERVER, LOAD]) {
            run("ip", &["-n", namespace, "addr", "add", &format!("{address}/30"), "dev", end])?;
            run("ip", &["-n", namespace, "link", "set", "lo", "up"])?;
            run("ip", &["-n", namespace, "link", "set", end, "up"])?;
        }
        // Datagrams take the NAPI of a veth only with GRO at the receiver and no TSO at the sender.
        link.in_namespace(0, &["ethtool", "-K", server_end, "gro", "on"])?;
        link.in_namespace(1, &["ethtool", "-K", load_end, "tso", "off"])?;
        Ok(link)
    }

    /// A command in the namespace of the server, on the first core.
    pub fn of_server(&self, program: &Path) -> Command {
        self.command(0, "0", program)
    }

    /// A command in the namespace of the load, on the second core.
    pub fn of_load(&self, program: &Path) -> Command {
        self.command(1, "1", program)
    }

    fn command(&self, end: usize, core: &str, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.ends[end].0, "nice", "-n", &self.nice.to_string()]);
        command.args(["taskset", "-c", core]).arg(program);
        command
    }

    /// Sets the processing of packets that arrive at the server. Replies are processed where they
    /// are sent, as over loopback.
    pub fn poll(&self, polling: Polling) -> Result<(), String> {
        let (threaded, steered) = match polling {
            Polling::Softirq => ("0", "1"),
            Polling::Thread => ("1", "0"),
        };
        let end = &self.ends[0].1;
        self.write(&format!("/sys/class/net/{end}/threaded"), threaded)?;
        self.write(&format!("/sys/class/net/{end}/queues/rx-0/rps_cpus"), steered)?;
        if polling == Polling::Thread {
            let threads = polling_threads(end);
            if threads.is_empty() {
                return Err("the kernel has started no thread that polls".to_owned());
            }
            let nice = (self.nice + 19).min(19).to_string();
            for thread in threads {
                run("renice", &["-n", &nice, "-p", &thread])?;
                run("taskset", &["-p", "-c", "0", &thread])?;
            }
        }
        Ok(())
    }

    /// Processor time of the thread in nanoseconds: without any, packets took another way.
    pub fn polled_nanos(&self) -> u64 {
        let nanos = |thread: String| {
            let text = fs::read_to_string(format!("/proc/{thread}/schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        };
        polling_threads(&self.ends[0].1).into_iter().filter_map(nanos).sum()
    }

    fn write(&self, path: &str, text: &str) -> Result<String, String> {
        self.in_namespace(0, &["sh", "-c", &format!("echo {text} >{path}")])
    }

    fn in_namespace(&self, end: usize, command: &[&str]) -> Result<String, String> {
        run("ip", &[&["netns", "exec", &self.ends[end].0], command].concat())
    }
}

/// IDs of the kernel threads that poll an interface.
fn polling_threads(interface: &str) -> Vec<String> {
    // The kernel calls them napi/INTERFACE-NUMBER, of which 15 characters remain.
    let name: String = format!("napi/{interface}-").chars().take(15).collect();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter(|process| {
            let comm = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            comm.starts_with(&name)
        })
        .filter_map(|process| process.file_name().into_string().ok())
        .collect()
}

/// Runs a program to its end; its output, or its error.
fn run(name: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(name).args(arguments).output().map_err(|error| format!("{name}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => {
            let error = String::from_utf8_lossy(&output.stderr);
            Err(format!("{name} {}: {}", arguments.join(" "), error.trim()))
        }
    }
}
