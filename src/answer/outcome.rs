//! The outcome of a message, for counters and logs.

use crate::snapshot::locate::Evidence;
use crate::steer::choose::{Choice, Resort};
use crate::steer::policy::PolicyId;
use crate::steer::pop::PopId;
use crate::wire::cookie::CookieStatus;
use crate::wire::rr::{Rcode, RrType};
use crate::zone::set::ZoneId;

/// Use of the reply buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Disposition {
    /// Send this many octets.
    Send(usize),
    /// Send nothing.
    #[default]
    Silence,
}

closed_set! {
    /// The reason for a policy's answer. Its word stands in metrics.
    pub enum Reason {
        /// A regular candidate that passes.
        Regular = "regular",
        /// A drained candidate or one of weight 0.
        LastResort = "last_resort",
        /// Everything is down, and the PoP that went down last is answered.
        LastGood = "last_good",
        /// Everything is down, and answered as if it were up.
        AsIfUp = "as_if_up",
        /// A CNAME of the policy.
        Cname = "cname",
        /// No data for everyone.
        NoData = "nodata",
        /// Nothing may be answered.
        ServFail = "servfail",
    }
}

impl Reason {
    /// The reason behind a choice.
    #[inline]
    pub(crate) fn of(choice: Choice) -> Reason {
        match choice {
            Choice::Pop { resort: Resort::Regular, .. } => Reason::Regular,
            Choice::Pop { resort: Resort::LastResort, .. } => Reason::LastResort,
            Choice::Pop { resort: Resort::LastGood | Resort::LastGoodLastResort, .. } => Reason::LastGood,
            Choice::Pop { resort: Resort::AsIfUp | Resort::AsIfUpLastResort, .. } => Reason::AsIfUp,
            Choice::Cname(_) => Reason::Cname,
            Choice::NoData => Reason::NoData,
            Choice::ServFail => Reason::ServFail,
        }
    }
}

/// The outcome of a message. By default, no reply is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Use of the reply buffer.
    pub disposition: Disposition,
    /// Response code.
    pub rcode: Rcode,
    /// True if TC was set.
    pub truncated: bool,
    /// ECS scope of the reply.
    pub scope: u8,
    /// Zone of the question.
    pub zone: Option<ZoneId>,
    /// The decision of the policy that chose last, if one did.
    pub decided: Option<Decided>,
    /// The type that was asked for; 0 where there was no question to read.
    pub qtype: RrType,
    /// Standing of the client's DNS cookie.
    pub cookie: CookieStatus,
}

/// A policy's decision, as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The number of the policy.
    pub policy: PolicyId,
    /// The reason for its answer.
    pub reason: Reason,
    /// The evidence that located the client for it.
    pub evidence: Evidence,
    /// PoP that was chosen, and how far the choice had to go.
    pub pop: Option<(PopId, Resort)>,
}

impl Outcome {
    /// PoP that was chosen last, and how far the choice had to go.
    pub fn pop(&self) -> Option<(PopId, Resort)> {
        self.decided?.pop
    }
}
