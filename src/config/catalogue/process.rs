//! Keys of `meridian.yaml` about the rights of the process.

use super::*;

/// Limits that the process sets for itself.
pub(super) static SANDBOX: KeySection = KeySection {
    id: "sandbox",
    title: "",
    about: "Keys of `sandbox`:",
    block: "",
    entries: &[entry(
        "off",
        &Shape::Pattern("a sentence", "(.|\\n)*\\S\\s+\\S(.|\\n)*"),
        REQUIRED,
        "the reason why the process does without",
        "\"a debugger looks at this node\"",
    )],
    others: Others::None,
    notes: "The sandbox lets the process write below the folders of `state`, `listen.control` and `pid_file` \
            alone, start programs only if a check has `exec`, bind no further TCP port, and use no system \
            call that a name server does not need. No core image of the process is written, since it would \
            hold keys. [operate.md](operate.md#rights-of-the-process) has the details.",
};
