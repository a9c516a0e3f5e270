//! Objects in place of a file, and their replacement.
#![cfg(unix)]

use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// New files are readable by all, others keep their mode; no temporary file is left.
#[test]
fn files_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    named(&path, b"one", None).unwrap();
    assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"one".to_vec(), 0o644));
    fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    named(&path, b"two", None).unwrap();
    assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"two".to_vec(), 0o640));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// A file keeps its owner and its group if the process may give files away.
#[test]
fn owners_are_kept() {
    use std::os::unix::fs::{MetadataExt, chown};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, "one").unwrap();
    if let Err(error) = chown(&path, Some(4_242), Some(4_243)) {
        return eprintln!("skipped: this user may not give files away: {error}");
    }
    fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    named(&path, b"two", None).unwrap();
    let owner = fs::metadata(&path).unwrap();
    assert_eq!((owner.uid(), owner.gid(), mode(&path)), (4_242, 4_243, 0o640));
    assert_eq!(fs::read(&path).unwrap(), b"two");
}

/// Links, devices, folders, pipes and the source are refused, and stay unchanged.
#[test]
fn nothing_else_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("victim"), "kept").unwrap();
    symlink(at("victim"), at("link")).unwrap();
    symlink(at("nothing"), at("dangling")).unwrap();
    fs::create_dir(at("folder")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(at("pipe")).status();
    for name in
        ["link", "dangling", "folder"].into_iter().chain(pipe.is_ok_and(|s| s.success()).then_some("pipe"))
    {
        assert!(named(&at(name), b"new", None).is_err(), "{name}");
    }
    assert!(named(Path::new("/dev/null"), b"new", None).is_err());
    fs::hard_link(at("victim"), at("other name")).unwrap();
    assert!(named(&at("other name"), b"new", Some(&at("victim"))).is_err());
    assert!(!at("nothing").exists());
    assert_eq!(fs::read(at("victim")).unwrap(), b"kept");
    assert!(named(&at("no folder/a"), b"new", None).is_err());
}

/// `whole` replaces a link, and leaves its target unchanged.
#[test]
fn a_link_gives_way() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("victim"), "kept").unwrap();
    symlink(at("victim"), at("state")).unwrap();
    symlink(at("victim"), at("state.new")).unwrap();
    whole(&at("state"), ".new", b"new", 0o600).unwrap();
    assert_eq!(
        (fs::read(at("victim")).unwrap(), fs::read(at("state")).unwrap()),
        (b"kept".to_vec(), b"new".to_vec())
    );
    assert_eq!(mode(&at("state")), 0o600);
    assert!(fs::symlink_metadata(at("state")).unwrap().is_file());
}
