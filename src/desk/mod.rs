//! The desk: what the edges say to the single writer, and what they read from it.
//!
//! ```text
//!   signals, control ── Command ──▶ writer ── publishes ──▶ Cell ──▶ workers load, answer, count
//!                    ◀── Report ──              Tallies, Counters ──▶ control folds and shows
//! ```
//!
//! Nothing here waits, locks or keeps time: commands carry the way back to their sender as a
//! closure, so that this folder knows no runtime.

pub mod board;
pub mod cell;
pub mod command;
pub mod comparison;
pub mod counters;
pub mod event;
pub mod phase;
pub mod prediction;
pub mod render;
pub mod tally;

use self::board::Board;
use self::cell::Cell;
use self::counters::Counters;
use self::phase::PhaseCell;
use arc_swap::ArcSwap;

/// Everything the parts of one running server share.
pub struct Desk {
    /// The published snapshot, and what it decided.
    pub snapshot: Cell,
    /// What was counted.
    pub counters: Counters,
    /// How far the server is in its life.
    pub phase: PhaseCell,
    /// What is shown of PoPs.
    pub board: ArcSwap<Board>,
}

impl Desk {
    /// A desk before it serves.
    pub fn new(snapshot: Cell, counters: Counters, board: Board) -> Desk {
        Desk { snapshot, counters, phase: PhaseCell::default(), board: ArcSwap::from_pointee(board) }
    }
}
