//! `meridian man`: man pages, made from the same tree of commands as `--help`.
//!
//! A page has the text of `--help` in the sections of man-pages(7): a paragraph under a command's
//! help that begins with a word of [`HEADED`] becomes a section, any other paragraph goes to
//! DESCRIPTION.

use super::{Arguments, print};
use crate::sys::replace;
use clap::{Command, CommandFactory};
use clap_mangen::Man as Sections;
use clap_mangen::roff::{Roff, bold, roman};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Print man pages
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without --out this prints one page: the page of the program, or of the command that is named.

Exit status: 0 done, 1 a page cannot be written, 2 there is no such command.

Examples:
  meridian man | man -l -
  meridian man pop drain | man -l -
  meridian man --out /usr/local/share/man/man1")]
pub(crate) struct Man {
    /// Command of the page, for example `pop drain`
    #[arg(value_name = "COMMAND", conflicts_with = "out")]
    command: Vec<String>,
    /// Write the pages of all commands into this folder instead
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Man {
    /// Prints a page, or writes them all.
    pub(crate) fn run(self) -> ExitCode {
        if let Some(folder) = &self.out {
            return match write_all(folder) {
                Ok(count) => {
                    print(&format!("{count} pages in {}\n", folder.display()));
                    ExitCode::SUCCESS
                }
                Err(error) => {
                    let _ = writeln!(std::io::stderr(), "error: {}: {error}", folder.display());
                    ExitCode::FAILURE
                }
            };
        }
        let name = std::iter::once("meridian").chain(self.command.iter().map(String::as_str));
        let name = name.collect::<Vec<_>>().join("-");
        match pages().into_iter().find(|page| page.name == name) {
            Some(page) => {
                print(&page.text);
                ExitCode::SUCCESS
            }
            None => {
                let command = self.command.join(" ");
                let _ = writeln!(std::io::stderr(), "error: there is no command `{command}`");
                ExitCode::from(2)
            }
        }
    }
}

/// Page of one command.
struct Page {
    /// Name without section, for example `meridian-pop-drain`.
    name: String,
    /// Text in roff.
    text: String,
}

/// Writes every page into a folder, which is made if it is missing. Returns the number of pages.
fn write_all(folder: &Path) -> std::io::Result<usize> {
    std::fs::create_dir_all(folder)?;
    let pages = pages();
    for page in &pages {
        let path = folder.join(format!("{}.1", page.name));
        replace::named(&path, page.text.as_bytes(), None)
            .map_err(|error| std::io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    }
    Ok(pages.len())
}

/// Pages of the program and of every command.
fn pages() -> Vec<Page> {
    let mut tree = Arguments::command();
    tree.build();
    let mut pages = Vec::new();
    collect(&tree, &[], &mut pages);
    pages
}

fn collect(command: &Command, above: &[&Command], pages: &mut Vec<Page>) {
    pages.push(Page { name: name_of(command), text: page(command, above) });
    let path: Vec<&Command> = above.iter().copied().chain([command]).collect();
    for child in children(command) {
        collect(child, &path, pages);
    }
}

/// Commands below a command, without clap's own `help`.
fn children(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|child| child.get_name() != "help" && !child.is_hide_set())
}

fn name_of(command: &Command) -> String {
    command.get_display_name().unwrap_or(command.get_name()).to_owned()
}

/// First words of paragraphs that are sections of their own, and the titles of these sections.
const HEADED: [(&str, &str); 3] =
    [("Signals:", SIGNALS), ("Exit status:", EXIT_STATUS), ("Example", EXAMPLES)];
const SIGNALS: &str = "SIGNALS";
const EXIT_STATUS: &str = "EXIT STATUS";
const EXAMPLES: &str = "EXAMPLES";

/// Exit status of commands whose help has no paragraph of its own about it.
const ANY_EXIT_STATUS: &str = "0 done, 1 refused with findings, 2 the command line is wrong or the server \
                               cannot be reached.";

/// Row of ENVIRONMENT or FILES: term, description, and the arguments or names of the commands whose
/// pages have the row. The page of the program has every row.
type Row = (&'static str, &'static str, &'static [&'static str]);

const ENVIRONMENT: [Row; 3] = [
    (
        "MERIDIAN_CONFIG",
        "Server file of a command that has no --config. Empty is the same as unset.",
        &["config"],
    ),
    (
        "RUST_LOG",
        "Levels by target of the log of serve, separated by commas: info (the default), \
         warn,meridian::probe=debug.",
        &["engine"],
    ),
    ("NO_COLOR", "If set and not empty, output has no colours (https://no-color.org).", &["help"]),
];

const FILES: [Row; 4] = [
    ("./meridian.yaml", "Server file if neither --config nor MERIDIAN_CONFIG names one.", &["config"]),
    ("/etc/meridian/meridian.yaml", "Server file if the current folder has none.", &["config"]),
    (
        "state/control.sock",
        "Control socket of the running server, relative to the server file, unless listen.control names \
         another, such as /run/meridian/control.sock.",
        &["control", "engine", "diff"],
    ),
    (
        "state/",
        "State folder (overrides, verdicts, shares of load, events), relative to the server file, unless \
         state names another, such as /var/lib/meridian.",
        &["engine"],
    ),
];

fn page(command: &Command, above: &[&Command]) -> String {
    let name = name_of(command);
    // The quotes are given here, because clap_mangen writes an empty word without quotes, and the
    // version would be read as the date.
    let sections = Sections::new(command.clone().subcommand_value_name("command"))
        .title(name.to_uppercase())
        .date("\"\"")
        .source(concat!("meridian ", env!("CARGO_PKG_VERSION")))
        .manual("Meridian manual");
    let paragraphs = paragraphs(command);
    let headed = |title: &str| -> Vec<&str> {
        paragraphs.iter().filter(|(head, _)| *head == Some(title)).map(|(_, text)| text.as_str()).collect()
    };

    let mut text = Roff::default().render();
    let preamble = text.len();
    let mut add = |render: &dyn Fn(&mut Vec<u8>) -> std::io::Result<()>| {
        let mut octets = Vec::new();
        render(&mut octets).expect("a vector takes every octet");
        // Each section comes with the preamble, which one page needs once.
        text.push_str(&String::from_utf8_lossy(&octets)[preamble..]);
    };
    add(&|out| sections.render_title(out));
    add(&|out| sections.render_name_section(out));
    add(&|out| sections.render_synopsis_section(out));
    add(&|out| sections.render_description_section(out));
    add(&|out| {
        let mut more = Roff::default();
        for (_, words) in paragraphs.iter().filter(|(head, _)| head.is_none()) {
            more.control("PP", []).text([roman(words.as_str())]);
        }
        more.to_writer(out)
    });
    add(&|out| sections.render_options_section(out));
    add(&|out| {
        let mut rest = Roff::default();
        let commands: Vec<(String, String)> = children(command)
            .map(|child| {
                let about = child.get_about().map(ToString::to_string).unwrap_or_default();
                (format!("{}(1)", name_of(child)), about)
            })
            .collect();
        table(&mut rest, "COMMANDS", &commands);
        for text in headed(SIGNALS) {
            listing(&mut rest, SIGNALS, text);
        }
        let status = headed(EXIT_STATUS).join("\n");
        rest.control("SH", [EXIT_STATUS]);
        rest.text([roman(if status.is_empty() { ANY_EXIT_STATUS } else { status.trim() })]);
        table(&mut rest, "ENVIRONMENT", &rows(&ENVIRONMENT, command, above));
        table(&mut rest, "FILES", &rows(&FILES, command, above));
        for text in headed(EXAMPLES) {
            listing(&mut rest, EXAMPLES, text);
        }
        rest.control("SH", ["SEE ALSO"]);
        rest.text([roman(related(command, above).join(", "))]);
        rest.to_writer(out)
    });
    text
}

/// Paragraphs after a command's help, each with the title of its section, if it has one.
fn paragraphs(command: &Command) -> Vec<(Option<&'static str>, String)> {
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let split = |paragraph: &str| {
        let (begin, title) = HEADED.iter().find(|(begin, _)| paragraph.starts_with(begin)).copied()?;
        // The head of a list is a line, the head of a sentence is a few words.
        let rest = match paragraph.split_once('\n') {
            Some((line, rest)) if line.ends_with(':') => rest,
            _ => paragraph[begin.len()..].trim_start_matches([':', 's', ' ']),
        };
        Some((Some(title), rest.to_owned()))
    };
    after.split("\n\n").map(|paragraph| split(paragraph).unwrap_or((None, paragraph.to_owned()))).collect()
}

fn rows(rows: &[Row], command: &Command, above: &[&Command]) -> Vec<(String, String)> {
    let concerns = |word: &&str| {
        command.get_name() == *word || command.get_arguments().any(|argument| argument.get_id() == *word)
    };
    rows.iter()
        .filter(|(.., words)| above.is_empty() || words.iter().any(concerns))
        .map(|(what, words, _)| ((*what).to_owned(), (*words).to_owned()))
        .collect()
}

/// Related pages: those above this one, and those of the same group.
fn related(command: &Command, above: &[&Command]) -> Vec<String> {
    let Some((group, _)) = above.split_last() else {
        return vec!["dig(1)".to_owned(), "systemctl(1)".to_owned()];
    };
    let siblings =
        children(group).filter(|_| above.len() > 1).filter(|other| other.get_name() != command.get_name());
    above.iter().copied().chain(siblings).map(|other| format!("{}(1)", name_of(other))).collect()
}

/// Section of terms and their descriptions; none without rows.
fn table(out: &mut Roff, title: &str, rows: &[(String, String)]) {
    if rows.is_empty() {
        return;
    }
    out.control("SH", [title]);
    for (term, words) in rows {
        out.control("TP", []).text([bold(term.as_str())]).text([roman(words.as_str())]);
    }
}

/// Section of lines that stay as they are.
fn listing(out: &mut Roff, title: &str, text: &str) {
    out.control("SH", [title]).control("EX", []);
    for line in text.lines() {
        out.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
    }
    out.control("EE", []);
}

#[cfg(test)]
mod tests;
