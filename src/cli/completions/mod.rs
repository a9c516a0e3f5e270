//! `meridian completions`: scripts by which a shell completes a command line, made from the tree of
//! commands, and the names of PoPs, which the scripts ask the program for.

use super::{Arguments, Config, output};
use crate::reload::prepare;
use clap::{Arg, ArgAction, Command, CommandFactory};
use clap_complete::Shell;
use std::path::PathBuf;
use std::process::ExitCode;

/// Value names of arguments that are PoPs or selectors of PoPs.
const POP_VALUES: [&str; 2] = ["POP", "SELECTOR"];

/// Head of the completion function in the scripts for bash and zsh.
const FUNCTION: &str = "\n_meridian() {\n";

/// Prints the script for a shell.
pub(crate) fn print(shell: Shell) -> ExitCode {
    output::write(script(shell).as_bytes());
    ExitCode::SUCCESS
}

fn script(shell: Shell) -> String {
    // Into memory first: clap panics when a pipe closes early.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "meridian", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    // The function completes names of PoPs first. If the next word is no PoP, it goes on as before.
    let with_pops = |pops: &str, call: &str| {
        let script = format!("\n{script}");
        let script = script.replacen(FUNCTION, &format!("{pops}{FUNCTION}    {call} && return 0\n"), 1);
        script.trim_start_matches('\n').to_owned()
    };
    match shell {
        Shell::Bash => with_pops(include_str!("pops.bash"), "_meridian_pops \"$1\""),
        Shell::Zsh => with_pops(include_str!("pops.zsh"), "_meridian_pops"),
        Shell::Fish => script + include_str!("pops.fish"),
        _ => script,
    }
}

/// Print the PoP names of the files, one a line, if the next word of a command line is a PoP
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  meridian pop-names -- pop drain")]
pub(crate) struct PopNames {
    /// The words before the cursor, without the name of the program
    #[arg(last = true, value_name = "WORD")]
    words: Vec<String>,
}

impl PopNames {
    /// Runs the command. It prints no fault, because the shell runs it while the operator types.
    pub(crate) fn run(self) -> ExitCode {
        let line = Line::read(&self.words);
        if line.asks_for_pop
            && let Some(path) = line.server_file()
        {
            let names = prepare::pop_names(&path);
            output::write(names.iter().map(|name| format!("{name}\n")).collect::<String>().as_bytes());
        }
        ExitCode::SUCCESS
    }
}

/// A command line up to the cursor.
#[derive(Debug, Default, PartialEq, Eq)]
struct Line {
    /// True if the next word is a PoP, or a selector of PoPs.
    asks_for_pop: bool,
    /// Server file that the line names; `None` if only a shell could expand it.
    config: Option<PathBuf>,
    /// True if the line names a server file.
    names_config: bool,
}

impl Line {
    /// Server file from which to read the names of PoPs. `None` if the line names a file that only
    /// a shell can find, because another file may belong to another deployment.
    fn server_file(self) -> Option<PathBuf> {
        if self.names_config && self.config.is_none() {
            return None;
        }
        Config { config: self.config }.find()
    }

    fn name_config(&mut self, word: &str) {
        (self.config, self.names_config) = (path_of(word), true);
    }

    fn read(words: &[String]) -> Line {
        let mut command = &Arguments::command();
        let mut line = Line::default();
        // The option whose value is next, and the number of values without an option so far.
        let mut option: Option<&Arg> = None;
        let mut values = 0;
        for word in words {
            if let Some(of) = option {
                // bash splits `--down=fra` into three words.
                if word == "=" {
                    continue;
                }
                if of.get_id() == "config" {
                    line.name_config(word);
                }
                option = None;
            } else if let Some(inner) = command.find_subcommand(word).filter(|_| values == 0) {
                command = inner;
            } else if let Some((name, value)) = word.strip_prefix("--").and_then(|w| w.split_once('=')) {
                if name == "config" {
                    line.name_config(value);
                }
            } else if let Some(value) = word.strip_prefix("-c").filter(|value| !value.is_empty())
                && option_of(command, "-c").is_some()
            {
                line.name_config(value.strip_prefix('=').unwrap_or(value));
            } else if word.starts_with('-') {
                option = option_of(command, word);
            } else {
                values += 1;
            }
        }
        let next = option.or_else(|| {
            let mut positionals = command.get_positionals();
            let last = command.get_positionals().last();
            positionals.nth(values).or(last.filter(|arg| matches!(arg.get_action(), ArgAction::Append)))
        });
        let named = next.and_then(|arg| arg.get_value_names()?.first());
        line.asks_for_pop = named.is_some_and(|name| POP_VALUES.contains(&name.as_str()));
        line
    }
}

/// Path that a shell will make of a word as typed: without quotes and backslashes, and with the
/// home folder for a tilde at its start. Only a shell knows the result of other expansions, so a
/// word with one is no path.
fn path_of(word: &str) -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(PathBuf::from);
    let (home, rest) = match word.strip_prefix('~') {
        None => (None, word),
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            (Some(home()?), rest.trim_start_matches('/'))
        }
        Some(_) => return None,
    };
    let (mut path, mut quote, mut letters) = (String::new(), None, rest.chars());
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (None | Some('"'), '$' | '`') => return None,
            (None, '*' | '?' | '[' | '{' | '<' | '>' | '(' | ')' | ';' | '&' | '|') => return None,
            (None, '\\') => path.extend(letters.next()),
            // Between double quotes a backslash stands for itself, but for these.
            (Some('"'), '\\') => match letters.next() {
                Some(escaped @ ('$' | '`' | '"' | '\\')) => path.push(escaped),
                other => path.extend(['\\'].into_iter().chain(other)),
            },
            _ => path.push(letter),
        }
    }
    Some(home.unwrap_or_default().join(path))
}

/// Option of a name, if it takes a value.
fn option_of<'c>(command: &'c Command, word: &str) -> Option<&'c Arg> {
    let is_it = |arg: &&Arg| match word.strip_prefix("--") {
        Some(long) => arg.get_long() == Some(long),
        None => arg.get_short().is_some_and(|short| word.strip_prefix('-') == Some(&*short.to_string())),
    };
    // `get_opts` would count flags too, since the tree is not built.
    command.get_arguments().filter(|arg| arg.get_action().takes_values()).find(is_it)
}

#[cfg(test)]
mod tests;
