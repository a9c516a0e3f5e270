//! Tests of `lock`.

use super::{Claim, Taken};

/// One claim at a time; free again once it is dropped; none for a folder that cannot be created.
#[test]
fn a_folder_has_one_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state");
    assert!(!Claim::is_taken(&state) && !state.exists(), "who only asks leaves nothing behind");
    let first = Claim::new(&state).expect("free");
    assert!(Claim::is_taken(&state));
    assert_eq!(Claim::new(&state).err(), Some(Taken));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode =
            |path: &std::path::Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        // The umask of this process may remove more.
        assert_eq!((mode(&state) & !0o750, mode(&state.join("lock")) & !0o600), (0, 0));
    }
    drop(first);
    assert!(Claim::new(&state).is_ok_and(|claim| claim.file.is_some()));
    std::fs::write(folder.path().join("file"), "").expect("room");
    assert!(Claim::new(&folder.path().join("file/state")).is_ok_and(|claim| claim.file.is_none()));
}
