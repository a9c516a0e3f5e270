//! Colours: only on a terminal, and never against NO_COLOR (no-color.org).

use std::io::IsTerminal;

/// True if stderr takes colours.
pub(crate) fn on_stderr() -> bool {
    wanted() && std::io::stderr().is_terminal()
}

fn wanted() -> bool {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
}
