//! `exec` check: a program, which succeeds by exit status 0. When its run ends, so do all processes
//! that it started ([`programs`](super::programs)).

use super::programs::{Program, Programs};
use super::{Finding, Trial, words};
use crate::health::spec::ExecCheck;
use crate::health::targets::Target;
use crate::limits::{PROGRAM_KEPT_OCTETS, PROGRAM_OUTPUT_OCTETS_MAX};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::process::Command;
use tokio::sync::Semaphore;

/// Runs the program and judges its exit status.
pub(super) async fn run(
    check: &ExecCheck,
    target: &Target,
    (programs, places): (&Programs, &Semaphore),
    trial: &mut Trial,
) -> Finding {
    trial.doing = "waiting for other programs to end";
    // Waiting for a free place is the node's own delay, not a failure of the target.
    trial.is_own = true;
    let _place = places.acquire().await.map_err(|_| "the prober stops".to_owned())?;
    trial.is_own = false;
    trial.doing = "running the program";
    // A program that cannot be started says nothing about the target.
    let (mut program, mut output) = start(check, target, programs).inspect_err(|_| trial.is_own = true)?;
    let mut said = Said::default();
    let status = loop {
        tokio::select! {
            biased;
            status = program.child.wait() => break status.map_err(|e| words::io(&e))?,
            more = said.read(&mut output), if !said.is_over => more?,
        }
    };
    // Takes the rest from the pipe. A child may hold the other end, so its end is not waited for.
    said.rest(&output);
    judge(status, &said)
}

fn judge(status: ExitStatus, said: &Said) -> Finding {
    let why = match (status.code(), status.signal()) {
        (Some(0), _) => return Ok(()),
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => "ended without an exit status".to_owned(),
    };
    match said.first_line() {
        Some(line) => Err(format!("{why}: {}", words::quoted(line))),
        None => Err(why),
    }
}

/// Starts the program. Standard output and standard error share one pipe, so that lines stay in
/// order.
fn start(check: &ExecCheck, target: &Target, programs: &Programs) -> Result<(Program, Receiver), String> {
    let (program, arguments) = check.command.split_first().ok_or("the command is empty")?;
    let cannot = |error: std::io::Error| {
        format!("cannot run {}: {}", words::quoted(program.as_bytes()), words::io(&error))
    };
    let (reader, writer) = std::io::pipe().map_err(cannot)?;
    let output = Receiver::from_owned_fd(OwnedFd::from(reader)).map_err(cannot)?;
    let mut command = Command::new(&**program);
    command
        .args(arguments.iter().map(|argument| &**argument))
        .env_clear()
        .env("MERIDIAN_POP", &*target.pop)
        .env("MERIDIAN_SERVICE", &*target.service)
        .env("MERIDIAN_ADDRESS", target.address.to_string())
        .stdin(Stdio::null())
        .stdout(writer.try_clone().map_err(cannot)?)
        .stderr(writer);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    Ok((programs.begin(&mut command).map_err(cannot)?, output))
}

/// Output of the program: its first octets, and how many came in all.
#[derive(Default)]
struct Said {
    kept: Vec<u8>,
    octets: usize,
    is_over: bool,
}

impl Said {
    async fn read(&mut self, output: &mut Receiver) -> Finding {
        let mut octets = [0u8; 4096];
        let len = output.read(&mut octets).await.map_err(|e| words::io(&e))?;
        self.take(&octets[..len]);
        if self.octets > PROGRAM_OUTPUT_OCTETS_MAX {
            return Err(format!("the program prints more than {} KiB", PROGRAM_OUTPUT_OCTETS_MAX >> 10));
        }
        Ok(())
    }

    fn rest(&mut self, output: &Receiver) {
        let mut octets = [0u8; PROGRAM_KEPT_OCTETS];
        if let Ok(len) = output.try_read(&mut octets) {
            self.take(&octets[..len]);
        }
    }

    fn take(&mut self, octets: &[u8]) {
        self.is_over |= octets.is_empty();
        self.octets += octets.len();
        let room = PROGRAM_KEPT_OCTETS.saturating_sub(self.kept.len());
        self.kept.extend_from_slice(&octets[..octets.len().min(room)]);
    }

    fn first_line(&self) -> Option<&[u8]> {
        self.kept.split(|octet| *octet == b'\n').map(<[u8]>::trim_ascii).find(|line| !line.is_empty())
    }
}
