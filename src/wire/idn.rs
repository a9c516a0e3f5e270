//! Internationalized names: converts a name in UTF-8 to A-labels (RFC 5890 section 2.3.2.1) for the
//! help of findings. Names themselves are only read in ASCII.

use super::name::NameError;

/// Octets of the longest text to convert: the longest name has 1,004 with every octet escaped.
const TEXT_OCTETS_MAX: usize = 1_024;

/// Help for a name that was refused because it is not ASCII.
pub(crate) fn help(error: NameError, text: &str) -> Option<String> {
    (error == NameError::NotAscii).then(|| match a_labels(text) {
        Some(ascii) => format!("write `{ascii}`, its form for the DNS (IDNA, RFC 5890)"),
        None => "write its A-labels (`xn--...`, RFC 5890), or each octet as `\\195` where octets are meant"
            .to_owned(),
    })
}

/// Converts each label that is not ASCII to its A-label, after mapping it by UTS 46 (lower case,
/// NFC).
fn a_labels(text: &str) -> Option<String> {
    // Escapes mean octets, not characters.
    if text.len() > TEXT_OCTETS_MAX || text.contains('\\') {
        return None;
    }
    idna::domain_to_ascii(text).ok().filter(|ascii| !ascii.is_empty())
}

#[cfg(test)]
mod tests;
