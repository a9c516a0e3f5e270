//! `meridian policy`.

use crate::cli::server::{Reached, ServerClient, complain, table};
use crate::cli::{Format, json, print};
use crate::control::protocol::Refusal;
use crate::control::protocol::policies::{Member, PanicGuard, Policies, Policy};
use hyper::Method;
use serde::Serialize;
use serde_json::Value;
use std::process::ExitCode;

/// Commands about policies.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum PolicyCommand {
    /// List the policies
    #[command(after_help = "Example:\n  meridian policy list --format json")]
    List {
        #[command(flatten)]
        server: ServerClient,
    },
    /// Show one policy, and the state of its PoPs
    #[command(after_help = "Example:\n  meridian policy show cdn.example./web")]
    Show {
        /// Name of the policy; in a zone file, behind the name of the zone
        name: String,
        #[command(flatten)]
        server: ServerClient,
    },
}

impl PolicyCommand {
    /// Asks and prints.
    pub(crate) fn run(self) -> ExitCode {
        let (server, path, name) = match &self {
            PolicyCommand::List { server } => (server, "/v1/policies".to_owned(), None),
            // Read from the list, because a name need not be fit for a path.
            PolicyCommand::Show { server, name } => (server, "/v1/policies".to_owned(), Some(name)),
        };
        let done = server.ask(Method::GET, &path).and_then(|reached| print_found(server, &reached, name));
        done.map_or_else(|status| status, |()| ExitCode::SUCCESS)
    }
}

/// Prints the list, or one policy.
fn print_found(server: &ServerClient, reached: &Reached, name: Option<&String>) -> Result<(), ExitCode> {
    let Policies { policies, .. } = reached.done()?;
    let Some(name) = name else {
        print(&match server.format {
            Format::Json => reached.json(),
            Format::Text => list(&policies),
        });
        return Ok(());
    };
    let Some(policy) = policies.iter().find(|policy| *policy.name == **name) else {
        let error = format!("there is no policy `{name}`; `meridian policy list` shows the names");
        return Err(complain(&Refusal::because(error)));
    };
    print(&match server.format {
        Format::Json => json(policy),
        Format::Text => show(policy),
    });
    Ok(())
}

/// Setting of a policy on one line, in words.
fn words<T: Serialize>(setting: &T) -> String {
    serde_json::to_value(setting).as_ref().map_or_else(ToString::to_string, plain)
}

/// Value on one line, in words.
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

fn list(policies: &[Policy]) -> String {
    let row = |policy: &Policy| {
        vec![
            policy.name.to_string(),
            policy.order.to_string(),
            policy.share.to_string(),
            policy.rules.len().to_string(),
            policy.members.len().to_string(),
            policy.scopes.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = policies.iter().map(row).collect();
    table(&["NAME", "ORDER", "SHARE", "RULES", "POPS", "SCOPES"], &rows)
}

fn show(policy: &Policy) -> String {
    let mut text = String::new();
    let mut line = |head: &str, words: &str| text.push_str(&format!("{head:<17} {words}\n"));
    line("name", &policy.name);
    line("service", &policy.service);
    line("candidates", &words(&policy.candidates));
    line("order", &policy.order);
    line("band", &policy.band);
    line("share", &policy.share);
    line("ttl", &words(&policy.ttl));
    line("answers", &policy.answers.to_string());
    line("when_all_down", &words(&policy.when_all_down));
    line("scopes", &policy.scopes.to_string());
    line("preference_lists", &policy.preference_lists.to_string());
    line("https", &policy.https.to_string());
    for (index, rule) in policy.rules.iter().enumerate() {
        let fence = if rule.fence { ", fenced" } else { "" };
        let when = if rule.when.is_empty() { "always" } else { &rule.when };
        line(&format!("rule {}", index + 1), &format!("{when}: {}{fence}", words(&rule.candidates)));
    }
    line("guard", &guard(policy));
    if policy.returning {
        line("pools", "RETURNING from all down: answered as before until enough PoPs are up");
    }
    let percent = |share: f64| if share > 0.0 { format!("{:.1} %", share * 100.0) } else { "-".to_owned() };
    let row = |member: &Member| {
        vec![
            member.pop.to_string(),
            member.state.to_string(),
            member.weight.to_string(),
            if member.serves.is_empty() { "down".to_owned() } else { member.serves.join(" ") },
            percent(member.left),
            percent(member.sheds),
        ]
    };
    let rows: Vec<Vec<String>> = policy.members.iter().map(row).collect();
    text + "\n" + &table(&["POP", "STATE", "WEIGHT", "SERVES", "LEFT", "SHEDS"], &rows)
}

/// Panic guard on one line.
fn guard(policy: &Policy) -> String {
    let PanicGuard::On(guard) = &policy.panic else { return words(&policy.panic) };
    format!(
        "{}, of more than {:.0} % that go down within {} s, for {} s",
        if policy.held { "HOLDS the state before" } else { "watches" },
        guard.share * 100.0,
        guard.window_secs,
        guard.hold_secs
    )
}
