//! Only files below a folder are opened, by openat2 and by the walk.

use super::*;
use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;

fn read(opened: io::Result<File>) -> Result<String, io::ErrorKind> {
    let mut text = String::new();
    opened.and_then(|mut file| file.read_to_string(&mut text)).map_err(|error| error.kind())?;
    Ok(text)
}

#[test]
fn only_what_lies_below_is_opened() {
    let outer = tempfile::tempdir().expect("a folder");
    let folder = outer.path().join("zones");
    fs::create_dir_all(folder.join("parts/deep")).expect("a folder");
    for (path, text) in [("zones/part", "in"), ("zones/parts/deep/part", "deep"), ("secret", "out")] {
        fs::write(outer.path().join(path), text).expect("a file");
    }
    for (link, target) in [("inside", "parts/deep/part"), ("up", "../secret"), ("away", "parts/../../secret")]
    {
        symlink(target, folder.join(link)).expect("a link");
    }
    symlink(outer.path().join("secret"), folder.join("absolute")).expect("a link");
    symlink("..", folder.join("parent")).expect("a link");
    let plain = [("part", "in"), ("parts/deep/part", "deep"), ("./parts/deep/part", "deep")];
    let outside = ["up", "away", "absolute", "parent/secret", "../secret", "parts/../../secret"];
    let ours = |path: &str| read(by_component(File::open(&folder).expect("the folder"), Path::new(path)));
    let either = |path: &str| read(open_beneath(&folder, Path::new(path)));
    for (path, text) in plain {
        assert_eq!(either(path).as_deref(), Ok(text), "{path}");
        assert_eq!(ours(path).as_deref(), Ok(text), "{path}");
    }
    for path in outside {
        assert!(either(path).is_err(), "{path}");
        assert!(ours(path).is_err(), "{path}");
    }
    // Only openat2 follows links.
    assert!(ours("inside").is_err());
    #[cfg(target_os = "linux")]
    if read(by_kernel(&File::open(&folder).expect("the folder"), Path::new("part"))).is_ok() {
        assert_eq!(either("inside").as_deref(), Ok("deep"));
        assert_eq!(either("up"), Err(io::ErrorKind::CrossesDevices));
    }
    assert_eq!(either("none"), Err(io::ErrorKind::NotFound));
    assert!(either("nul\0").is_err());
}
