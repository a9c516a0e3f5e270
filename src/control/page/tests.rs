//! The files of the page: together small, and without a reference to another host.

use super::*;

/// Octets of all files together, at most.
const OCTETS_MAX: usize = 300_000;

#[test]
fn the_files_are_small_and_name_no_other_host() {
    let html = include_str!("page.html");
    let texts = ASSETS.iter().map(|asset| (asset.name, asset.text)).chain([("page.html", html)]);
    let mut octets = 0;
    for (name, text) in texts {
        octets += text.len();
        // The name space of SVG is no address.
        let foreign = text.replace("http://www.w3.org/2000/svg", "");
        assert!(!foreign.contains("http://") && !foreign.contains("https://"), "{name}");
        assert!(!foreign.contains("innerHTML"), "{name} makes markup of text");
    }
    assert!(octets <= OCTETS_MAX, "{octets} octets");
    assert!(!html.contains("style=") && !html.contains("<style"), "the policy forbids styles in the page");
}

/// Every file that the page loads is there.
#[test]
fn references_lead_to_files() {
    let all = ASSETS.iter().map(|asset| asset.text).chain([include_str!("page.html")]).collect::<String>();
    let references = all.split("page/").skip(1).map(|rest| {
        rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '.').next().unwrap_or_default().to_owned()
    });
    let references: Vec<String> = references.filter(|name| name.contains('.')).collect();
    assert!(references.len() >= 3, "{references:?}");
    for name in references {
        assert!(ASSETS.iter().any(|asset| asset.name == name), "{name}");
    }
}
