//! Tests of `event_log`.

use super::*;

/// A log that reaches its limit is rotated, without loss of a line.
#[test]
fn the_log_is_turned_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE);
    let mut log = Log { path: path.clone(), most: 10 };
    for line in ["first", "next", "third"] {
        log.append(line).expect("room");
    }
    assert_eq!(fs::read_to_string(&path).expect("there"), "third\n");
    assert_eq!(fs::read_to_string(beside(&path, ".1")).expect("there"), "next\n");
}

/// A failed write is an error without other effects.
#[test]
fn no_room_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("state"), "a file, not a folder").expect("room");
    assert!(Log { path: folder.path().join("state").join(FILE), most: 10 }.append("x").is_err());
}

/// The partial line of a crash is ended before the next event. A pipe in the place of the log is an
/// error, and is not waited for.
#[test]
fn half_a_line_ends_before_the_next() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE);
    fs::write(&path, "{\"whole\":1}\n{\"half\":").expect("room");
    let mut log = Log { path: path.clone(), most: 1_000 };
    log.append("{\"next\":1}").expect("room");
    log.append("{\"last\":1}").expect("room");
    let text = fs::read_to_string(&path).expect("there");
    assert_eq!(text, "{\"whole\":1}\n{\"half\":\n{\"next\":1}\n{\"last\":1}\n");
    fs::remove_file(&path).expect("ours");
    let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo");
    assert!(made.success() && log.append("{}").is_err());
}
