//! `admin`: broken access to the admin address.

use super::broken::{check, sound};
use super::{load_memory, shown};
use crate::finding::Severity::{Error, Note};
use std::path::Path;

const BOTH: &str = "{ certificate: tls.pem, key: tls.pem }";

/// The sound server file with this access, and an admin address or none.
fn server(access: &str, address: &str) -> String {
    let text = String::from_utf8(sound().0[Path::new("meridian.yaml")].to_vec()).expect("a text");
    let text = text.replace("listen: {", &format!("listen: {{ {address}"));
    text.replace("zones: zones", &format!("zones: zones\nadmin: {access}"))
}

#[test]
fn access_with_faults() {
    let with = |more: &str| format!("{{ tls: {BOTH}, {more} }}");
    for (access, code) in [
        ("¦{}", "MRD0105"),
        ("¦on", "MRD0104"),
        ("{ tls: ¦{ certificate: tls.pem } }", "MRD0105"),
        ("{ tls: { certificate: ¦broken.pem, key: tls.pem } }", "MRD0113"),
        (&with("tokens: ¦none.tokens"), "MRD0100"),
        (&with("client_ca: ¦none.pem"), "MRD0100"),
        (&with("client_ca: ¦broken.pem"), "MRD0113"),
        (&with("¦token: none.tokens"), "MRD0102"),
    ] {
        check("meridian.yaml", &server(access, "admin: \"127.0.0.1:8053\","), code, Error);
    }
    check("meridian.yaml", &server(&format!("¦{{ tls: {BOTH} }}"), ""), "MRD0113", Note);
}

/// A finding about tokens quotes none.
#[test]
fn tokens_stay_secret() {
    let secret = "0123456789abcdef0123456789abcdef";
    let mut memory = sound();
    let text = server(&format!("{{ tls: {BOTH}, tokens: t }}"), "admin: \"127.0.0.1:8053\",");
    memory.0.insert("meridian.yaml".into(), text.into());
    for (tokens, is_sound) in [
        (format!("ops {secret}\n"), true),
        (format!("{secret}\n"), false),
        (format!("ops {secret} more\n"), false),
        (format!("ops {secret}\nci {secret}\n"), false),
    ] {
        memory.0.insert("t".into(), tokens.clone().into());
        let loaded = load_memory(&memory);
        let text = shown(&loaded);
        assert_eq!(loaded.deployment.is_some(), is_sound, "{text}");
        assert_eq!(text.contains("MRD0111"), !is_sound, "{text}");
        assert!(!text.contains(secret), "{text}");
    }
}
