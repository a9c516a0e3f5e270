//! Replays the examples of a document, in process or against the program.

pub mod block;
mod program;
mod shown;

use meridian::testing::answer::Transport;
use meridian::testing::config::{self, Sources};
use meridian::testing::explain::dig;
use meridian::testing::explain::{ExplainQuery, explain, head};
use meridian::testing::finding::Severity;
use meridian::testing::finding::render;
use meridian::testing::impact::difference;
use meridian::testing::snapshot::compile;
use meridian::testing::steer::view::Supposed;
use meridian::testing::wire::name::Name;
use meridian::testing::wire::rr::{CLASS_CH, RrType};
use program::Program;
use shown::Shown;
use std::net::IpAddr;
use std::path::Path;
use support::{Tree, World, ask_over, load, prefix, query};

/// Who answers.
pub enum Backend {
    /// The core, called as a function.
    InProcess(Box<Node>),
    /// A server of its own.
    Program(Box<Program>),
}

/// A server without sockets: files, and the snapshot that is in service.
pub struct Node {
    tree: Tree,
    world: World,
}

impl Backend {
    /// The core over some files.
    pub fn in_process(tree: Tree) -> Backend {
        let world = load(&tree).unwrap_or_else(|findings| panic!("{findings}"));
        Backend::InProcess(Box::new(Node { tree, world }))
    }

    /// Whether the program of this build has the command `serve`.
    pub fn can_serve() -> bool {
        program::has_command("serve")
    }

    /// The program over a copy of the sample.
    pub fn program() -> Result<Backend, String> {
        Program::start().map(|program| Backend::Program(Box::new(program)))
    }

    /// The program in an empty folder.
    pub fn empty() -> Result<Backend, String> {
        Program::in_empty_folder().map(|program| Backend::Program(Box::new(program)))
    }

    /// Runs one command and compares what it prints.
    pub fn run(&mut self, command: &str, shown: &str) -> Result<(), String> {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.as_slice() {
            ["alias" | "cargo" | "git", ..] => Ok(()),
            ["cd", folder] => self.enter(folder),
            ["meridian", "serve"] => self.serve(),
            ["d" | "dig", arguments @ ..] => self.dig(arguments, shown),
            ["sed", "-i", ..] => self.edit(command),
            ["kill", "-HUP", ..] => self.hangup(),
            ["meridian", arguments @ ..] => same_lines(shown, &self.meridian(arguments)?),
            _ => Err("  no test knows how to replay this command".to_owned()),
        }
    }

    /// Enters a folder; the core has one.
    fn enter(&mut self, folder: &str) -> Result<(), String> {
        match self {
            Backend::InProcess(_) => Ok(()),
            Backend::Program(program) => program.enter(folder),
        }
    }

    /// Starts the server; the core always serves.
    fn serve(&mut self) -> Result<(), String> {
        match self {
            Backend::InProcess(_) => Ok(()),
            Backend::Program(program) => program.serve(),
        }
    }

    fn dig(&mut self, arguments: &[&str], shown: &str) -> Result<(), String> {
        let (packet, transport) = question(arguments)?;
        let expected = Shown::read(shown).printed_by(arguments);
        if expected.is_whole() && !shown.starts_with(";; Got answer:\n") {
            return Err("  dig begins with `;; Got answer:`".to_owned());
        }
        let mut differs = String::new();
        // After a SIGHUP the server takes a moment; what it answers then is what counts.
        for _ in 0..self.patience() {
            let answer = match self {
                Backend::InProcess(node) => {
                    ask_over(&node.world.snapshot, &packet, IpAddr::from([127, 0, 0, 1]), transport, 0).1
                }
                Backend::Program(program) => program.ask(&packet, transport)?,
            };
            differs = Shown::read(&dig::render(&answer)).limited_to(arguments).differs_from(&expected);
            if differs.is_empty() {
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Err(differs)
    }

    fn patience(&self) -> usize {
        match self {
            Backend::InProcess(_) => 1,
            Backend::Program(_) => 100,
        }
    }

    /// `sed -i 's/old/new/' file` with a plain text for `old`; in `new`, `&` is the old text and
    /// `\n` a new line.
    fn edit(&mut self, command: &str) -> Result<(), String> {
        let mut quoted = command.split('\'');
        let script = quoted.nth(1).ok_or("  no script in quotes")?;
        let file = quoted.next().ok_or("  no file")?.trim();
        let mut parts = script.split('/');
        let (Some("s"), Some(old), Some(new)) = (parts.next(), parts.next(), parts.next()) else {
            return Err("  not of the form s/old/new/".to_owned());
        };
        let text = match self {
            Backend::InProcess(node) => node.tree.text(file),
            Backend::Program(program) => program.read(file),
        };
        if !text.contains(old) {
            return Err(format!("  {file} has no `{old}`"));
        }
        let text = text.replace(old, &new.replace('&', old).replace("\\n", "\n"));
        match self {
            Backend::InProcess(node) => node.tree = node.tree.clone().with(file, text),
            Backend::Program(program) => program.write(file, &text),
        }
        Ok(())
    }

    fn hangup(&mut self) -> Result<(), String> {
        match self {
            Backend::InProcess(node) => {
                node.reload();
                Ok(())
            }
            Backend::Program(program) => program.hangup(),
        }
    }

    /// What a command of the program prints.
    fn meridian(&mut self, arguments: &[&str]) -> Result<String, String> {
        match self {
            Backend::Program(program) if program::has_command(arguments[0]) => program.run(arguments),
            Backend::Program(program) => {
                let node = Node { world: load(&program.tree())?, tree: program.tree() };
                node.explain(&arguments[1..])
            }
            Backend::InProcess(node) => match arguments {
                ["check"] => Ok(node.check()),
                ["reload"] => Ok(node.reload()),
                ["explain", rest @ ..] => node.explain(rest),
                _ => Err("  no test knows how to replay this command in process".to_owned()),
            },
        }
    }
}

impl Shown {
    /// A part that was printed by `dig +short` or `+noall`, as [`Shown::limited_to`] makes it.
    fn printed_by(self, arguments: &[&str]) -> Shown {
        self.limited_to(if arguments.contains(&"+short") { &["+noall"] } else { arguments })
    }
}

impl Node {
    fn check(&self) -> String {
        let (mut text, verdict) = self.findings();
        if let Ok(world) = load(&self.tree) {
            text.push_str(world.snapshot.summary().to_string().trim_end());
            text.push_str(&format!("\nfiles     digest {}\n", world.snapshot.files_digest()));
        }
        text.push_str(&verdict);
        text
    }

    /// The findings as text, and the last line of `check`.
    fn findings(&self) -> (String, String) {
        let mut loaded = config::read_deployment(Path::new("meridian.yaml"), &self.tree);
        if let Some(deployment) = &loaded.deployment {
            loaded.findings.extend(compile::compile(deployment, None, 0).1);
        }
        let count = |severity| loaded.findings.iter().filter(|finding| finding.severity == severity).count();
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        let word = if errors > 0 { "refused" } else { "ok" };
        (
            render::text(&loaded.findings, &loaded.files, false),
            format!("{word}: errors {errors}, warnings {warnings}\n"),
        )
    }

    fn reload(&mut self) -> String {
        let old = self.world.snapshot.clone();
        let (findings, _) = self.findings();
        let fresh = config::read_deployment(Path::new("meridian.yaml"), &self.tree).deployment.and_then(
            |deployment| {
                let geography = compile::geography(&deployment).0?;
                let snapshot =
                    compile::compile_with(&deployment, &geography, Some(&old), old.sequence() + 1).0?;
                Some(World { deployment, geography, snapshot: snapshot.into() })
            },
        );
        let Some(fresh) = fresh else {
            return format!(
                "{findings}refused (bad_files): the files have faults; the snapshot before stays in service\n\
                 help: correct the files that the findings name; `meridian check` repeats them\n\
                 refused; snapshot {}, digest {}, files {}, is served on\n",
                old.sequence(),
                old.digest(),
                old.files_digest()
            );
        };
        let mut text = format!(
            "{findings}published snapshot {}, digest {}, files {}\n",
            fresh.snapshot.sequence(),
            fresh.snapshot.digest(),
            fresh.snapshot.files_digest()
        );
        let changes = difference(&old, &fresh.snapshot);
        for line in changes.lines() {
            text.push_str(&format!("  {line}\n"));
        }
        if changes.is_empty() {
            text.push_str("  nothing changed\n");
        }
        self.world = fresh;
        text
    }

    /// `explain NAME [TYPE] --client IP [--ecs PREFIX] [--down POP]`.
    fn explain(&self, arguments: &[&str]) -> Result<String, String> {
        let mut asked = ExplainQuery {
            name: Name::root(),
            rtype: RrType::A,
            client: None,
            ecs: None,
            supposed: Vec::new(),
        };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().copied().ok_or("  an option without its value");
            match *word {
                "--client" => asked.client = Some(value()?.parse().map_err(|_| "  not an address")?),
                "--ecs" => asked.ecs = Some(prefix(value()?)),
                "--down" => asked.supposed.push((value()?.to_owned(), Supposed::Down)),
                word => match RrType::from_text(word) {
                    Some(rtype) => asked.rtype = rtype,
                    None => asked.name = absolute(word)?,
                },
            }
        }
        let (snapshot, tree) = (&self.world.snapshot, &self.tree);
        let explained = explain(snapshot, None, &asked, &|path| tree.read(path))?;
        let (digest, files) = (snapshot.digest().to_string(), snapshot.files_digest().to_string());
        let served = (snapshot.sequence(), &*digest, &*files);
        Ok(head(snapshot.node_name(), "state/control.sock", served, 0) + &explained.text())
    }
}

fn absolute(name: &str) -> Result<Name, String> {
    Name::parse(&format!("{}.", name.trim_end_matches('.')), None)
        .map_err(|error| format!("  {name}: {error}"))
}

/// A client cookie, as dig sends one (RFC 7873 section 4).
const COOKIE_OPTION: [u8; 12] = [0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];

/// The message that `dig` sends for its arguments.
fn question(arguments: &[&str]) -> Result<(Vec<u8>, Transport), String> {
    let (mut name, mut rtype, mut class_ch, mut subnet) = ("", RrType::A, false, None);
    let mut transport = Transport::Udp;
    let mut is_recursive = false;
    for (index, word) in arguments.iter().enumerate() {
        match *word {
            "+tcp" => transport = Transport::Tcp,
            "+rec" => is_recursive = true,
            "CH" => class_ch = true,
            _ if word.starts_with("+subnet=") => subnet = word.strip_prefix("+subnet=").map(prefix),
            _ if word.starts_with(['+', '@', '-']) || index > 0 && arguments[index - 1] == "-p" => {}
            _ => match RrType::from_text(word) {
                Some(asked) => rtype = asked,
                None => name = word,
            },
        }
    }
    let name_text = absolute(name)?.to_string();
    let mut packet = query(&name_text, rtype, subnet);
    if !arguments.contains(&"+nocookie") {
        // The length of the OPT record's data ends the query without options.
        let length_at = query(&name_text, rtype, None).len() - 2;
        packet.extend_from_slice(&COOKIE_OPTION);
        let length = (packet.len() - length_at - 2) as u16;
        packet[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
    }
    // The alias of the tour asks without RD.
    packet[2] = u8::from(is_recursive);
    if class_ch {
        let class_at = 12 + absolute(name)?.as_wire().len() + 2;
        packet[class_at..class_at + 2].copy_from_slice(&CLASS_CH.to_be_bytes());
    }
    Ok((packet, transport))
}

/// Compares word for word; `...` at the end of a line of the document stands for anything, and
/// alone on a line for any lines.
fn same_lines(expected: &str, found: &str) -> Result<(), String> {
    let lines = |text: &str| {
        text.lines()
            .map(|line| line.trim_end().to_owned())
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
    };
    let (expected, found) = (lines(expected), lines(found));
    if fits(&expected, &found) {
        return Ok(());
    }
    Err(format!("  the document has\n{}\n  the program printed\n{}", expected.join("\n"), found.join("\n")))
}

fn fits(expected: &[String], found: &[String]) -> bool {
    let Some((first, rest)) = expected.split_first() else { return found.is_empty() };
    if first == "..." {
        return (0..=found.len()).any(|skipped| fits(rest, &found[skipped..]));
    }
    let fits_line = |line: &String| match first.strip_suffix("...") {
        Some(begin) => line.starts_with(begin.trim_end()),
        None => line == first,
    };
    found.split_first().is_some_and(|(line, others)| fits_line(line) && fits(rest, others))
}
