//! `meridian pop`.

mod shown;

use crate::cli::server::{ServerClient, complain, table};
use crate::cli::when::{date_time, moment, seconds};
use crate::cli::{Format, json, prediction, print};
use crate::control::protocol::Refusal;
use crate::control::protocol::overrides::{
    AcknowledgeRequest, Acknowledged, AskedWeight, OverrideReply, OverrideRequest, PopChange,
};
use crate::control::protocol::pops::{Pops, Setting};
use crate::control::protocol::pushes::{LoadPushRequest, Taken};
use crate::rfc3339;
use crate::steer::ledger::Selector;
use hyper::Method;
use std::io::Write;
use std::process::ExitCode;

/// Commands about PoPs.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum PopCommand {
    /// List PoPs: in service or not and since when, health, load, ramps, overrides
    #[command(after_help = "Example:\n  meridian pop list --tag eu")]
    List {
        /// Only PoPs with this tag
        #[arg(long)]
        tag: Option<String>,
        #[command(flatten)]
        server: ServerClient,
    },
    /// Show one PoP
    #[command(after_help = "Example:\n  meridian pop show fra")]
    Show {
        /// Name of the PoP
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
    /// Keep PoPs out of answers, even if all others are down
    #[command(after_help = "Example:\n  meridian pop down fra --reason \"on fire\"")]
    Down(Say),
    /// Keep PoPs out of answers while another PoP can answer
    #[command(
        after_help = "Examples:\n  meridian pop drain 'eu-*' --for 2h --reason \"maintenance\"\n  meridian \
            pop drain fra --over 30m --at 22:00 --reason \"new switch\""
    )]
    Drain(Say),
    /// Remove overrides, so that file and probes decide again
    #[command(after_help = "Example:\n  meridian pop auto fra")]
    Auto(Say),
    /// Bring PoPs back step by step: the cells that left last return first
    #[command(after_help = "Example:\n  meridian pop ramp fra --over 30m")]
    Ramp(Say),
    /// Override the weight of PoPs
    #[command(
        after_help = "Examples:\n  meridian pop weight fra 20 --reason \"half the machines\"\n  meridian pop \
            weight fra auto"
    )]
    Weight {
        /// A name, a pattern, or `tag:...`
        selector: String,
        /// The weight, or `auto` for the weight of the file
        weight: String,
        #[command(flatten)]
        how: How,
    },
    /// Push the present load of a PoP to its load feed of kind `push`
    #[command(
        after_help = "Examples:\n  meridian pop load fra 350\n  meridian pop load fra 7200 --service video"
    )]
    Load {
        /// Name of the PoP
        pop: String,
        /// The load now, in the unit of the capacity
        value: f64,
        /// Service of the load; without it the load is that of the whole PoP
        #[arg(long)]
        service: Option<String>,
        #[command(flatten)]
        server: ServerClient,
    },
    /// End the alarm about an unreadable ledger of overrides
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
    /// Duration of the override (`30s`, `2h`, `1h30m`); without it the override stays until removed
    #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
    lasts: Option<u64>,
    /// Reason; required, except to remove an override
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    /// Name to note beside the user that the system reports; it is shown as a claim
    #[arg(long)]
    author: Option<String>,
    /// Ignore safety rules
    #[arg(long)]
    force: bool,
    /// Apply the override before it is on disk, for a state disk that hangs or is full
    #[arg(long)]
    unsaved: bool,
    /// Apply the override without a question, even if clients move
    #[arg(long, short)]
    yes: bool,
    /// Show the changes and the clients that would move, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    server: ServerClient,
}

impl PopCommand {
    /// Asks the server, and prints its reply.
    pub(crate) fn run(self) -> ExitCode {
        let done = match self {
            PopCommand::List { tag, server } => list(&server, tag.as_deref()),
            PopCommand::Show { name, server } => show(&server, &name),
            PopCommand::Up(say) => change_state(say, "up"),
            PopCommand::Down(say) => change_state(say, "down"),
            PopCommand::Drain(say) => change_state(say, "drain"),
            PopCommand::Auto(say) => change_state(say, "auto"),
            PopCommand::Ramp(Say { how: How { over: None, .. }, .. }) => {
                Err(wrong("a ramp needs its duration: --over 30m; `pop auto` brings PoPs back at once"))
            }
            PopCommand::Ramp(say) => change_state(say, "auto"),
            PopCommand::Weight { selector, weight, how } => change_weight(selector, &weight, &how),
            PopCommand::Load { pop, value, service, server } => load(&server, pop, service, value),
            PopCommand::Acknowledge { author, server } => acknowledge(&server, author),
        };
        done.unwrap_or_else(|status| status)
    }
}

fn wrong(sentence: &str) -> ExitCode {
    complain(&Refusal::because(sentence));
    ExitCode::from(2)
}

fn list(server: &ServerClient, tag: Option<&str>) -> Result<ExitCode, ExitCode> {
    let reached = server.ask(Method::GET, "/v1/pops")?;
    let mut page: Pops = reached.done()?;
    if let Some(tag) = tag {
        page.pops.retain(|pop| pop.tags.iter().any(|other| **other == *tag));
    }
    print(&match (server.format, tag) {
        (Format::Json, None) => reached.json(),
        (Format::Json, Some(_)) => json(&page),
        (Format::Text, _) => shown::list(&page),
    });
    Ok(ExitCode::SUCCESS)
}

fn show(server: &ServerClient, name: &str) -> Result<ExitCode, ExitCode> {
    // Read from the list, because a name need not be fit for a path.
    let Pops { pops, .. } = server.ask(Method::GET, "/v1/pops")?.done()?;
    let Some(pop) = pops.iter().find(|pop| *pop.name == *name) else {
        let error = format!("there is no PoP `{name}`; `meridian pop list` shows the names");
        return Err(complain(&Refusal::because(error)));
    };
    print(&match server.format {
        Format::Json => json(pop),
        Format::Text => shown::one(pop),
    });
    Ok(ExitCode::SUCCESS)
}

fn change_state(say: Say, state: &str) -> Result<ExitCode, ExitCode> {
    let request =
        OverrideRequest { pops: say.selectors, state: Some(state.to_owned()), ..OverrideRequest::default() };
    change(request, state == "auto", &say.how)
}

fn change_weight(selector: String, weight: &str, how: &How) -> Result<ExitCode, ExitCode> {
    let asked = match weight.parse::<u32>() {
        Ok(number) => AskedWeight::Number(number.into()),
        Err(_) if weight == "auto" => AskedWeight::Word(weight.to_owned()),
        Err(_) => return Err(wrong("the weight is `auto` or a whole number")),
    };
    let request = OverrideRequest { pops: vec![selector], weight: Some(asked), ..OverrideRequest::default() };
    change(request, weight == "auto", how)
}

/// Name to claim: the one given, else that of the user who called `sudo`. A server in its sandbox
/// cannot read the environment of this process.
fn claimed(author: Option<String>) -> Option<String> {
    author.or_else(|| std::env::var("SUDO_USER").ok())
}

/// Predicts an override, asks whether clients may move, and sets it.
fn change(request: OverrideRequest, is_removal: bool, how: &How) -> Result<ExitCode, ExitCode> {
    if !is_removal && !how.dry_run && how.reason.trim().is_empty() {
        return Err(wrong("an override needs a reason: --reason \"...\""));
    }
    for selector in &request.pops {
        Selector::parse(selector).map_err(|sentence| wrong(&sentence))?;
    }
    let mut request = OverrideRequest {
        author: claimed(how.author.clone()),
        reason: how.reason.clone(),
        for_secs: how.lasts,
        over_secs: how.over.unwrap_or(0),
        start: how.at.map(rfc3339::date_time),
        force: how.force,
        unsaved: how.unsaved,
        dry_run: true,
        ..request
    };
    // Predicted first, so that the operator sees the clients before they move.
    let (predicted, raw) = ask(how, &request)?;
    if how.dry_run {
        print(&match how.server.format {
            Format::Json => raw,
            Format::Text => told(&predicted, how.at, "would be done; nothing was changed\n"),
        });
        return Ok(ExitCode::SUCCESS);
    }
    if !how.yes && prediction::moves(predicted.forecast.as_ref()) {
        let _ = std::io::stderr().write_all(told(&predicted, how.at, "").as_bytes());
        match prediction::asked() {
            Some(true) => {}
            Some(false) => return Err(wrong("nothing was changed")),
            None => {
                return Err(wrong(
                    "clients would move, and there is no terminal for the question: repeat with --yes, or \
                     with --dry-run to see the clients; nothing was changed",
                ));
            }
        }
    }
    request.dry_run = false;
    let (done, _) = ask(how, &request)?;
    let done = OverrideReply { forecast: predicted.forecast, ..done };
    print(&match how.server.format {
        Format::Json => json(&done),
        Format::Text => told(&done, how.at, "done\n"),
    });
    Ok(ExitCode::SUCCESS)
}

/// Sends an override to the server, and returns its reply, read and as the server wrote it. Prints
/// a refusal.
fn ask(how: &How, request: &OverrideRequest) -> Result<(OverrideReply, String), ExitCode> {
    let reached = how.server.post("/v1/overrides", request)?;
    if !reached.is_done() && how.server.format == Format::Json {
        print(&reached.json());
        return Err(ExitCode::FAILURE);
    }
    Ok((reached.done()?, reached.json()))
}

/// Reply to an override, as text.
fn told(reply: &OverrideReply, at: Option<u64>, end: &str) -> String {
    let side = |side: &Setting| format!("{} {}", side.state, side.weight);
    let row = |pop: &PopChange| vec![pop.name.to_string(), side(&pop.before), side(&pop.after)];
    let rows: Vec<Vec<String>> = reply.pops.iter().map(row).collect();
    let mut text = table(&["POP", "BEFORE", "AFTER"], &rows);
    if let Some(at) = at {
        text.push_str(&format!("begins at {}\n", moment(at)));
    }
    text.push_str(&prediction::text(reply.forecast.as_ref()));
    reply.warnings.iter().for_each(|warning| text.push_str(&format!("note: {warning}\n")));
    text + end
}

fn load(
    server: &ServerClient,
    pop: String,
    service: Option<String>,
    value: f64,
) -> Result<ExitCode, ExitCode> {
    if value == f64::INFINITY {
        return Err(wrong("a load is a finite number: this one is infinite or too large (over 1.7e308)"));
    }
    if value.is_nan() || value < 0.0 {
        return Err(wrong("a load is a number from 0"));
    }
    let reached = server.post("/v1/load/push", &LoadPushRequest { pop, service, value })?;
    reached.done::<Taken>()?;
    print(&if server.format == Format::Json { reached.json() } else { "taken\n".to_owned() });
    Ok(ExitCode::SUCCESS)
}

fn acknowledge(server: &ServerClient, author: Option<String>) -> Result<ExitCode, ExitCode> {
    let reached = server.post("/v1/ledger/acknowledge", &AcknowledgeRequest { author: claimed(author) })?;
    let Acknowledged { over, .. } = reached.done()?;
    print(&match server.format {
        Format::Json => reached.json(),
        Format::Text if over.is_empty() => "there is no alarm\n".to_owned(),
        Format::Text => over.iter().map(|line| format!("acknowledged: {line}\n")).collect(),
    });
    Ok(ExitCode::SUCCESS)
}
