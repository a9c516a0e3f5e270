//! `meridian policy`.

use crate::cli::server::{ServerClient, complain, table};
use crate::cli::{Format, print};
use hyper::{Method, StatusCode};
use serde_json::Value;
use std::process::ExitCode;

/// What is asked of policies.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum PolicyCommand {
    /// List the policies
    #[command(after_help = "Example:\n  meridian policy list --format json")]
    List {
        #[command(flatten)]
        server: ServerClient,
    },
    /// Show one policy, and where its PoPs stand
    #[command(after_help = "Example:\n  meridian policy show cdn.example./web")]
    Show {
        /// Its name; policies of a zone file begin with the zone
        name: String,
        #[command(flatten)]
        server: ServerClient,
    },
}

impl PolicyCommand {
    /// Asks and prints.
    pub(crate) fn run(self) -> ExitCode {
        let (server, path, name) = match &self {
            PolicyCommand::List { server } => (server, "/policies".to_owned(), None),
            // Read from the list: a name need not be fit for a path.
            PolicyCommand::Show { server, name } => (server, "/policies".to_owned(), Some(name)),
        };
        let (status, mut told) = match server.ask(Method::GET, &path, None) {
            Ok(answer) => answer,
            Err(status) => return status,
        };
        if status != StatusCode::OK {
            return complain(&told);
        }
        if let Some(name) = name {
            let found = told["policies"]
                .as_array()
                .into_iter()
                .flatten()
                .find(|policy| policy["name"] == **name)
                .cloned();
            let Some(policy) = found else {
                return complain(&serde_json::json!({ "error": format!(
                        "there is no policy `{name}`; `meridian policy list` tells their names") }));
            };
            told = policy;
        }
        print(&match (server.format, name) {
            (Format::Json, _) => format!("{told:#}\n"),
            (Format::Text, None) => list(&told),
            (Format::Text, Some(_)) => show(&told),
        });
        ExitCode::SUCCESS
    }
}

/// A value on one line, in words.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        Value::Array(members) => {
            let one = |member: &Value| match member {
                Value::Array(_) => format!("[{}]", plain(member)),
                _ => plain(member),
            };
            members.iter().map(one).collect::<Vec<_>>().join(" ")
        }
        Value::Object(fields) => {
            let one = |(key, value): (&String, &Value)| format!("{key} {}", plain(value));
            fields.iter().map(one).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

fn list(told: &Value) -> String {
    let rows: Vec<Vec<String>> = (told["policies"].as_array().into_iter().flatten())
        .map(|policy| {
            let count = |key: &str| policy[key].as_array().map_or(0, Vec::len).to_string();
            vec![
                plain(&policy["name"]),
                plain(&policy["order"]),
                plain(&policy["share"]),
                count("rules"),
                count("members"),
                plain(&policy["scopes"]),
            ]
        })
        .collect();
    table(&["NAME", "ORDER", "SHARE", "RULES", "POPS", "SCOPES"], &rows)
}

fn show(policy: &Value) -> String {
    let keys = [
        "name",
        "service",
        "candidates",
        "order",
        "band",
        "share",
        "ttl",
        "answers",
        "when_all_down",
        "scopes",
        "preference_lists",
        "https",
    ];
    let mut text: String = keys.iter().map(|key| format!("{key:<17} {}\n", plain(&policy[*key]))).collect();
    for (index, rule) in policy["rules"].as_array().into_iter().flatten().enumerate() {
        let fence = if rule["fence"] == true { ", fenced" } else { "" };
        let when = rule["when"].as_str().filter(|when| !when.is_empty()).unwrap_or("always");
        text.push_str(&format!("rule {:<12} {when}: {}{fence}\n", index + 1, plain(&rule["candidates"])));
    }
    text.push_str(&format!("{:<17} {}\n", "guard", guard(policy)));
    if policy["returning"] == true {
        let words = "RETURNING from all down: answered as before until enough PoPs are up";
        text.push_str(&format!("{:<17} {words}\n", "pools"));
    }
    let percent = |share: &Value| {
        share
            .as_f64()
            .filter(|share| *share > 0.0)
            .map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0))
    };
    let row = |member: &Value| {
        let serves: Vec<String> = member["serves"].as_array().into_iter().flatten().map(plain).collect();
        let serves = if serves.is_empty() { "down".to_owned() } else { serves.join(" ") };
        [
            plain(&member["pop"]),
            plain(&member["state"]),
            plain(&member["weight"]),
            serves,
            percent(&member["left"]),
            percent(&member["sheds"]),
        ]
        .to_vec()
    };
    let rows: Vec<Vec<String>> = policy["members"].as_array().into_iter().flatten().map(row).collect();
    text + "\n" + &table(&["POP", "STATE", "WEIGHT", "SERVES", "LEFT", "SHEDS"], &rows)
}

/// The panic guard on one line.
fn guard(policy: &Value) -> String {
    let panic = &policy["panic"];
    let number = |key: &str| panic[key].as_f64().unwrap_or_default();
    match (panic.as_object(), policy["held"] == true) {
        (None, _) => plain(panic),
        (Some(_), is_held) => format!(
            "{}, of more than {:.0} % that go down within {} s, for {} s",
            if is_held { "HOLDS the state before" } else { "watches" },
            number("share") * 100.0,
            number("window_secs"),
            number("hold_secs")
        ),
    }
}
