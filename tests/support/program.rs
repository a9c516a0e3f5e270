//! The one way to start a program: what it prints is kept, every wait has a bound, and the program
//! ends with its value.
//!
//! [`run`] is for a program that ends by itself, [`Served`] for `meridian serve`, which answers
//! when [`Served::start`] returns, and [`Process`] for any other that goes on.

use crate::deployment::PATIENCE;
use std::fmt::Display;
use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Pause between two looks at something that is awaited.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// The longest that a program may take that ends by itself.
const RUNS: Duration = Duration::from_secs(120);

/// The `meridian` of this build.
pub fn path() -> PathBuf {
    // Cargo sets it for tests and benchmarks. Without cargo, as under a debugger, the program
    // stands above the folder of the test.
    let beside = || {
        let test = std::env::current_exe().expect("a program has a path");
        test.ancestors().nth(2).expect("it stands in a folder of the build").join("meridian")
    };
    std::env::var_os("CARGO_BIN_EXE_meridian").map_or_else(beside, PathBuf::from)
}

/// `meridian` with arguments, and nothing of the environment that changes what it prints.
pub fn meridian(arguments: &[&str]) -> Command {
    let mut command = Command::new(path());
    command.args(arguments).env("NO_COLOR", "1").env_remove("RUST_LOG").env_remove("MERIDIAN_CONFIG");
    command
}

/// `meridian` with arguments over a configuration.
pub fn meridian_over(config: &Path, arguments: &[&str]) -> Command {
    let mut command = meridian(arguments);
    command.arg("--config").arg(config);
    command
}

/// A command behind `script`, words of a shell that end by running `"$0" "$@"`, such as
/// `ulimit -n 64 && exec "$0" "$@"`.
pub fn behind(script: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    shell
}

/// A server of the system, which the path of a user may lack.
pub fn installed(name: &str) -> Option<PathBuf> {
    ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin"]
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.exists())
}

/// True if the program runs with this argument.
pub fn has(program: &str, argument: &str) -> bool {
    Command::new(program).arg(argument).stdin(Stdio::null()).output().is_ok()
}

/// Looks until there is something.
pub fn until<T>(what: &str, within: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    until_seen(what, within, || look().ok_or(""))
}

/// Looks until it is so.
pub fn until_so(what: &str, is_so: impl Fn() -> bool) {
    until(what, PATIENCE, || is_so().then_some(()));
}

/// Looks until `look` succeeds; a timeout panics with the last value seen.
pub fn until_seen<T, S: Display>(what: &str, within: Duration, mut look: impl FnMut() -> Result<T, S>) -> T {
    let end = Instant::now() + within;
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) => assert!(Instant::now() < end, "within {within:?} there was not: {what}\n{seen}"),
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Runs a program to its end: exit status, standard output, errors.
pub fn run(command: Command) -> (i32, String, String) {
    let mut process = Process::start(command);
    let status = process.ends(RUNS);
    let code = status.code().unwrap_or_else(|| panic!("{}: {status}", process.name));
    (code, process.stdout(), process.stderr())
}

/// Output of a stream: an unnamed file, so that the program never waits for a reader.
struct Printed(File);

impl Printed {
    fn new() -> Printed {
        Printed(tempfile::tempfile().expect("the disk has room"))
    }

    fn writer(&self) -> Stdio {
        self.0.try_clone().expect("descriptors suffice").into()
    }

    /// Output so far. The place of the program in the file stays where it is.
    fn text(&self) -> String {
        let (mut octets, mut part) = (Vec::new(), [0; 16_384]);
        loop {
            match self.0.read_at(&mut part, octets.len() as u64).expect("the file is ours") {
                0 => return String::from_utf8(octets).expect("programs print UTF-8"),
                length => octets.extend_from_slice(&part[..length]),
            }
        }
    }
}

/// A running program. It is killed when this value is dropped.
pub struct Process {
    name: String,
    child: Child,
    stdout: Printed,
    stderr: Printed,
}

impl Process {
    /// Starts a program that reads nothing.
    pub fn start(command: Command) -> Process {
        Process::spawn(command, Stdio::null(), None)
    }

    /// Starts a program that is written to by [`Process::input`].
    pub fn start_with_input(command: Command) -> Process {
        Process::spawn(command, Stdio::piped(), None)
    }

    /// Starts a program whose errors go elsewhere, such as to a pipe without a reader.
    pub fn start_with_errors_to(command: Command, errors: impl Into<Stdio>) -> Process {
        Process::spawn(command, Stdio::null(), Some(errors.into()))
    }

    fn spawn(mut command: Command, stdin: Stdio, errors: Option<Stdio>) -> Process {
        let name = format!("{command:?}");
        let (stdout, stderr) = (Printed::new(), Printed::new());
        command.stdin(stdin).stdout(stdout.writer()).stderr(errors.unwrap_or_else(|| stderr.writer()));
        let child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Process { name, child, stdout, stderr }
    }

    /// Process ID.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Standard output so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Errors, which have the log, so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Standard input; may be taken once.
    pub fn input(&mut self) -> ChildStdin {
        self.child.stdin.take().expect("started with input, and not taken before")
    }

    /// Waits until `look` finds something in the output; the error has the exit status and output.
    pub fn prints<T>(&mut self, within: Duration, look: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        let mut seen = String::new();
        until(&format!("words of {}", self.name), within, || {
            // Read the status first, so that output printed before the end is complete.
            let status = self.status();
            seen = self.stdout();
            look(&seen)
                .map(Ok)
                .or_else(|| status.map(|status| Err(format!("{status}\n{seen}{}", self.stderr()))))
        })
    }

    /// Waits until the standard error holds `words`; returns all of it.
    pub fn logs(&self, words: &str) -> String {
        until_seen(words, PATIENCE, || {
            let log = self.stderr();
            if log.contains(words) { Ok(log) } else { Err(log) }
        })
    }

    /// Sends a signal, by its name without `SIG`.
    pub fn signal(&self, name: &str) {
        // The process has not been waited for, so its ID cannot belong to another.
        let sent = Command::new("kill").args([format!("-{name}"), self.pid().to_string()]).status();
        assert!(sent.expect("kill runs").success(), "SIG{name} to {}", self.name);
    }

    /// Exit status, if it has ended.
    pub fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("our child")
    }

    /// Waits for its end.
    pub fn ends(&mut self, within: Duration) -> ExitStatus {
        let end = Instant::now() + within;
        loop {
            if let Some(status) = self.status() {
                return status;
            }
            assert!(Instant::now() < end, "{} did not end within {within:?}: {}", self.name, self.stderr());
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Kills it with SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends SIGTERM, and SIGKILL after `within`. For servers with children of their own.
    pub fn terminate(&mut self, within: Duration) {
        let end = Instant::now() + within;
        if self.status().is_none() {
            self.signal("TERM");
        }
        while self.status().is_none() && Instant::now() < end {
            std::thread::sleep(LOOK_EVERY);
        }
        self.kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A running `meridian serve`, which answers. It is killed when this value is dropped.
pub struct Served {
    pub process: Process,
    /// The first address for DNS.
    pub dns: SocketAddr,
    admin: Option<SocketAddr>,
}

impl Served {
    /// Starts it over a configuration, with further arguments.
    pub fn start(config: &Path, more: &[&str]) -> Served {
        Served::of(meridian_over(config, &[&["serve"], more].concat()))
    }

    /// The server that a command starts.
    pub fn of(command: Command) -> Served {
        Served::printed_by(Process::start(command)).unwrap_or_else(|why| panic!("no server: {why}"))
    }

    /// Server of a process, once its banner has the addresses; the error is the reason.
    pub fn printed_by(mut process: Process) -> Result<Served, String> {
        let (dns, admin) = process.prints(PATIENCE, banner)?;
        Ok(Served { process, dns, admin })
    }

    /// The admin address, which the configuration has.
    pub fn admin(&self) -> SocketAddr {
        self.admin.expect("the configuration has an admin address")
    }
}

/// Addresses in the banner of `meridian serve`: DNS (the first) and admin. `None` until the banner
/// is complete; the server answers before it prints the banner.
fn banner(printed: &str) -> Option<(SocketAddr, Option<SocketAddr>)> {
    let (mut dns, mut admin) = (None, None);
    for line in printed.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("dns"), Some(address)) => dns = dns.or(address.parse().ok()),
            (Some("admin"), Some(url)) => {
                admin = url.split_once("://").and_then(|(_, address)| address.parse().ok());
            }
            (Some("snapshot"), _) => return Some((dns.expect("the address is printed"), admin)),
            _ => {}
        }
    }
    None
}
