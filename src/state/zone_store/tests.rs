//! Tests of `zone_store`.

use super::*;
use crate::zone::source::StrayFile;

fn zone(apex: &str, standing: Standing, files: &[(FileUse, &str, &[u8])]) -> ZoneSource {
    let files = files.iter().map(|(file_use, path, octets)| ZoneFile {
        file_use: *file_use,
        path: (*path).into(),
        octets: (*octets).into(),
    });
    ZoneSource {
        apex: Name::parse(apex, None).unwrap(),
        texts: Arc::new(ZoneTexts { files: files.collect(), ..ZoneTexts::default() }),
        standing,
    }
}

/// Folder state of these zones, without a stray file.
fn folder_of(zones: &[ZoneSource]) -> FolderStanding {
    let mut zones = zones.to_vec();
    zones.sort_by(|a, b| a.apex.cmp(&b.apex));
    FolderStanding { zones, strays: Vec::new() }
}

/// All kept texts are read back, and only those.
#[test]
fn what_is_kept_comes_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = zone(
        "a.example.",
        Standing::Kept("zones/a.yaml:3:1: what\nis wrong".into()),
        &[
            (FileUse::Yaml, "zones/a.yaml", b"zone: a.example.\n"),
            (FileUse::Text, "zones/a.example.zone", b"$INCLUDE x\n\0\xff"),
            (FileUse::Included, "x", b""),
        ],
    );
    let vanished =
        zone("\\000/b.example.", Standing::Vanished("because".into()), &[(FileUse::Yaml, "b", b"")]);
    let current = zone("c.example.", Standing::Current, &[(FileUse::Yaml, "zones/c.yaml", b"x")]);
    let dead = zone("d.example.", Standing::Dead("why".into()), &[]);
    keep(folder.path(), &folder_of(&[kept.clone(), vanished.clone(), current.clone(), dead])).unwrap();
    let back = load(folder.path());
    assert!(back.faults.is_empty() && !back.is_served, "{back:?}");
    assert_eq!(back.zones.len(), 2);
    for (read, wrote) in [(back.of(&kept.apex), &kept), (back.of(&vanished.apex), &vanished)] {
        let read = read.unwrap();
        assert_eq!((&read.texts, read.standing.word()), (&wrote.texts, wrote.standing.word()));
    }
    assert_eq!(back.of(&kept.apex).unwrap().standing.why(), "zones/a.yaml:3:1: what is wrong");

    // Other users cannot read them.
    #[cfg(unix)]
    for path in names(&folder.path().join(FOLDER)).unwrap() {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{path:?}");
    }

    // A zone that another file defines too keeps the text of the file from which it is read.
    let stray = StrayFile { path: "zones/c2.yaml".into(), zone: Some(current.apex.clone()), why: "x".into() };
    let told_twice = FolderStanding { strays: vec![stray], ..folder_of(std::slice::from_ref(&current)) };
    keep(folder.path(), &told_twice).unwrap();
    assert_eq!(load(folder.path()).zones, [current]);

    // A zone that is good again, or gone, leaves no file; nor does a partial write.
    let foreign = folder.path().join(FOLDER).join("notes");
    fs::write(&foreign, "mine").unwrap();
    fs::write(folder.path().join(FOLDER).join("x.texts.new"), "half").unwrap();
    keep(folder.path(), &folder_of(&[])).unwrap();
    assert!(load(folder.path()).zones.is_empty());
    let left: Vec<_> = fs::read_dir(folder.path().join(FOLDER)).unwrap().flatten().collect();
    assert_eq!((left.len(), left[0].path()), (1, foreign));
}

/// A damaged file is reported, and its zone has no last good texts.
#[test]
fn damage_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept =
        zone("a.example.", Standing::Kept("why".into()), &[(FileUse::Yaml, "a", b"zone: a.example.\n")]);
    keep(folder.path(), &folder_of(std::slice::from_ref(&kept))).unwrap();
    let path = names(&folder.path().join(FOLDER)).unwrap().pop_first().unwrap();
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&path, &damaged).unwrap();
        let back = load(folder.path());
        assert!(back.zones.is_empty() && back.faults.len() == 1, "octet {at}: {back:?}");
        fs::write(&path, &whole[..at]).unwrap();
        assert!(load(folder.path()).zones.is_empty(), "cut at {at}");
    }
    // The next write repairs it.
    keep(folder.path(), &folder_of(std::slice::from_ref(&kept))).unwrap();
    assert_eq!(load(folder.path()).zones, [kept]);
}

/// A folder that cannot be written gives an error, and nothing else.
#[test]
fn what_cannot_be_written_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(FOLDER), "a file in its place").unwrap();
    let kept = zone("a.example.", Standing::Kept("why".into()), &[(FileUse::Yaml, "a", b"x")]);
    assert!(keep(folder.path(), &folder_of(&[kept])).is_err());
    assert_eq!(load(folder.path()).faults.len(), 1);
}

/// If there is no room for all, a zone with sound files gives way to one that has only its kept
/// texts.
#[test]
fn what_stands_nowhere_else_is_kept_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let text: &[(FileUse, &str, &[u8])] = &[(FileUse::Yaml, "zones/prod.yaml", b"x")];
    let mut zones = vec![zone("z.example.", Standing::Kept("why".into()), text)];
    zones.extend((0..KEPT_ZONES_MAX).map(|i| zone(&format!("a{i}.example."), Standing::Current, text)));
    let stray = |zone: &ZoneSource| StrayFile {
        path: "zones/copy.yaml".into(),
        why: "it is a copy".into(),
        zone: Some(zone.apex.clone()),
    };
    let strays = zones[1..].iter().map(stray).collect();
    let told = keep(folder.path(), &FolderStanding { strays, ..folder_of(&zones) }).unwrap_err();
    assert_eq!(told.matches("is one too many").count(), 1, "{told}");
    let back = load(folder.path());
    assert_eq!(back.of(&zones[0].apex).map(|zone| zone.standing.word()), Some("kept"));
}
