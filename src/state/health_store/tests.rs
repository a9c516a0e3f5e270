//! Tests of `health_store`.

use super::{load, save};

const MOST: u64 = 1_000;

/// The last save is loaded. Damage falls back to the copy before it; if both are damaged, to
/// nothing.
#[test]
fn damage_falls_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("health");
    assert_eq!(load(&path, MOST), (None, Vec::new()));
    save(&path, b"first\n", MOST).expect("room");
    save(&path, b"second\nand more", MOST).expect("room");
    assert_eq!(load(&path, MOST), (Some(b"second\nand more".to_vec()), Vec::new()));
    let whole = std::fs::read(&path).expect("there");
    for cut in 0..whole.len() {
        std::fs::write(&path, &whole[..cut]).expect("room");
        let (octets, faults) = load(&path, MOST);
        assert_eq!((octets.as_deref(), faults.len()), (Some(&b"first\n"[..]), 1), "{cut}");
    }
    // A damaged file does not replace the copy.
    save(&path, b"third", MOST).expect("room");
    std::fs::write(&path, "x").expect("room");
    assert_eq!(load(&path, MOST).0.as_deref(), Some(&b"first\n"[..]));
    std::fs::write(folder.path().join("health.1"), "x").expect("room");
    assert_eq!(load(&path, MOST).0, None);
    assert_eq!(load(&path, MOST).1.len(), 2);
    assert!(save(&path, &[b'x'; 1_000], MOST).is_err(), "what could not be loaded is not saved");
}
