//! `meridian limits`: messages and connections that a running server has dropped, and the client
//! prefixes that its rate limits meet most often.

use crate::cli::server::{ServerClient, table};
use crate::cli::{Format, print};
use crate::control::protocol::status::{OverloadStatus, Status};
use hyper::Method;
use std::process::ExitCode;

/// Show messages and connections that a running server has dropped, and heavy clients.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Counts of messages and connections begin at the start of the server. The answers of a prefix past a rate limit
are estimated from one in eight, and halve every minute. `--format json` prints the whole status.

Exit status: 0 shown, 1 refused, 2 no server answers.

Examples:
  meridian limits
  meridian limits --format json")]
pub(crate) struct Limits {
    #[command(flatten)]
    server: ServerClient,
}

impl Limits {
    /// Asks and prints.
    pub(crate) fn run(self) -> ExitCode {
        let done = self.server.ask(Method::GET, "/status").and_then(|reached| {
            let status: Status = reached.done()?;
            print(&match self.server.format {
                Format::Json => reached.json(),
                Format::Text => text(&status),
            });
            Ok(())
        });
        done.map_or_else(|status| status, |()| ExitCode::SUCCESS)
    }
}

/// Both tables. A reason without a message or connection has no row.
fn text(status: &Status) -> String {
    let rows: Vec<Vec<String>> = (status.lanes.iter())
        .flat_map(|(transport, lane)| lane.dropped.iter().map(move |dropped| (transport, dropped)))
        .filter(|(_, (_, count))| **count > 0)
        .map(|(transport, (reason, count))| {
            vec![transport.to_string(), reason.to_string(), count.to_string()]
        })
        .collect();
    let dropped = if rows.is_empty() {
        "no message or connection was dropped\n".to_owned()
    } else {
        table(&["TRANSPORT", "REASON", "DROPPED"], &rows)
    };
    let prefixes: Vec<Vec<String>> = (status.rate_limited.iter())
        .map(|limited| vec![limited.prefix.clone(), limited.answers.to_string()])
        .collect();
    let limited = if prefixes.is_empty() {
        "no client prefix is known to be past a rate limit in the last minutes (`rate_limit` may be off)\n"
            .to_owned()
    } else {
        table(&["PREFIX", "ANSWERS PAST A RATE LIMIT"], &prefixes)
    };
    let overload = status.overload.as_ref().map(overload).unwrap_or_default();
    format!("{dropped}\n{limited}{overload}")
}

/// The state of `overload`, if it is on.
fn overload(overload: &OverloadStatus) -> String {
    let OverloadStatus { known_prefixes, passing_prefixes, share, refused } = overload;
    let now = if *share < 1.0 {
        format!(
            "strangers are shed now: all queries of {passing_prefixes} known prefixes pass, and {:.1} % of \
             the others",
            share * 100.0
        )
    } else if *refused {
        "nothing is shed, because the kernel takes no filter (see the log)".to_owned()
    } else {
        "nothing is shed now".to_owned()
    };
    format!("\noverload: {known_prefixes} known prefixes; {now}\n")
}

#[cfg(test)]
mod tests;
