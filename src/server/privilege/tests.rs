//! Folders and warnings of the sandbox.

use super::*;
use std::fs;

/// Files are written in the folders of the server file and one above, whatever links lead there,
/// and never in the root folder, which would open the whole disk.
#[test]
fn folders_of_the_sandbox() {
    let top = tempfile::tempdir().expect("the disk has room");
    let top = top.path().canonicalize().expect("it is there");
    for folder in ["lib/state", "run/control", "deploy"] {
        fs::create_dir_all(top.join(folder)).expect("the folder is ours");
    }
    std::os::unix::fs::symlink("/", top.join("link")).expect("the folder is ours");
    let (state, control) = (top.join("lib/state"), top.join("run/control/control.sock"));
    let found = resolved(with_parents(&state, [&*control].into_iter()));
    assert_eq!(found, ["lib", "lib/state", "run", "run/control"].map(|folder| top.join(folder)));
    for opens_all in ["link", "/", "/proc/..", "/nonexistent"] {
        assert_eq!(resolved(vec![opens_all.into(), top.join(opens_all)]), [""; 0].map(PathBuf::from));
    }
    let beside = top.join("deploy/../lib/state");
    assert_eq!(resolved(vec![beside]), [state]);
    assert!(is_root_folder(&top.join("link")) && !is_root_folder(&top));
    assert_eq!(resolved(vec![PathBuf::new()]).len(), 1, "a file without a folder is in the present one");
}

/// Each lack is a warning that names it, and a complete sandbox is none.
#[test]
fn lacks_are_warnings() {
    let fault = || vec!["Landlock: out of memory".to_owned()];
    for (landlock, filter, faults, lacks) in [
        (Landlock::Full, true, vec![], None),
        (Landlock::Part, true, vec![], None),
        (Landlock::None, true, vec![], Some("lacks Landlock,")),
        (Landlock::Part, false, vec![], Some("lacks filters of system calls,")),
        (Landlock::None, false, vec![], Some("lacks Landlock and filters of system calls,")),
        (Landlock::None, true, fault(), Some("Landlock: out of memory")),
    ] {
        let found = lacking(&InForce { landlock, filter, faults });
        let told = found.as_ref().map(|finding| (finding.code.id, &*finding.message));
        match (told, lacks) {
            (None, None) => {}
            (Some(("MRD0524", message)), Some(words)) => assert!(message.contains(words), "{message}"),
            other => panic!("{other:?}"),
        }
    }
}
