//! What came of a message, for counters and logs.

use crate::steer::choose::Resort;
use crate::steer::pop::PopId;
use crate::wire::rr::Rcode;
use crate::zone::set::ZoneId;

/// What to do with the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Send this many octets.
    Reply(usize),
    /// Send nothing.
    Silence,
    /// Hand the message to the side road for rare messages.
    Rare,
}

/// What came of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What to do.
    pub verdict: Verdict,
    /// Response code.
    pub rcode: Rcode,
    /// Whether TC was set.
    pub truncated: bool,
    /// ECS scope of the reply.
    pub scope: u8,
    /// Zone of the question.
    pub zone: Option<ZoneId>,
    /// Policy that chose last, if one did.
    pub policy: Option<u32>,
    /// PoP that was chosen, and how far the choice had to go.
    pub pop: Option<(PopId, Resort)>,
}

impl Outcome {
    /// Nothing is sent.
    pub fn silence() -> Outcome {
        Outcome { verdict: Verdict::Silence, rcode: Rcode::NOERROR, truncated: false, scope: 0, zone: None, policy: None, pop: None }
    }

    /// The message goes elsewhere.
    pub fn rare() -> Outcome {
        Outcome { verdict: Verdict::Rare, ..Outcome::silence() }
    }
}
