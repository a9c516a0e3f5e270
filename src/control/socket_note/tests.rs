//! Tests of the trust in a note, and of other files in its place.

use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};

/// Notes of root, of this user and of the owner of the server file are trusted; notes of others
/// only in a folder that only root can create. A note with write access for others is never
/// trusted.
#[test]
fn notes_of_strangers_are_passed_over() {
    let known = [Some(1_000), Some(1_001)];
    for (owner, mode, is_roots_folder, wanted) in [
        (0, 0o644, false, true),
        (1_000, 0o644, false, true),
        (1_001, 0o600, false, true),
        (1_002, 0o644, false, false),
        (1_002, 0o644, true, true),
        (1_000, 0o664, false, false),
        (1_000, 0o646, false, false),
        (0, 0o666, true, false),
    ] {
        let is_believed = is_of_known_hand((owner, mode), is_roots_folder, known);
        assert_eq!(is_believed, wanted, "{owner} {mode:o} {is_roots_folder}");
    }
    assert!(!is_of_known_hand((1_000, 0o644), false, [None, None]), "nobody is known");
}

/// A folder with a server file, its path, and the place of a note beside it.
fn folder() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let config = absolute(&folder.path().join("meridian.yaml")).expect("the folder is there");
    fs::write(&config, "").expect("ours");
    let place = config.with_file_name(".meridian.yaml.control");
    (folder, config, place)
}

fn text(config: &Path) -> String {
    format!("/run/x.sock\n{}\n", config.display())
}

/// A note must be a regular file. Rejected are links, folders, files that are too long, notes of
/// another server file, relative socket paths, and group-writable files.
#[test]
fn only_a_plain_note_is_read() {
    let (_folder, config, place) = folder();
    let sound = text(&config);
    write(&place, &sound).expect("ours");
    let read_back = read(&place, &config).expect("a note");
    assert_eq!((read_back.socket, read_back.path), (PathBuf::from("/run/x.sock"), place.clone()));
    fs::set_permissions(&place, fs::Permissions::from_mode(0o664)).expect("ours");
    assert_eq!(read(&place, &config), None, "a group may write it");
    for faulty in [
        format!("x.sock\n{}\n", config.display()),
        "/run/x.sock\n/etc/other.yaml\n".to_owned(),
        "/run/x.sock".to_owned(),
        format!("{sound}{}", "x".repeat(NOTE_OCTETS_MAX as usize)),
    ] {
        fs::remove_file(&place).expect("ours");
        write(&place, &faulty).expect("ours");
        assert_eq!(read(&place, &config), None, "{:?}", faulty.get(..80));
    }
    fs::remove_file(&place).expect("ours");
    let elsewhere = place.with_file_name("elsewhere");
    write(&elsewhere, &sound).expect("ours");
    symlink(&elsewhere, &place).expect("ours");
    assert_eq!(read(&place, &config), None, "a link");
}

/// A link in the place of a note, or of its temporary file, is replaced and not followed. Anything
/// that cannot be replaced is an error, and nothing is written through it.
#[test]
fn no_note_is_written_through_a_link() {
    let (_folder, config, place) = folder();
    let fresh = place.with_file_name(format!(".meridian.yaml.control.{}.new", std::process::id()));
    let victim = place.with_file_name("victim");
    fs::write(&victim, "mine").expect("ours");
    symlink(&victim, &place).expect("ours");
    symlink(&victim, &fresh).expect("ours");
    write(&place, &text(&config)).expect("links give way");
    assert!(fs::symlink_metadata(&place).expect("a note").is_file());
    assert!(read(&place, &config).is_some() && fs::symlink_metadata(&fresh).is_err());
    assert_eq!(fs::read_to_string(&victim).expect("ours"), "mine");
    fs::create_dir(&fresh).expect("ours");
    assert!(write(&place, "other").is_err());
    assert!(read(&place, &config).is_some(), "the note before stays");
}
