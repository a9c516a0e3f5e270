//! Tests of `init`.

use super::*;

/// A call writes the files of the list, and a second call changes none of them.
#[test]
fn a_file_that_exists_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path().join("a/cdn");
    assert_eq!(write(&top), Ok(()));
    for (path, _, text) in TEMPLATES {
        assert_eq!(fs::read_to_string(top.join(path)).unwrap(), text, "{path}");
    }
    fs::write(top.join("pops.yaml"), "mine").unwrap();
    assert!(write(&top).is_err());
    assert_eq!(fs::read_to_string(top.join("pops.yaml")).unwrap(), "mine");
}

/// A file that stands in the way of a later one, or a link that leads nowhere, leaves no file
/// behind.
#[test]
fn all_files_are_written_or_none() {
    for (path, _, _) in TEMPLATES {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join(path);
        fs::create_dir_all(taken.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink("nowhere", &taken).unwrap();
        assert!(write(folder.path()).unwrap_err().starts_with(&taken.display().to_string()));
        for (other, _, _) in TEMPLATES {
            assert!(!folder.path().join(other).exists(), "{other} beside {path}");
        }
    }
}

/// The printed command reaches the folder, whatever it is called.
#[test]
fn paths_are_words_of_a_shell() {
    let rows =
        [("cdn", "cdn"), ("/srv/my cdn", "'/srv/my cdn'"), ("it's", r"'it'\''s'"), ("$HOME", "'$HOME'")];
    for (path, word) in rows {
        assert_eq!(shell_word(path), word);
    }
}

/// The Debian package installs the same PoPs, policies and geofeed as `init` writes. Comments, the
/// server file and the zone may differ.
#[test]
fn the_package_begins_with_the_same_places() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/debian/etc");
    let lines = |text: &str| {
        let words = |line: &str| line.split(" #").next().unwrap_or_default().trim_end().to_owned();
        text.lines().filter(|line| !line.starts_with('#')).map(words).collect::<Vec<_>>().join("\n")
    };
    for (path, installed) in [
        ("pops.yaml", "pops.yaml"),
        ("policies.yaml", "policies.yaml"),
        ("geoip/example.csv", "geoip/example.csv"),
    ] {
        let (.., text) = TEMPLATES.iter().find(|(name, ..)| *name == path).unwrap();
        let installed = fs::read_to_string(top.join(installed)).unwrap();
        assert_eq!(lines(text).trim(), lines(&installed).trim(), "{path}");
    }
}
