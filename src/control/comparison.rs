//! `POST /v1/diff`: predicts the clients that other files would move.

use crate::control::protocol::comparison::{
    AnswerMove, ComparisonRefused, ComparisonReply, Lost, MovedShare, PolicyMoves, ResolverMoves,
};
use crate::control::reply::{ask, busy, failure, refused_with, reply};
use crate::finding::render;
use crate::impact::comparison::{Comparison, FAMILIES};
use crate::impact::moves::{self, Move, PolicyChangeMoves};
use crate::shared::command::{Command, CommandSender};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

/// State that both sides of a comparison assume.
const ASSUMED: &str =
    "overrides, verdicts and shares of load as they are now; PoPs and addresses that are new count as up";

/// `POST /v1/diff`: reads the files as a reload would, and predicts the clients that the files
/// move. 200 if the comparison succeeds, 409 if a reload would refuse the files, 500 after a fault
/// of the program, 503 if another comparison runs or the writer accepts no command.
pub(crate) async fn diff(State(command_sender): State<CommandSender>) -> Response {
    match ask(&command_sender, |reply| Command::Compare { reply }).await {
        Some(Ok(comparison)) => reply(StatusCode::OK, reply_of(&comparison, ASSUMED)),
        Some(Err(faults)) => {
            let (findings, files) = *faults;
            let (code, failure) = failure(&findings, "a reload would refuse these files");
            let refused = ComparisonRefused {
                ok: false,
                error: failure.message.clone(),
                failure,
                findings: render::reports(&findings, &files),
                text: render::text(&findings, &files, false),
            };
            refused_with(code, refused)
        }
        None => busy(),
    }
}

/// Comparison as JSON. `assumed` describes the state that both sides assume.
pub(crate) fn reply_of(comparison: &Comparison, assumed: &str) -> ComparisonReply {
    let policy = |of: &PolicyChangeMoves<FAMILIES>| PolicyMoves {
        policy: of.policy_change.policy.clone(),
        then: of.policy_change.to.clone(),
        names: of.policy_change.names,
        share: share(&of.moved),
        moves: moves(&of.moves),
    };
    let losses = &comparison.losses;
    let lost = losses.list.iter().map(|loss| Lost { name: loss.name.clone(), rtype: loss.rtype.to_string() });
    ComparisonReply {
        assumed: assumed.to_owned(),
        moved: share(&comparison.moves.moved),
        moves: moves(&comparison.moves.moves),
        policies: comparison.moves.policy_changes.iter().map(policy).collect(),
        lost: lost.collect(),
        lost_in_all: losses.count,
        resolvers: ResolverMoves {
            networks: comparison.resolvers.networks,
            moved: comparison.resolvers.moved,
        },
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
