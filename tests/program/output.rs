//! Standard output that takes nothing, and readers that go away.

use std::fs::File;
use std::process::{Command, Stdio};

const COMMANDS: [&[&str]; 6] = [
    &["schema"],
    &["--help"],
    &["--version"],
    &["man"],
    &["completions", "bash"],
    &["schema", "--sample", "policies"],
];

fn meridian(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meridian"));
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::piped());
    command
}

/// A full disk is an error that is told, and that scripts see.
#[test]
fn a_full_disk_is_an_error() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        return eprintln!("skipped: there is no /dev/full");
    };
    for arguments in COMMANDS {
        let output = meridian(arguments).stdout(full.try_clone().unwrap()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {told}");
        assert!(told.contains("standard output cannot be written"), "{arguments:?}: {told}");
    }
}

/// A reader that has gone away is no news.
#[test]
fn a_closed_pipe_is_quiet() {
    for arguments in COMMANDS {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = meridian(arguments).stdout(writer).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*told), (Some(0), ""), "{arguments:?}");
    }
}
