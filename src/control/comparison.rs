//! Clients that other files move, on the control socket.

use crate::control::protocol::comparison::{
    AnswerMove, ComparisonRefused, ComparisonReply, Lost, MovedShare, PolicyMoves,
};
use crate::control::reply::{ask, busy, reply};
use crate::finding::render;
use crate::impact::comparison::{Comparison, FAMILIES};
use crate::impact::moves::{self, Move, PassageMoves};
use crate::shared::command::{Command, CommandSender};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

/// State that both sides are given.
const ASSUMED: &str =
    "overrides, verdicts and shares of load as they are now; PoPs and addresses that are new count as up";

/// `POST /diff`: reads the files as a reload would, and predicts the clients that they move. 200 if
/// they could be compared, 409 if a reload would refuse them, 503 if the writer takes no command.
pub(crate) async fn diff(State(command_sender): State<CommandSender>) -> Response {
    match ask(&command_sender, |reply| Command::Compare { reply }).await {
        Some(Ok(comparison)) => reply(StatusCode::OK, told(&comparison, ASSUMED)),
        Some(Err(faults)) => {
            let (findings, files) = *faults;
            let refused = ComparisonRefused {
                error: "a reload would refuse these files".to_owned(),
                findings: render::reports(&findings, &files),
                text: render::text(&findings, &files, false),
            };
            reply(StatusCode::CONFLICT, refused)
        }
        None => busy(),
    }
}

/// Comparison for programs. `assumed` is the state that both sides were given, in words.
pub(crate) fn told(comparison: &Comparison, assumed: &str) -> ComparisonReply {
    let policy = |of: &PassageMoves<FAMILIES>| PolicyMoves {
        policy: of.passage.policy.clone(),
        then: of.passage.to.clone(),
        names: of.passage.names,
        share: share(&of.moved),
        moves: moves(&of.moves),
    };
    let losses = &comparison.losses;
    let lost = losses.list.iter().map(|loss| Lost { name: loss.name.clone(), rtype: loss.rtype.to_string() });
    ComparisonReply {
        assumed: assumed.to_owned(),
        moved: share(&comparison.moves.moved),
        moves: moves(&comparison.moves.moves),
        policies: comparison.moves.passages.iter().map(policy).collect(),
        lost: lost.collect(),
        lost_in_all: losses.count,
    }
}

fn share(share: &moves::MovedShare<FAMILIES>) -> MovedShare {
    let moves::MovedShare { space: [ipv4, ipv6], queries } = *share;
    MovedShare { ipv4, ipv6, queries }
}

fn moves(moves: &[Move<FAMILIES>]) -> Vec<AnswerMove> {
    let one = |way: &Move<FAMILIES>| AnswerMove {
        from: way.from.to_string(),
        to: way.to.to_string(),
        share: share(&way.share),
    };
    moves.iter().map(one).collect()
}
