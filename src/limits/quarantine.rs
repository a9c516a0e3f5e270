//! Limits of the quarantine.

/// Time for which questions like one on which the program panicked are refused, in milliseconds:
/// longer than resolvers retry, and short enough that a question is tried again by the time someone
/// looks.
pub(crate) const QUARANTINE_MILLIS: u64 = 600_000;
/// Questions that are refused at once: a fault has few questions, and each refused message is
/// compared with all of them.
pub(crate) const QUARANTINE_QUESTIONS: usize = 64;
/// Messages that wait for their file: the thread that writes them looks once a second.
pub(crate) const QUARANTINE_WAITING: usize = 16;
/// Files of the quarantine folder: enough for a report, and at most 9 MB.
pub(crate) const QUARANTINE_FILES_MAX: usize = 64;
/// Characters of each text in a file: a panic names a place and two values.
pub(crate) const QUARANTINE_WORDS_MAX: usize = 500;
/// Octets of a file: the longest message in hexadecimal, and its texts.
pub(crate) const QUARANTINE_FILE_OCTETS_MAX: u64 = 140 << 10;
