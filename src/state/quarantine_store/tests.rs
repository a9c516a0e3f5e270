//! Tests of `quarantine_store`.

use super::*;
use crate::answer::Transport;
use crate::geo::prefix::Prefix;
use crate::limits::MESSAGE_MAX;

fn captured(epoch_secs: u64, octets: Vec<u8>) -> Captured {
    Captured {
        epoch_secs,
        version: "0.1.0".to_owned(),
        transport: Transport::Udp,
        source: Prefix::new([192, 0, 2, 0].into(), 24),
        place: "src/x.rs:1:1".to_owned(),
        panic: "p".repeat(10_000),
        octets,
    }
}

#[test]
fn the_newest_files_stay() {
    let state = tempfile::tempdir().expect("a folder");
    let folder = state.path().join(FOLDER);
    assert_eq!(list(&folder).expect("no folder"), Vec::<PathBuf>::new());
    let first = keep(state.path(), &captured(9, vec![1])).expect("kept");
    fs::write(folder.join("notes.txt"), "of an operator").expect("written");
    // 9 is older than 10, and the second file of a second follows the first.
    let paths: Vec<PathBuf> = (0..QUARANTINE_FILES_MAX)
        .map(|n| keep(state.path(), &captured(10 + n as u64 / 2, vec![n as u8])).expect("kept"))
        .collect();
    assert_eq!(list(&folder).expect("listed"), paths);
    assert!(!first.exists() && folder.join("notes.txt").exists());
    assert_eq!(read(&paths[5]).expect("sound").octets, [5]);
}

#[test]
fn the_longest_message_has_a_file() {
    let state = tempfile::tempdir().expect("a folder");
    let long = captured(1, vec![0xff; MESSAGE_MAX]);
    let path = keep(state.path(), &long).expect("kept");
    assert_eq!(read(&path).expect("sound").octets, long.octets);
}

#[test]
fn a_disk_that_takes_no_file_is_an_error() {
    let state = tempfile::tempdir().expect("a folder");
    assert!(keep(&state.path().join("gone"), &captured(1, vec![1])).is_err());
    keep(state.path(), &captured(1, vec![1])).expect("kept");
    fs::write(state.path().join(FOLDER).join(".fault"), "full").expect("written");
    let error = keep(state.path(), &captured(2, vec![2])).expect_err("full");
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(list(&state.path().join(FOLDER)).expect("listed").len(), 1);
}

#[test]
fn other_files_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("1-1.txt");
    assert!(read(&path).expect_err("none").contains("no such file"));
    fs::write(&path, [0xff]).expect("written");
    assert!(read(&path).expect_err("no text").contains("UTF-8"));
    fs::write(&path, vec![b'a'; QUARANTINE_FILE_OCTETS_MAX as usize + 1]).expect("written");
    assert!(read(&path).expect_err("too long").contains("octets"));
}
