//! Tests of `file`.

use super::*;

#[test]
fn what_a_file_says() {
    let rows: [(&str, u64, Result<(), &str>); 15] = [
        ("\u{feff}UP 30\r\n", 30, Ok(())),
        ("\u{feff}DOWN\r\n", 0, Err("the file says DOWN")),
        ("UP", 1_000_000, Ok(())),
        ("up\n", 0, Ok(())),
        ("  Up 30\n", 30, Ok(())),
        ("UP 30", 31, Err("the file says UP 30 and is 31 s old")),
        ("UP\n0", 0, Ok(())),
        ("UP 30s", 0, Err("the file says UP \"30s\", which is no number of seconds")),
        ("UP -1", 0, Err("the file says UP \"-1\", which is no number of seconds")),
        ("DOWN", 0, Err("the file says DOWN")),
        ("down 30 maintenance", 99, Err("the file says DOWN")),
        ("", 0, Err("the file is empty")),
        (" \n", 0, Err("the file is empty")),
        ("UPWARDS", 0, Err("the file begins with \"UPWARDS\", neither UP nor DOWN")),
        ("\u{1b}[2J", 0, Err("the file begins with \"\\x1b[2J\", neither UP nor DOWN")),
    ];
    for (text, age, wanted) in rows {
        assert_eq!(judge(text.as_bytes(), age), wanted.map_err(str::to_owned), "{text:?} after {age} s");
    }
    // PowerShell's `echo UP > file` writes UTF-16.
    let wanted = Err("the file is UTF-16 text; write it as ASCII or UTF-8".to_owned());
    assert_eq!(judge(b"\xff\xfeU\0P\0", 0), wanted);
}
