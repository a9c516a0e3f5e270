//! State folder that is removed, replaced, claimed by another server, read-only, or without its
//! ledger.

use super::*;
use crate::steer::ledger::Ledger;

/// Claimed folder with a saved ledger.
fn folder(state: &Path) -> (StateFolder, ledger_store::LedgerStore) {
    let claim = Claim::new(state).expect("nobody has it");
    let mut store = ledger_store::LedgerStore::open(state).store;
    store.save(&Ledger::default()).expect("the disk takes it");
    (StateFolder::new(state, Arc::new(Mutex::new(claim)), store.good()), store)
}

#[test]
fn what_is_gone_is_made_anew_and_ours() {
    let parent = tempfile::tempdir().expect("a folder");
    let state = parent.path().join("state");
    let (mut ours, mut store) = folder(&state);
    assert_eq!(ours.look(1), StateLook::default());
    // The folder removed, moved away, without its lock, and without its ledger.
    let moved = parent.path().join("moved");
    let remove: [(&str, &dyn Fn()); 4] = [
        ("was gone", &|| std::fs::remove_dir_all(&state).expect("ours")),
        ("was gone", &|| std::fs::rename(&state, &moved).expect("ours")),
        ("was gone", &|| std::fs::remove_file(state.join("lock")).expect("ours")),
        ("the ledger of overrides was gone", &|| {
            std::fs::remove_file(state.join("overrides.yaml")).expect("ours");
        }),
    ];
    for (words, remove) in remove {
        remove();
        let look = ours.look(2);
        assert!(look.made_anew.as_ref().is_some_and(|told| told.contains(words)), "{look:?}");
        assert_eq!(look.fault, None);
        assert!(Claim::is_taken(&state), "a second server is kept out");
        store.save(&Ledger::default()).expect("the disk takes it");
        assert_eq!(ours.look(3), StateLook::default());
    }
}

#[test]
fn another_server_keeps_what_it_took() {
    let parent = tempfile::tempdir().expect("a folder");
    let state = parent.path().join("state");
    let (mut ours, _) = folder(&state);
    std::fs::remove_dir_all(&state).expect("ours");
    let theirs = Claim::new(&state).expect("nobody has the new folder");
    for _ in 0..2 {
        assert!(ours.look(1).fault.is_some_and(|told| told.contains("another server has taken")));
    }
    assert!(!state.join("alive").exists(), "nothing is written there");
    drop(theirs);
    assert!(ours.look(2).made_anew.is_some());
}

/// A ledger changed from outside is reported at the second check, since a save may be under way at
/// the first.
#[test]
fn another_hand_is_told() {
    let parent = tempfile::tempdir().expect("a folder");
    let state = parent.path().join("state");
    let (mut ours, _store) = folder(&state);
    std::fs::write(state.join("overrides.yaml"), "# other\n").expect("ours");
    assert_eq!(ours.look(1), StateLook::default());
    assert!(ours.look(2).fault.is_some_and(|told| told.contains("outside this server")));
}

/// A path where no folder can be created.
#[test]
fn what_cannot_be_written_is_told() {
    let parent = tempfile::tempdir().expect("a folder");
    let state = parent.path().join("state");
    let (mut ours, _) = folder(&state);
    std::fs::remove_dir_all(&state).expect("ours");
    std::fs::write(&state, "a file").expect("ours");
    assert!(ours.look(1).fault.is_some_and(|told| told.contains("cannot be claimed")));
    std::fs::remove_file(&state).expect("ours");
    assert!(ours.look(2).made_anew.is_some());
    std::fs::create_dir(state.join("alive"))
        .or_else(|_| {
            std::fs::remove_file(state.join("alive")).and_then(|()| std::fs::create_dir(state.join("alive")))
        })
        .expect("ours");
    assert!(ours.look(3).fault.is_some_and(|told| told.contains("cannot be written")));
}
