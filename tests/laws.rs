//! The laws of the server, each with a test that fails without it. ARCHITECTURE.md states them.

mod dice;
mod support;

#[path = "laws/generator.rs"]
mod generator;
#[path = "laws/moves.rs"]
mod moves;
#[path = "laws/oracle.rs"]
mod oracle;
#[path = "laws/reply.rs"]
mod reply;
#[path = "laws/scope.rs"]
mod scope;
#[path = "laws/served.rs"]
mod served;
#[path = "laws/sharing.rs"]
mod sharing;
#[path = "laws/snapshot.rs"]
mod snapshot;
