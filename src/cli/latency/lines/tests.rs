//! Lengths, and the estimate of all lines.

use super::*;
use std::io::Write as _;

/// Octets are counted as the file has them, and lines are estimated from them.
#[test]
fn files_have_lengths() {
    let folder = tempfile::tempdir().expect("a folder");
    let paths = ["one", "two"].map(|name| folder.path().join(name));
    for path in &paths {
        let mut file = File::create(path).expect("the folder is ours");
        file.write_all(b"1 first\n# comment\n2 second\n").expect("the disk has room");
    }
    assert_eq!(length(&paths), Some(54));
    assert_eq!(length(&[paths[0].clone(), PathBuf::from("-")]), None);
    let read = Rc::default();
    let mut text = String::new();
    open_counted(&paths[0], &read).expect("readable").read_to_string(&mut text).expect("text");
    assert_eq!((read.get(), text.lines().count()), (27, 3));
    assert_eq!(each(&paths, "lines", |_| Ok(())), Ok(6));
    assert_eq!(
        (estimate(3, 27, 54), estimate(3, 54, 54), estimate(9, 60, 54), estimate(1, 0, 54)),
        (6, 3, 9, 54)
    );
}
