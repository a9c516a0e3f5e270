//! `meridian pop`.

use crate::cli::server::{ServerClient, complain, table};
use crate::cli::when::{date_time, seconds};
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
    /// List PoPs: state in the file, override, and effective state
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
        /// Name of the operator; the user of this session unless given
        #[arg(long, default_value_t = author(), hide_default_value = true)]
        author: String,
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
    /// Author of the override; the user of this session unless given
    #[arg(long, default_value_t = author(), hide_default_value = true)]
    author: String,
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

/// Name of the user of this session, by the environment.
pub(crate) fn author() -> String {
    ["SUDO_USER", "USER"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()))
        .unwrap_or("unknown".to_owned())
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
            PopCommand::Acknowledge { author, server } => acknowledge(&server, &author),
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
    if server.format == Format::Json {
        print(&format!("{told:#}\n"));
        return Ok(ExitCode::SUCCESS);
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let rows: Vec<Vec<String>> = (told["pops"].as_array().into_iter().flatten())
        .map(|pop| {
            let by = [&pop["state_override"], &pop["weight_override"]].into_iter().find(|by| !by.is_null());
            vec![
                text(&pop["name"]),
                text(&pop["effective"]["state"]),
                health_in_words(pop),
                text(&pop["effective"]["weight"]),
                format!("{} {}", text(&pop["file"]["state"]), text(&pop["file"]["weight"])),
                (pop["progress"]["text"].as_str().map(str::to_owned).into_iter())
                    .chain(by.or_else(|| pop["plans"].get(0)).map(in_words))
                    .collect::<Vec<_>>()
                    .join("; "),
            ]
        })
        .collect();
    print(&table(&["POP", "STATE", "HEALTH", "WEIGHT", "FILE", "OVERRIDE"], &rows));
    for alarm in told["alarms"].as_array().into_iter().flatten() {
        print(&format!("alarm since {}: {}\n", text(&alarm["since"]), text(&alarm["text"])));
    }
    Ok(ExitCode::SUCCESS)
}

/// An override on one line.
fn in_words(by: &Value) -> String {
    let text = |key: &str| by[key].as_str().unwrap_or_default();
    let over = by["over_secs"]
        .as_u64()
        .filter(|secs| *secs > 0)
        .map(|secs| format!(" over {secs} s"))
        .unwrap_or_default();
    let start = by["start"].as_str().map(|start| format!(" from {start} on")).unwrap_or_default();
    let until = by["until"].as_str().map(|until| format!(" until {until}")).unwrap_or_default();
    format!(
        "{} {}{over}{start}{until}, {} at {}: {}",
        text("pops"),
        text("action"),
        text("author"),
        text("set"),
        text("reason")
    )
}

/// What probes make of a PoP, such as `up` or `up, flaps`.
fn health_in_words(pop: &Value) -> String {
    let health = pop["health"].as_str().unwrap_or("?");
    if pop["flaps"] == true { format!("{health}, flaps") } else { health.to_owned() }
}

/// A load feed on one line, such as `310 of 400 (78 %), target 80 %`.
fn feed_in_words(feed: &Value) -> String {
    let number = |key: &str| feed[key].as_f64().unwrap_or_default();
    let whose = feed["service"].as_str().map(|service| format!("{service}: ")).unwrap_or_default();
    let mut text = match feed["load"].as_f64() {
        Some(load) => format!(
            "{whose}{load:.0} of {:.0} ({:.0} %)",
            number("capacity"),
            load * 100.0 / number("capacity")
        ),
        None => format!("{whose}not known yet, of {:.0}", number("capacity")),
    };
    text.push_str(&format!(", target {:.0} %", number("target") * 100.0));
    if number("shed_share") > 0.0 {
        text.push_str(&format!(", sheds {:.1} % of its cells", number("shed_share") * 100.0));
        let to: Vec<String> = (feed["accept"].as_object().into_iter().flatten())
            .map(|(pop, share)| format!("{pop} accepts {:.0} %", share.as_f64().unwrap_or_default() * 100.0))
            .collect();
        text.push_str(&format!(
            " ({})",
            if to.is_empty() { "nobody accepts any".to_owned() } else { to.join(", ") }
        ));
    }
    if feed["stale"] == true {
        text.push_str(", stale");
    }
    if feed["no_room"] == true {
        text.push_str(", no PoP has room for its clients");
    }
    if feed["oscillates"] == true {
        text.push_str(", turns too often");
    }
    if let Some(told) = feed["last_error"].as_str() {
        text.push_str(&format!("; last error: {told}"));
    }
    text
}

/// A probed target on one line, such as
/// `192.0.2.10 default web: up for 5 min, 12 good in a row, 3 ms`.
fn target_in_words(target: &Value) -> String {
    let word = |key: &str| target[key].as_str().unwrap_or_default();
    let mut text = format!("{} {} {}: {}", word("address"), word("service"), word("probe"), word("verdict"));
    text.push_str(&format!(" for {} s", target["lasted_secs"]));
    for (key, words) in
        [("good_streak", "good in a row"), ("bad_streak", "bad in a row"), ("failures", "failures counted")]
    {
        if let Some(count) = target[key].as_u64().filter(|count| *count > 0) {
            text.push_str(&format!(", {count} {words}"));
        }
    }
    if let Some(checks) = target["checks_to_flip"].as_u64() {
        text.push_str(&format!(", may turn after {checks} more"));
    }
    if let Some(micros) = target["latency_micros"].as_u64() {
        text.push_str(&format!(", {}.{} ms", micros / 1000, micros % 1000 / 100));
    }
    if let Some(days) = target["certificate_days"].as_i64() {
        text.push_str(&format!(", certificate for {days} days"));
    }
    if let Some(secs) = target["damped_secs"].as_u64() {
        text.push_str(&format!(", flaps: a last resort for {secs} s"));
    } else if let Some(turns) = target["turns"].as_u64().filter(|turns| *turns > 1) {
        text.push_str(&format!(", turned {turns} times of late"));
    }
    if target["frozen"] == true {
        text.push_str(", frozen: all canaries fail");
    }
    for (key, words) in [("degraded", "but"), ("last_error", "last error:")] {
        if let Some(told) = target[key].as_str() {
            text.push_str(&format!("; {words} {told}"));
        }
    }
    text
}

fn show(server: &ServerClient, name: &str) -> Result<ExitCode, ExitCode> {
    let told = pops(server)?;
    let found = told["pops"].as_array().into_iter().flatten().find(|pop| pop["name"] == name);
    let Some(pop) = found else {
        return Err(complain(
            &json!({ "error": format!("there is no PoP `{name}`; `meridian pop list` tells their names") }),
        ));
    };
    if server.format == Format::Json {
        print(&format!("{pop:#}\n"));
        return Ok(ExitCode::SUCCESS);
    }
    let both = |side: &Value| format!("{}, weight {}", side["state"].as_str().unwrap_or("?"), side["weight"]);
    let tags: Vec<&str> = pop["tags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut text = format!("{name}\n  tags       {}\n  file       {}\n", tags.join(", "), both(&pop["file"]));
    for by in [&pop["state_override"], &pop["weight_override"]].into_iter().filter(|by| !by.is_null()) {
        text.push_str(&format!("  override   {}\n", in_words(by)));
    }
    text.push_str(&format!("  in force   {}\n", both(&pop["effective"])));
    if let Some(progress) = pop["progress"]["text"].as_str() {
        text.push_str(&format!("  progress   {progress}\n"));
    }
    for plan in pop["plans"].as_array().into_iter().flatten() {
        text.push_str(&format!("  planned    {}\n", in_words(plan)));
    }
    text.push_str(&format!("  health     {}\n", health_in_words(pop)));
    for feed in pop["feeds"].as_array().into_iter().flatten() {
        text.push_str(&format!("  load       {}\n", feed_in_words(feed)));
    }
    if let Some(left) = pop["ramp_left"].as_f64().filter(|left| *left > 0.0) {
        text.push_str(&format!("  ramp       {:.1} % of its cells are still to come back\n", left * 100.0));
    }
    for target in pop["targets"].as_array().into_iter().flatten() {
        text.push_str(&format!("  target     {}\n", target_in_words(target)));
    }
    print(&text);
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
            told(&looked, &forecast, "would be done; nothing was changed\n")
        });
        return Ok(ExitCode::SUCCESS);
    }
    if !how.yes && prediction::moves(&forecast) {
        let _ = std::io::stderr().write_all(told(&looked, &forecast, "").as_bytes());
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
        told(&done, &forecast, "done\n")
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
fn told(told: &Value, forecast: &Value, end: &str) -> String {
    let side = |side: &Value| format!("{} {}", side["state"].as_str().unwrap_or("?"), side["weight"]);
    let rows: Vec<Vec<String>> = (told["pops"].as_array().into_iter().flatten())
        .map(|pop| {
            vec![pop["name"].as_str().unwrap_or("?").to_owned(), side(&pop["before"]), side(&pop["after"])]
        })
        .collect();
    let mut text = table(&["POP", "BEFORE", "AFTER"], &rows);
    text.push_str(&prediction::text(forecast));
    for warning in told["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        text.push_str(&format!("note: {warning}\n"));
    }
    text + end
}

fn load(server: &ServerClient, pop: &str, service: Option<&str>, value: f64) -> Result<ExitCode, ExitCode> {
    if !value.is_finite() || value < 0.0 {
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

fn acknowledge(server: &ServerClient, author: &str) -> Result<ExitCode, ExitCode> {
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
