//! Explanation of the answer that a client gets.
//!
//! The function that serves queries computes the answer, with a trace that records its steps, so
//! that the explained answer is the served one (law 7, tests/laws/served). The function reads the
//! served snapshot, or one that would be served. Other facts are looked up separately: places in
//! the databases from which the snapshot was compiled ([`places`]), and reasons for the state of a
//! PoP (overrides, probes, load) in the operator view.
//!
//! The server and `meridian explain --files` share this renderer, so that their texts agree.

pub(crate) mod dig;
mod places;
mod reasons;
mod story;

use crate::access::{Action, Verdict};
use crate::answer::bare::{Message, refuse};
use crate::answer::{self, Client, Disposition, Outcome, QueryContext, Transport};
use crate::geo::place::Coordinates;
use crate::geo::prefix::Prefix;
use crate::limits::MESSAGE_MAX;
use crate::rfc3339;
use crate::shared::one_line;
use crate::shared::operator_view::OperatorView;
use crate::snapshot::Snapshot;
use crate::steer::pop::PopId;
use crate::steer::view::Supposed;
use crate::wire::name::Name;
use crate::wire::rr::RrType;
use places::Places;
pub(crate) use places::ReadFile;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use story::Story;

/// Query to explain, with suppositions about PoPs.
#[derive(Clone, Debug)]
pub struct ExplainQuery {
    /// QNAME.
    pub name: Name,
    /// QTYPE.
    pub rtype: RrType,
    /// Address of the resolver; `None` stands for an address that is in no database.
    pub client: Option<IpAddr>,
    /// Client subnet.
    pub ecs: Option<Prefix>,
    /// Supposed states of PoPs, by name. They replace the current states.
    pub supposed: Vec<(String, Supposed)>,
}

/// Decision of a policy, for a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ExplainedDecision {
    /// Name of the policy.
    pub(crate) policy: Arc<str>,
    /// Coordinates from which PoPs were ranked; `None` if no place is known.
    pub(crate) from: Option<Coordinates>,
    /// PoPs of the preference list, in order.
    pub(crate) candidates: Vec<Arc<str>>,
    /// Chosen PoP; `None` for another answer.
    pub(crate) chosen: Option<Arc<str>>,
}

/// Explained answer.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Lines of the explanation: subject and text.
    pub lines: Vec<(String, String)>,
    /// Last decision; `None` if no policy decided.
    pub(crate) decision: Option<ExplainedDecision>,
    /// Response; `None` if there is none.
    pub message: Option<Vec<u8>>,
}

impl ExplainQuery {
    /// Source address of the query.
    pub fn address(&self) -> IpAddr {
        self.client.unwrap_or_else(|| match self.ecs.map(|ecs| ecs.address()) {
            Some(IpAddr::V6(_)) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            _ => IpAddr::V4(Ipv4Addr::LOCALHOST),
        })
    }

    /// The query as a message.
    pub fn packet(&self) -> Vec<u8> {
        dig::query(&self.name, self.rtype, self.ecs)
    }

    /// The query in words.
    pub(crate) fn words(&self) -> String {
        let from = match self.client {
            Some(client) => format!("from {client}"),
            None => "from a resolver anywhere".to_owned(),
        };
        let subnet =
            self.ecs.map_or("no client subnet".to_owned(), |prefix| format!("client subnet {prefix}"));
        format!("{} {} {from}, {subnet}", self.name, self.rtype)
    }
}

/// Explains the answer of a snapshot. `operator_view` gives reasons for the states of PoPs if a
/// server runs; `read` reads a database file. The error is a sentence about a PoP that does not
/// exist.
pub fn explain(
    snapshot: &Snapshot,
    operator_view: Option<&OperatorView>,
    asked: &ExplainQuery,
    read: ReadFile<'_>,
) -> Result<Explanation, String> {
    let laid_over = supposing(snapshot, &asked.supposed)?;
    let snapshot = laid_over.as_ref().unwrap_or(snapshot);
    let addresses: Vec<IpAddr> =
        [asked.address()].into_iter().chain(asked.ecs.map(|ecs| ecs.address())).collect();
    let places = Places::of(snapshot, &addresses, read);
    let mut out = vec![0; MESSAGE_MAX];
    let client = Client { address: asked.address(), transport: Transport::Udp };
    let mut story = Story::new(snapshot, operator_view, &places, client.address);
    story.line("question", &asked.words());
    for (word, what) in
        [("down by probes", Supposed::Down), ("up by probes", Supposed::Up), ("drained", Supposed::Drain)]
    {
        let names: Vec<&str> =
            asked.supposed.iter().filter(|(_, is)| *is == what).map(|(name, _)| name.as_str()).collect();
        if !names.is_empty() {
            story.line("supposed", &format!("{word}: {}", names.join(" ")));
        }
    }
    // Any draw would do: it affects only the order of addresses, and `share: random`.
    let context = QueryContext { draw: 0, epoch_secs: 0 };
    let message = Message { octets: &asked.packet(), client: &client, context };
    let verdict = asked.client.and_then(|client| Some(snapshot.access.as_deref()?.verdict(client)));
    let outcome = respond(snapshot, verdict, &message, &mut out, &mut story);
    for sentence in &places.missing {
        story.line("note", &format!("{sentence}; places are shown without it"));
    }
    let message = match outcome.disposition {
        Disposition::Silence => {
            story.line("answer", "none: the server stays silent");
            None
        }
        Disposition::Send(len) => {
            story.line("scope", &outcome.scope.to_string());
            out.truncate(len);
            Some(out)
        }
    };
    Ok(Explanation { lines: story.lines, decision: story.decision, message })
}

/// Answers as the server does: the access lists first, and the core for what they allow.
fn respond(
    snapshot: &Snapshot,
    verdict: Option<Verdict>,
    message: &Message<'_>,
    out: &mut [u8],
    story: &mut Story<'_>,
) -> Outcome {
    if let Some(verdict) = verdict {
        story.line("access", &access_words(verdict));
    }
    match verdict.map(|verdict| verdict.action) {
        None | Some(Action::Allow) => {
            answer::respond_traced(snapshot, message.octets, message.client, message.context, out, story)
        }
        Some(Action::Refuse) => refuse(snapshot, message, out),
        Some(Action::Drop) => Outcome::default(),
    }
}

/// Verdict of the access lists in words.
fn access_words(verdict: Verdict) -> String {
    let Some(prefix) = verdict.prefix else {
        return "the client is in no list, so it is allowed".to_owned();
    };
    let key = verdict.action.word();
    match verdict.action {
        Action::Refuse => format!("`{key}` has {prefix}: REFUSED"),
        Action::Drop => format!("`{key}` has {prefix}: no reply, no connection"),
        Action::Allow => format!("`{key}` has {prefix}"),
    }
}

/// Snapshot with supposed states of PoPs laid over its status; `None` without a supposition. The
/// error is a sentence with the names that exist.
pub(crate) fn supposing(
    snapshot: &Snapshot,
    supposed: &[(String, Supposed)],
) -> Result<Option<Snapshot>, String> {
    let pops = &snapshot.pops;
    let number = |(name, what): &(String, Supposed)| match pops.iter().position(|pop| *pop.name == **name) {
        Some(index) => Ok((PopId::at(index), *what)),
        None => {
            let names: Vec<&str> = pops.iter().map(|pop| &*pop.name).collect();
            Err(format!("`{}` is not a PoP; there are {}", name.escape_debug(), names.join(" ")))
        }
    };
    let supposed: Vec<(PopId, Supposed)> = supposed.iter().map(number).collect::<Result<_, String>>()?;
    if supposed.is_empty() {
        return Ok(None);
    }
    let (slots, policies) = (&snapshot.steering.slots, &snapshot.steering.policies);
    let status = snapshot.status.supposing(slots, policies, &supposed);
    Ok(Some(snapshot.with_status(status, snapshot.sequence())))
}

impl Explanation {
    /// Explanation and response as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (head, words) in &self.lines {
            let _ = writeln!(text, "{head:<10} {}", one_line::text(words));
        }
        if let Some(message) = &self.message {
            text.push('\n');
            text.push_str(&dig::render(message));
        }
        text
    }
}

/// First line: the server, the time and the snapshot.
pub fn head(node: &str, at: &str, snapshot: (u64, &str, &str), epoch_secs: u64) -> String {
    let (sequence, digest, files) = snapshot;
    format!(
        "{:<10} {node} at {at}, {}, snapshot {sequence}, digest {digest}, files {files}\n",
        "asked",
        rfc3339::date_time(epoch_secs)
    )
}
