//! Clients that other files move, on the control socket.

use crate::control::protocol::comparison::{
    AnswerMove, ComparisonRefused, ComparisonReply, Lost, MovedShare, PolicyMoves,
};
use crate::control::reply::{ask, busy, reply};
use crate::finding::render;
use crate::shared::command::{Command, CommandSender};
use crate::shared::comparison::{self, Comparison, Way};
use crate::snapshot::forecast::Answered;
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
    let way = |way: &Way| PolicyMoves {
        policy: way.passage.policy.clone(),
        then: way.passage.to.clone(),
        names: way.passage.names,
        share: share(&way.moved),
        moves: moves(&way.moves),
    };
    let lost = comparison.replay.losses.iter();
    ComparisonReply {
        assumed: assumed.to_owned(),
        moved: share(&comparison.moved),
        moves: moves(&comparison.moves),
        policies: comparison.ways.iter().map(way).collect(),
        lost: lost.map(|loss| Lost { name: loss.name.clone(), rtype: loss.rtype.to_string() }).collect(),
        lost_in_all: comparison.replay.lost,
    }
}

fn share(moved: &comparison::MovedShare) -> MovedShare {
    MovedShare { ipv4: moved.space[0], ipv6: moved.space[1], queries: moved.queries }
}

fn moves(moves: &[(Answered, Answered, comparison::MovedShare)]) -> Vec<AnswerMove> {
    let one = |(from, to, moved): &(Answered, Answered, comparison::MovedShare)| AnswerMove {
        from: from.to_string(),
        to: to.to_string(),
        share: share(moved),
    };
    moves.iter().map(one).collect()
}
