//! Internationalized names: the A-label (RFC 5890 section 2.3.2.1) of a name that somebody wrote in
//! UTF-8, for the help of findings. Names themselves are only ever read in ASCII.

use super::name::NameError;

/// Longest text that is converted: the longest name has 1,004 octets when all of it is escaped.
const TEXT_OCTETS_MAX: usize = 1_024;

/// The way out for a name that was refused because it is not ASCII.
pub(crate) fn help(error: NameError, text: &str) -> Option<String> {
    (error == NameError::NotAscii).then(|| match a_labels(text) {
        Some(ascii) => format!("write `{ascii}`, its form for the DNS (IDNA, RFC 5890)"),
        None => "write its A-labels (`xn--...`, RFC 5890), or each octet as `\\195` where octets are meant"
            .to_owned(),
    })
}

/// A name with each label that is not ASCII as its A-label: in lower case and composed (NFC), as
/// UTS 46 maps it.
fn a_labels(text: &str) -> Option<String> {
    // Escapes mean octets, not characters.
    if text.len() > TEXT_OCTETS_MAX || text.contains('\\') {
        return None;
    }
    idna::domain_to_ascii(text).ok().filter(|ascii| !ascii.is_empty())
}

#[cfg(test)]
mod tests;
