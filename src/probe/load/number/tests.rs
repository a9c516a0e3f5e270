//! Tests of `number`.

use super::*;

/// Number or error for each body or file.
#[test]
fn texts() {
    let long = format!("1{}", "0".repeat(64));
    let rows: [(&str, Result<f64, &str>); 26] = [
        ("\u{feff}417\r\n", Ok(417.0)),
        ("\u{feff}", Err("is empty")),
        ("1e3", Ok(1_000.0)),
        (&long, Err("has a number of more than 64 octets")),
        ("417", Ok(417.0)),
        ("417.5\n", Ok(417.5)),
        (" \t\r\n417 \r\n", Ok(417.0)),
        ("4.17e2", Ok(417.0)),
        ("+3", Ok(3.0)),
        (".5", Ok(0.5)),
        ("0", Ok(0.0)),
        ("-0.0", Ok(0.0)),
        ("-1", Err("is negative")),
        ("1e999", Err("is infinite or too large (over 1.7e308)")),
        ("NaN", Err("says \"NaN\", which is no number")),
        ("inf", Err("says \"inf\", which is no number")),
        ("Infinity", Err("says \"Infinity\", which is no number")),
        ("4,17", Err("says \"4,17\", which is no number")),
        ("80%", Err("says \"80%\", which is no number")),
        ("0x10", Err("says \"0x10\", which is no number")),
        ("1_000", Err("says \"1_000\", which is no number")),
        ("--1", Err("says \"--1\", which is no number")),
        ("<html>7", Err("says \"<html>7\", which is no number")),
        ("\u{1b}[2J1", Err("says \"\\x1b[2J1\", which is no number")),
        ("", Err("is empty")),
        (" \n", Err("is empty")),
    ];
    for (text, wanted) in rows {
        assert_eq!(plain(text.as_bytes()), wanted.map_err(|why| format!("the body {why}")), "{text:?}");
        assert_eq!(first_word(text.as_bytes()), wanted.map_err(|why| format!("the file {why}")), "{text:?}");
    }
    assert_eq!(plain(b"417 requests"), Err("the body says \"417 requests\", which is no number".into()));
    assert_eq!(first_word(b"417 requests\n"), Ok(417.0));
    assert!(plain(&[0xff, b'1']).unwrap_err().contains("\\xff1"));
}

#[test]
fn numbers_in_json() {
    let body = r#"{"load":{"now":[417,4.5,"17",-1,null,true,"x",[],{}]},"a/b":{"~":8},"":9,"big":1e308}"#;
    for (pointer, wanted) in [
        ("/load/now/0", Ok(417.0)),
        ("/load/now/1", Ok(4.5)),
        ("/load/now/2", Ok(17.0)),
        ("/a~1b/~0", Ok(8.0)),
        ("/", Ok(9.0)),
        ("/big", Ok(1e308)),
        ("/load/now/3", Err("the number at \"/load/now/3\" is negative")),
        ("/load/now/4", Err("the value at \"/load/now/4\" is null")),
        ("/load/now/5", Err("the value at \"/load/now/5\" is true or false, no number")),
        ("/load/now/6", Err("the text at \"/load/now/6\" says \"x\", which is no number")),
        ("/load/now/7", Err("the value at \"/load/now/7\" is a list, no number")),
        ("/load/now/8", Err("the value at \"/load/now/8\" is a map, no number")),
        ("/load/now/9", Err("there is nothing at \"/load/now/9\" in the JSON")),
        ("/load/now/01", Err("there is nothing at \"/load/now/01\" in the JSON")),
        ("/load/then", Err("there is nothing at \"/load/then\" in the JSON")),
    ] {
        assert_eq!(in_json(body.as_bytes(), pointer), wanted.map_err(str::to_owned), "{pointer}");
    }
    assert_eq!(in_json(b"17", ""), Ok(17.0));
    for body in ["", "{", "{\"a\":1}x", "{\"a\":NaN}"] {
        assert!(in_json(body.as_bytes(), "/a").unwrap_err().starts_with("the body is no JSON"), "{body}");
    }
    let huge = format!("{{\"a\":{}}}", "9".repeat(309));
    assert_eq!(
        in_json(huge.as_bytes(), "/a"),
        Err("a number in the JSON is too large at line 1 column 314".into())
    );
    assert_eq!(in_json("\u{feff}{\"a\":1}\r\n".as_bytes(), "/a"), Ok(1.0));
    assert_eq!(
        in_json(b"\xff\xfe{\0", "/a"),
        Err("the body is UTF-16 text; write it as ASCII or UTF-8".into())
    );
    // Deep nesting ends the parser, not the program.
    assert!(in_json("[".repeat(60_000).as_bytes(), "/0").unwrap_err().contains("no JSON"));
}
