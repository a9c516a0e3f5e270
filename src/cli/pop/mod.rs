//! `meridian pop`.

mod shown;

use crate::cli::server::{ServerClient, complain, table};
use crate::cli::when::{date_time, moment, seconds};
use crate::cli::{Format, prediction, print};
use crate::rfc3339;
use crate::steer::ledger::Selector;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use std::io::Write;
use std::process::ExitCode;

/// Commands about PoPs.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum PopCommand {
    /// List PoPs: in service or not and since when, health, load, ramps, overrides
    #[command(after_help = "Example:\n  meridian pop list --tag eu")]
    List {
        /// Only those with this tag
        #[arg(long)]
        tag: Option<String>,
        #[command(flatten)]
        server: ServerClient,
    },
    /// Show one PoP
    #[command(after_help = "Example:\n  meridian pop show fra")]
    Show {
        /// Its name
        #[arg(value_name = "POP")]
        name: String,
        #[command(flatten)]
        server: ServerClient,
    },
    /// Put PoPs into service, whatever probes report
    #[command(
        after_help = "Example:\n  meridian pop up fra --for 30m --reason \"the probe is wrong, ticket 4711\""
    )]
    Up(Say),
    /// Never answer PoPs, not even when everything else is down
    #[command(after_help = "Example:\n  meridian pop down fra --reason \"on fire\"")]
    Down(Say),
    /// Answer PoPs only when nothing else passes
    #[command(
        after_help = "Examples:\n  meridian pop drain 'eu-*' --for 2h --reason \"maintenance\"\n  meridian \
            pop drain fra --over 30m --at 22:00 --reason \"new switch\""
    )]
    Drain(Say),
    /// Remove overrides, so that file and probes decide again
    #[command(after_help = "Example:\n  meridian pop auto fra")]
    Auto(Say),
    /// Bring PoPs back step by step: the cells that left last come first
    #[command(after_help = "Example:\n  meridian pop ramp fra --over 30m")]
    Ramp(Say),
    /// Give PoPs another weight
    #[command(
        after_help = "Examples:\n  meridian pop weight fra 20 --reason \"half the machines\"\n  meridian pop \
            weight fra auto"
    )]
    Weight {
        /// A name, a pattern, or `tag:...`
        selector: String,
        /// The weight, or `auto` for what the file says
        weight: String,
        #[command(flatten)]
        how: How,
    },
    /// Tell how full a PoP is now: the number of its load feed of kind `push`
    #[command(
        after_help = "Examples:\n  meridian pop load fra 350\n  meridian pop load fra 7200 --service video"
    )]
    Load {
        /// The name of the PoP
        pop: String,
        /// The load now, in the unit of the capacity
        value: f64,
        /// The service that it is the load of; the whole PoP unless given
        #[arg(long)]
        service: Option<String>,
        #[command(flatten)]
        server: ServerClient,
    },
    /// End the alarm of a ledger of overrides that could not be read
    #[command(after_help = "Example:\n  meridian pop acknowledge")]
    Acknowledge {
        /// Name to note beside the user that the system reports
        #[arg(long)]
        author: Option<String>,
        #[command(flatten)]
        server: ServerClient,
    },
}

/// Selectors and options of an override.
#[derive(Debug, clap::Args)]
pub(crate) struct Say {
    /// Names, patterns (`eu-*`), or tags (`tag:eu`)
    #[arg(required = true, value_name = "SELECTOR")]
    selectors: Vec<String>,
    #[command(flatten)]
    how: How,
}

/// Options of an override.
#[derive(Debug, clap::Args)]
pub(crate) struct How {
    /// Come into force step by step within this time; each cell moves once
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    over: Option<u64>,
    /// Begin at this time: `22:00` (UTC), `+10m`, `2026-03-01T22:00:00Z`; TTLs are lowered ahead
    #[arg(long, value_name = "MOMENT", value_parser = date_time)]
    at: Option<u64>,
    /// How long the override holds (`30s`, `2h`, `1h30m`); until it is removed unless given
    #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
    lasts: Option<u64>,
    /// Reason; required, except to remove an override
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    /// Name to note beside the user that the system reports; it is shown as a claim
    #[arg(long)]
    author: Option<String>,
    /// Pass over safety rules
    #[arg(long)]
    force: bool,
    /// Apply it in memory before the disk has it, for a state disk that hangs or is full
    #[arg(long)]
    unsaved: bool,
    /// Do it without asking, also where clients move
    #[arg(long, short)]
    yes: bool,
    /// Tell what would change and which clients would move, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    server: ServerClient,
}

impl PopCommand {
    /// Asks the server, and prints what it tells.
    pub(crate) fn run(self) -> ExitCode {
        let done = match self {
            PopCommand::List { tag, server } => list(&server, tag.as_deref()),
            PopCommand::Show { name, server } => show(&server, &name),
            PopCommand::Up(say) => change(say.selectors, "state", "up", &say.how),
            PopCommand::Down(say) => change(say.selectors, "state", "down", &say.how),
            PopCommand::Drain(say) => change(say.selectors, "state", "drain", &say.how),
            PopCommand::Auto(say) => change(say.selectors, "state", "auto", &say.how),
            PopCommand::Ramp(Say { how: How { over: None, .. }, .. }) => {
                Err(wrong("say how long the ramp takes: --over 30m; `pop auto` does it at once"))
            }
            PopCommand::Ramp(say) => change(say.selectors, "state", "auto", &say.how),
            PopCommand::Weight { selector, weight, how } => change(vec![selector], "weight", &weight, &how),
            PopCommand::Load { pop, value, service, server } => {
                load(&server, &pop, service.as_deref(), value)
            }
            PopCommand::Acknowledge { author, server } => acknowledge(&server, author.as_deref()),
        };
        done.unwrap_or_else(|status| status)
    }
}

fn wrong(sentence: &str) -> ExitCode {
    complain(&json!({ "error": sentence }));
    ExitCode::from(2)
}

fn pops(server: &ServerClient) -> Result<Value, ExitCode> {
    let (status, told) = server.ask(Method::GET, "/pops", None)?;
    if status == StatusCode::OK { Ok(told) } else { Err(complain(&told)) }
}

fn list(server: &ServerClient, tag: Option<&str>) -> Result<ExitCode, ExitCode> {
    let mut told = pops(server)?;
    if let (Some(tag), Some(pops)) = (tag, told["pops"].as_array_mut()) {
        pops.retain(|pop| pop["tags"].as_array().is_some_and(|tags| tags.iter().any(|t| t == tag)));
    }
    print(&match server.format {
        Format::Json => format!("{told:#}\n"),
        Format::Text => shown::list(&told),
    });
    Ok(ExitCode::SUCCESS)
}

fn show(server: &ServerClient, name: &str) -> Result<ExitCode, ExitCode> {
    let told = pops(server)?;
    let found = told["pops"].as_array().into_iter().flatten().find(|pop| pop["name"] == name);
    let Some(pop) = found else {
        return Err(complain(
            &json!({ "error": format!("there is no PoP `{name}`; `meridian pop list` tells their names") }),
        ));
    };
    print(&match server.format {
        Format::Json => format!("{pop:#}\n"),
        Format::Text => shown::one(pop),
    });
    Ok(ExitCode::SUCCESS)
}

fn change(selectors: Vec<String>, key: &str, word: &str, how: &How) -> Result<ExitCode, ExitCode> {
    let value = match (key, word.parse::<u32>()) {
        ("weight", Ok(weight)) => json!(weight),
        ("weight", Err(_)) if word != "auto" => return Err(wrong("the weight is `auto` or a whole number")),
        _ => json!(word),
    };
    if word != "auto" && how.reason.trim().is_empty() {
        return Err(wrong("an override needs a reason: --reason \"...\""));
    }
    for selector in &selectors {
        Selector::parse(selector).map_err(|sentence| wrong(&sentence))?;
    }
    let mut body = json!({
        "pops": selectors,
        "author": how.author,
        "reason": how.reason,
        "for_secs": how.lasts,
        "over_secs": how.over.unwrap_or(0),
        "start": how.at.map(rfc3339::date_time),
        "force": how.force,
        "unsaved": how.unsaved,
        "dry_run": true,
    });
    body[key] = value;
    // Looked at first, so that whoever asks sees what moves before it does.
    let looked = ask(how, &body)?;
    let forecast = looked["forecast"].clone();
    if how.dry_run {
        print(&if how.server.format == Format::Json {
            format!("{looked:#}\n")
        } else {
            told(&looked, &forecast, how.at, "would be done; nothing was changed\n")
        });
        return Ok(ExitCode::SUCCESS);
    }
    if !how.yes && prediction::moves(&forecast) {
        let _ = std::io::stderr().write_all(told(&looked, &forecast, how.at, "").as_bytes());
        match prediction::asked() {
            Some(true) => {}
            Some(false) => return Err(wrong("nothing was changed")),
            None => {
                return Err(wrong(
                    "clients would move, and nobody can be asked: say --yes, or --dry-run to look; nothing \
                     was changed",
                ));
            }
        }
    }
    body["dry_run"] = json!(false);
    let mut done = ask(how, &body)?;
    done["forecast"] = forecast.clone();
    print(&if how.server.format == Format::Json {
        format!("{done:#}\n")
    } else {
        told(&done, &forecast, how.at, "done\n")
    });
    Ok(ExitCode::SUCCESS)
}

/// Passes a change to the server; a refusal is told.
fn ask(how: &How, body: &Value) -> Result<Value, ExitCode> {
    let (status, told) = how.server.ask(Method::POST, "/pops/override", Some(body))?;
    match (status, how.server.format) {
        (StatusCode::OK, _) => Ok(told),
        (_, Format::Text) => Err(complain(&told)),
        (_, Format::Json) => {
            print(&format!("{told:#}\n"));
            Err(ExitCode::FAILURE)
        }
    }
}

/// What came of a change.
fn told(told: &Value, forecast: &Value, at: Option<u64>, end: &str) -> String {
    let side = |side: &Value| format!("{} {}", side["state"].as_str().unwrap_or("?"), side["weight"]);
    let rows: Vec<Vec<String>> = (told["pops"].as_array().into_iter().flatten())
        .map(|pop| {
            vec![pop["name"].as_str().unwrap_or("?").to_owned(), side(&pop["before"]), side(&pop["after"])]
        })
        .collect();
    let mut text = table(&["POP", "BEFORE", "AFTER"], &rows);
    if let Some(at) = at {
        text.push_str(&format!("begins at {}\n", moment(at)));
    }
    text.push_str(&prediction::text(forecast));
    for warning in told["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        text.push_str(&format!("note: {warning}\n"));
    }
    text + end
}

fn load(server: &ServerClient, pop: &str, service: Option<&str>, value: f64) -> Result<ExitCode, ExitCode> {
    if value == f64::INFINITY {
        return Err(wrong("a load is a finite number: this one is infinite or too large (over 1.7e308)"));
    }
    if value.is_nan() || value < 0.0 {
        return Err(wrong("a load is a number from 0"));
    }
    let mut body = json!({ "pop": pop, "value": value });
    if let Some(service) = service {
        body["service"] = json!(service);
    }
    let (status, told) = server.ask(Method::POST, "/load/push", Some(&body))?;
    if status != StatusCode::OK {
        return Err(complain(&told));
    }
    print(&if server.format == Format::Json { format!("{told:#}\n") } else { "taken\n".to_owned() });
    Ok(ExitCode::SUCCESS)
}

fn acknowledge(server: &ServerClient, author: Option<&str>) -> Result<ExitCode, ExitCode> {
    let (status, told) =
        server.ask(Method::POST, "/ledger/acknowledge", Some(&json!({ "author": author })))?;
    if status != StatusCode::OK {
        return Err(complain(&told));
    }
    if server.format == Format::Json {
        print(&format!("{told:#}\n"));
        return Ok(ExitCode::SUCCESS);
    }
    let over: Vec<&str> = told["over"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    print(&if over.is_empty() {
        "there is no alarm\n".to_owned()
    } else {
        over.iter().map(|line| format!("acknowledged: {line}\n")).collect()
    });
    Ok(ExitCode::SUCCESS)
}
