//! Reading from the disk: refusals, their messages, and changes.

use super::*;
use std::io::Write;

/// Unreadable paths are refused with a message; no read waits on a pipe.
#[test]
fn refusals() {
    let folder = tempfile::tempdir().expect("a folder");
    let watch = Watch::default();
    let disk = Disk::new(&watch, false);
    for (path, words) in [
        (folder.path().to_owned(), "a folder"),
        (folder.path().join("none"), "no such file"),
        (PathBuf::from("/dev/zero"), "regular"),
    ] {
        let error = disk.read(&path).expect_err("not a file");
        assert!(error.contains(words), "{}: {error}", path.display());
    }
    let long = folder.path().join("long.yaml");
    File::create(&long).and_then(|file| file.set_len(CONFIG_OCTETS_MAX as u64 + 1)).expect("a sparse file");
    assert!(disk.read(&long).expect_err("too large").contains("limit"));
}

/// A file that is rewritten, replaced or removed after it was read is reported.
#[test]
fn changes_are_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let watch = Watch::default();
    let disk = Disk::new(&watch, false);
    for name in ["kept", "grown", "replaced", "removed"] {
        fs::write(path(name), name).expect("a file");
        assert_eq!(&*disk.read(&path(name)).expect("readable"), name.as_bytes());
    }
    assert!(disk.changed().is_empty());
    fs::OpenOptions::new()
        .append(true)
        .open(path("grown"))
        .and_then(|mut f| f.write_all(b"!"))
        .expect("appended");
    fs::write(path("new"), "replaced")
        .and_then(|()| fs::rename(path("new"), path("replaced")))
        .expect("replaced");
    fs::remove_file(path("removed")).expect("removed");
    assert_eq!(disk.changed(), [path("grown"), path("replaced"), path("removed")]);
}

/// An included file is read through links that stay inside its folder, and through a linked folder,
/// but not through links that leave the folder.
#[cfg(unix)]
#[test]
fn links_stay_inside() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().expect("a folder");
    let zones = folder.path().join("zones");
    fs::create_dir_all(zones.join("..data"))
        .and_then(|()| fs::write(zones.join("..data/part"), "in"))
        .expect("a file");
    fs::write(folder.path().join("secret"), "out").expect("a file");
    let link = |to: &str, at: &str| symlink(to, zones.join(at)).expect("a link");
    link("..data/part", "part");
    link("../secret", "leak");
    link("..", "up");
    symlink("zones", folder.path().join("other")).expect("a link");
    let watch = Watch::default();
    let disk = Disk::new(&watch, false);
    for name in ["zones", "other"] {
        let zones = folder.path().join(name);
        let read = |name: &str| disk.read_inside(&zones, Path::new(name)).map(|octets| octets.to_vec());
        assert_eq!(read("part"), Ok(b"in".to_vec()));
        for outside in ["leak", "up/secret"] {
            assert!(read(outside).expect_err("outside").contains("outside the folder"), "{outside}");
        }
        assert!(read("none").expect_err("missing").contains("no such file"));
    }
}

/// Folders are listed sorted: files only, with links followed. A folder in the place of a zone file
/// is listed too, so that it becomes a fault of that zone.
#[test]
fn lists() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    fs::write(path("b"), "")
        .and_then(|()| fs::write(path("a"), ""))
        .and_then(|()| fs::create_dir(path("c")))
        .and_then(|()| fs::create_dir(path("e.example.zone")))
        .expect("files");
    #[cfg(unix)]
    std::os::unix::fs::symlink(path("a"), path("d")).expect("a link");
    let names: &[&str] =
        if cfg!(unix) { &["a", "b", "d", "e.example.zone"] } else { &["a", "b", "e.example.zone"] };
    let expected: Vec<PathBuf> = names.iter().map(|name| path(name)).collect();
    assert_eq!(Disk::new(&Watch::default(), false).list(folder.path()), Ok(expected));
    assert!(Disk::new(&Watch::default(), false).list(&path("none")).is_err());
}
