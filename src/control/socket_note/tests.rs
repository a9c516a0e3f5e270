//! Whose notes are believed, and what stands in the place of one.

use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};

/// Root, this user and the owner of the server file are believed, others only where root alone
/// makes the folder; and no note that another could have written.
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

/// A note is read from a file of its own alone: no link, no folder, nothing too long, nothing that
/// names another server file or a relative socket, and nothing that a group may write.
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

/// Links in the place of a note, or of the file that becomes it, give way and are not followed;
/// what does not give way is an error, and nothing is written through it.
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
