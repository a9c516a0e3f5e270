//! Patterns exist for types whose first words have a fixed form.

use super::*;

#[test]
fn patterns_of_types() {
    for (rtype, expected) in [
        (RrType::A, Some(r#"^([\s\S]*["\\][\s\S]*|\s*[0-9]+([.][0-9]+){3}\s*)$"#)),
        (RrType::MX, Some(r#"^([\s\S]*["\\][\s\S]*|\s*[+]?[0-9]+\s+\S[\s\S]*\s*)$"#)),
        (RrType::CSYNC, Some(r#"^([\s\S]*["\\][\s\S]*|\s*[+]?[0-9]+\s+[+]?[0-9]+(\s+\S[\s\S]*)?\s*)$"#)),
        (RrType::TXT, None),
        (RrType::CNAME, None),
        (RrType::LOC, None),
        (RrType(65_280), None),
    ] {
        assert_eq!(pattern(rtype).as_deref(), expected, "{rtype}");
    }
}
