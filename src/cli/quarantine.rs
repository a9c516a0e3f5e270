//! `meridian quarantine`: messages on which a server has panicked.
//!
//! Both commands read files and ask no server.

use crate::answer::{self, Client, Disposition, QueryContext};
use crate::cli::server::table;
use crate::cli::{Config, Format, json, print, print_findings};
use crate::control::client::state_of;
use crate::explain::dig;
use crate::limits::{MESSAGE_MAX, UDP_PAYLOAD_MAX};
use crate::reload::prepare::{self, NEVER_SERVED};
use crate::rfc3339;
use crate::shared::captured::Captured;
use crate::snapshot::Snapshot;
use crate::state::quarantine_store::{self, FOLDER};
use crate::sys::{caught, hooks};
use crate::wire::name::write_name;
use crate::wire::outline::Outline;
use crate::wire::rr::CLASS_IN;
use serde::Serialize;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Commands about the quarantine.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum QuarantineCommand {
    /// List the messages, the oldest first
    #[command(after_help = "\
Exit status: 0 listed, 1 a file cannot be read.

Example:
  meridian quarantine list")]
    List {
        #[command(flatten)]
        config: Config,
        /// Output format
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Answer a message again with this program and the files as they are now
    #[command(after_help = "\
Overrides, probe results and load of a server do not count.

Exit status: 0 answered, 1 the program panics, 2 the message or the files cannot be read.

Example:
  meridian quarantine replay 1790000000-1.txt")]
    Replay {
        /// File of the quarantine folder, or a path
        file: PathBuf,
        #[command(flatten)]
        config: Config,
    },
}

impl QuarantineCommand {
    /// Lists or replays.
    pub(crate) fn run(self) -> ExitCode {
        match self {
            QuarantineCommand::List { config, format } => list(&folder(&config), format),
            QuarantineCommand::Replay { file, config } => match replay(&file, &config) {
                Ok(status) => status,
                Err(sentence) => {
                    complain(&sentence);
                    ExitCode::from(2)
                }
            },
        }
    }
}

/// Quarantine folder of a server file.
fn folder(config: &Config) -> PathBuf {
    state_of(&config.path()).join(FOLDER)
}

fn complain(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "error: {sentence}");
}

/// Message in the list.
#[derive(Serialize)]
struct Row {
    file: String,
    time: String,
    transport: &'static str,
    source: String,
    question: String,
    place: String,
    panic: String,
    version: String,
}

impl Row {
    fn of(path: &Path, captured: &Captured) -> Row {
        Row {
            file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            time: rfc3339::date_time(captured.epoch_secs),
            transport: captured.transport.word(),
            source: captured.source.to_string(),
            question: question(&captured.octets),
            place: captured.place.clone(),
            panic: captured.panic.clone(),
            version: captured.version.clone(),
        }
    }
}

/// Question of a message in words.
fn question(octets: &[u8]) -> String {
    let Some((name, qtype, qclass)) = Outline::of(octets).question() else {
        return format!("no plain query, {} octets", octets.len());
    };
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_name(&mut text, name);
    match qclass {
        CLASS_IN => format!("{text} {qtype}"),
        _ => format!("{text} CLASS{qclass} {qtype}"),
    }
}

fn list(folder: &Path, format: Format) -> ExitCode {
    let paths = match quarantine_store::list(folder) {
        Ok(paths) => paths,
        Err(error) => {
            complain(&format!("{}: {error}", folder.display()));
            return ExitCode::FAILURE;
        }
    };
    let (mut rows, mut status) = (Vec::new(), ExitCode::SUCCESS);
    for path in &paths {
        match quarantine_store::read(path) {
            Ok(captured) => rows.push(Row::of(path, &captured)),
            Err(why) => {
                complain(&format!("{}: {why}", path.display()));
                status = ExitCode::FAILURE;
            }
        }
    }
    print(&match format {
        Format::Json => json(&rows),
        Format::Text if rows.is_empty() => format!("no message in {}\n", folder.display()),
        Format::Text => {
            let cells = |row: &Row| {
                let Row { file, time, transport, question, place, .. } = row;
                [file, time, *transport, question, place].map(str::to_owned).to_vec()
            };
            let rows: Vec<Vec<String>> = rows.iter().map(cells).collect();
            table(&["FILE", "TIME", "TRANSPORT", "QUESTION", "PLACE OF THE PANIC"], &rows)
        }
    });
    status
}

/// Replays a message. The error is a sentence.
fn replay(file: &Path, config: &Config) -> Result<ExitCode, String> {
    let folder = folder(config);
    // A bare name is that of a file in the quarantine folder, unless it is one here.
    let path = if file.exists() { file.to_owned() } else { folder.join(file) };
    let captured =
        quarantine_store::read(&path).map_err(|why| format!("{} cannot be read: {why}", path.display()))?;
    let snapshot = match prepare::run(&config.path(), None, None, NEVER_SERVED) {
        Ok(fresh) => fresh.snapshot,
        Err(refusal) => {
            print_findings(&refusal.0, &refusal.1);
            return Err("the files of the deployment are refused, so the message was not replayed".to_owned());
        }
    };
    let Row { time, transport, source, question, place, panic, version, .. } = Row::of(&path, &captured);
    print(&format!(
        "message   {question} over {transport} from {source} at {time}\nrecorded  version {version} panicked \
         at {place}: {panic}\n"
    ));
    let (words, status) = match answered(&snapshot, &captured) {
        Ok(Some(reply)) => (format!("now       answered\n{}", dig::render(&reply)), ExitCode::SUCCESS),
        Ok(None) => ("now       no reply: the message must not be answered\n".to_owned(), ExitCode::SUCCESS),
        Err(fault) => (format!("now       {fault}\n"), ExitCode::FAILURE),
    };
    print(&words);
    Ok(status)
}

/// Reply to a message, from the first address of its source. The error says that and where the
/// program panics.
fn answered(snapshot: &Snapshot, captured: &Captured) -> Result<Option<Vec<u8>>, String> {
    let client = Client { address: captured.source.address(), transport: captured.transport };
    let room = if client.transport.is_stream() { MESSAGE_MAX } else { usize::from(UDP_PAYLOAD_MAX) };
    let mut out = vec![0; room];
    let context = QueryContext { draw: 0, epoch_secs: captured.epoch_secs as u32 };
    // The panic is reported below, and once.
    std::panic::set_hook(Box::new(|_| {}));
    caught::note_places();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        hooks::panic_on(&captured.octets);
        answer::respond(snapshot, &captured.octets, &client, context, &mut out)
    }));
    let outcome = outcome.map_err(|panic| {
        let place = caught::take_place().unwrap_or_else(|| "an unknown place".to_owned());
        let words = caught::words(&*panic).unwrap_or_else(|| "without a message".to_owned());
        format!("version {} panics at {place}: {words}", env!("CARGO_PKG_VERSION"))
    })?;
    match outcome.disposition {
        Disposition::Send(len) => Ok(out.get(..len).map(<[u8]>::to_vec)),
        Disposition::Silence => Ok(None),
    }
}
