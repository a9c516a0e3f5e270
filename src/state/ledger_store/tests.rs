//! Tests of `ledger_store`.

use super::*;
use crate::steer::ledger::{Action, Override, Selector};
use crate::steer::pop::AdminState;
use crate::steer::transition::Transition;

fn add(ledger: &mut Ledger, pop: &str) {
    let entry = Override {
        id: 0,
        selector: Selector::parse(pop).unwrap(),
        action: Action::State(AdminState::Down),
        author: "ann".into(),
        reason: "why".into(),
        set_epoch_secs: 1,
        until_epoch_secs: None,
        transition: Transition::default(),
    };
    ledger.add(entry).unwrap();
}

/// A file changed from outside is not overwritten. Once it is restored, or removed, it is written
/// again.
#[test]
fn another_hand_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    let Opened { mut store, mut ledger, .. } = LedgerStore::open(folder.path());
    add(&mut ledger, "one");
    store.save(&ledger).unwrap();
    let ours = std::fs::read(&file).unwrap();
    std::fs::write(&file, "overrides: []\n").unwrap();
    add(&mut ledger, "two");
    assert!(store.save(&ledger).unwrap_err().to_string().contains("outside this server"));
    assert_eq!(std::fs::read(&file).unwrap(), b"overrides: []\n");
    std::fs::write(&file, ours).unwrap();
    store.save(&ledger).unwrap();
    std::fs::remove_file(&file).unwrap();
    store.save(&ledger).unwrap();
    assert_eq!(LedgerStore::open(folder.path()).ledger, ledger);
}

/// A cut at any octet brings the copy before and an alarm. The alarm lasts over restarts and
/// changes until it is acknowledged, and a damaged file does not replace the copy.
#[test]
fn a_damaged_ledger_is_never_silent() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let file = state.join(FILE);
    let Opened { mut store, mut ledger, alarms } = LedgerStore::open(&state);
    assert!(alarms.is_empty() && ledger.entries().is_empty());
    add(&mut ledger, "one");
    store.save(&ledger).unwrap();
    let first = ledger.clone();
    add(&mut ledger, "two");
    store.save(&ledger).unwrap();
    assert_eq!(LedgerStore::open(&state).ledger, ledger);
    let whole = std::fs::read(&file).unwrap();
    for cut in [0, 1, 10, whole.len() / 2] {
        std::fs::write(&file, &whole[..cut]).unwrap();
        let opened = LedgerStore::open(&state);
        assert_eq!((&opened.ledger, opened.alarms.len()), (&first, 1), "{cut}");
    }
    let mut opened = LedgerStore::open(&state);
    add(&mut opened.ledger, "three");
    opened.store.save(&opened.ledger).unwrap();
    let mut again = LedgerStore::open(&state);
    assert_eq!((&again.ledger, again.alarms.len()), (&opened.ledger, 1));
    assert_eq!(load(&again.store.copy()).unwrap().unwrap().1, first);
    again.store.acknowledge(&again.ledger).unwrap();
    assert!(LedgerStore::open(&state).alarms.is_empty());
    std::fs::write(&file, "x").unwrap();
    std::fs::write(atomic::beside(&file, ".1"), "x").unwrap();
    let mut opened = LedgerStore::open(&state);
    assert_eq!((opened.ledger.entries().len(), opened.alarms.len()), (0, 1));
    opened.store.acknowledge(&opened.ledger).unwrap();
    assert!(LedgerStore::open(&state).alarms.is_empty());
}

/// A missing ledger with a copy counts as damaged: the copy is in force under an alarm, over
/// restarts, until an operator acknowledges it.
#[test]
fn a_missing_ledger_with_a_copy_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let Opened { mut store, mut ledger, alarms } = LedgerStore::open(folder.path());
    assert!(alarms.is_empty(), "a new folder is sound");
    add(&mut ledger, "one");
    store.save(&ledger).unwrap();
    let first = ledger.clone();
    add(&mut ledger, "two");
    store.save(&ledger).unwrap();
    std::fs::remove_file(folder.path().join(FILE)).unwrap();
    for _ in 0..2 {
        let opened = LedgerStore::open(folder.path());
        assert_eq!(opened.ledger, first);
        assert!(opened.alarms.len() == 1 && opened.alarms[0].contains("missing"), "{:?}", opened.alarms);
    }
    // A command repairs the file, and does not end the alarm.
    let Opened { mut store, ledger, .. } = LedgerStore::open(folder.path());
    store.save(&ledger).unwrap();
    let Opened { mut store, ledger, alarms } = LedgerStore::open(folder.path());
    assert_eq!((&ledger, alarms.len()), (&first, 1));
    store.acknowledge(&ledger).unwrap();
    let Opened { ledger, alarms, .. } = LedgerStore::open(folder.path());
    assert_eq!((ledger, alarms.len()), (first, 0));
}

/// A pipe in the place of a state file is an error or is replaced; no call waits for it.
#[test]
fn pipes_keep_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = |name: &str| {
        let status = std::process::Command::new("mkfifo").arg(folder.path().join(name)).status().unwrap();
        assert!(status.success());
    };
    pipe("overrides.yaml.new");
    let Opened { mut store, mut ledger, .. } = LedgerStore::open(folder.path());
    add(&mut ledger, "one");
    store.save(&ledger).unwrap();
    std::fs::remove_file(folder.path().join(FILE)).unwrap();
    pipe(FILE);
    let opened = LedgerStore::open(folder.path());
    assert!(opened.alarms.len() == 1 && opened.alarms[0].contains("regular file"), "{:?}", opened.alarms);
}
