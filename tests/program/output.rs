//! Standard output that takes nothing, and readers that go away.

use std::fs::File;
use std::process::Stdio;
use support::program;

const COMMANDS: [&[&str]; 6] = [
    &["schema"],
    &["--help"],
    &["--version"],
    &["man"],
    &["completions", "bash"],
    &["schema", "--sample", "policies"],
];

/// `meridian` with its standard output there: exit status, and errors. This is the one test that
/// does not keep what is printed.
fn run(arguments: &[&str], stdout: impl Into<Stdio>) -> (Option<i32>, String) {
    let mut command = program::meridian(arguments);
    let output = command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped()).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A full disk is an error that is told, and that scripts see.
#[test]
fn a_full_disk_is_an_error() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        return eprintln!("skipped: there is no /dev/full");
    };
    for arguments in COMMANDS {
        let (status, told) = run(arguments, full.try_clone().unwrap());
        assert_eq!(status, Some(1), "{arguments:?}: {told}");
        assert!(told.contains("standard output cannot be written"), "{arguments:?}: {told}");
    }
}

/// A reader that has gone away is no news.
#[test]
fn a_closed_pipe_is_quiet() {
    for arguments in COMMANDS {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        assert_eq!(run(arguments, writer), (Some(0), String::new()), "{arguments:?}");
    }
}
