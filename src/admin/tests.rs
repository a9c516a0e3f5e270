//! Tokens of a file, and their holders.

use super::*;

const ONE: &str = "0123456789abcdef0123456789abcdef";
const TWO: &str = "0123456789abcdef0123456789abcdee";

/// A token leads to its holder, and nothing else does.
#[test]
fn tokens_have_holders() {
    let text = format!("# tokens of the fleet\r\nops {ONE}\r\n\n  ci\t{TWO}  # of the pipeline\n");
    let tokens = Tokens::read(text.as_bytes(), 2).expect("tokens");
    let holder = |token: &str| tokens.holder(token.as_bytes()).map(|holder| holder.to_string());
    assert_eq!(holder(ONE).as_deref(), Some("ops"));
    assert_eq!(holder(TWO).as_deref(), Some("ci"));
    for other in ["", "ops", &ONE[1..], &format!("{ONE} "), &ONE.to_uppercase()] {
        assert_eq!(holder(other), None, "{other}");
    }
    let shown = format!("{tokens:?}");
    assert_eq!(shown, r#"["ops", "ci"]"#);
}

/// Each fault has the number of its line, and no text of the file.
#[test]
fn faults_quote_nothing() {
    let rows = [
        (String::new(), "there is no token in this file"),
        (format!("{ONE}\n"), "line 1 is not a name and a token"),
        (format!("ops {ONE} more\n"), "line 1 is not a name and a token"),
        ("ops short\n".to_owned(), "line 1 has no name or no token that can be used"),
        (format!("\nops {ONE}\"\n"), "line 2 has no name or no token that can be used"),
        (format!("o/s {ONE}\n"), "line 1 has no name or no token that can be used"),
        (format!("ops {ONE}\nops {TWO}\n"), "line 2 repeats a name or a token from above"),
        (format!("ops {ONE}\nci {ONE}\n"), "line 2 repeats a name or a token from above"),
        (format!("a {ONE}\nb {TWO}\nc {ONE}0\n"), "3 tokens are more than 2"),
    ];
    for (text, fault) in rows {
        assert_eq!(Tokens::read(text.as_bytes(), 2).expect_err("a fault"), [fault], "{text}");
    }
}
