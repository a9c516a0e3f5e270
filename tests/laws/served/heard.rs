//! What a trace hears of the general way, and from it the end at which the fast path gave the
//! same answer.

use meridian::testing::answer::{Outcome, Step, Trace};
use meridian::testing::health::targets::PolicyId;
use meridian::testing::snapshot::Snapshot;
use meridian::testing::snapshot::locate::{Decision, Evidence, LookupAddress};
use meridian::testing::steer::choose::{Choice, NoChoiceTrace, sole};
use meridian::testing::steer::table::{PolicyTable, V4, V6};
use meridian::testing::wire::rr::RrType;
use meridian::testing::zone::image::{Match, Usual};
use meridian::testing::zone::text::ChainMode;

const READY: &str = "a ready RRset";
const NO_NAME: &str = "a name that does not exist";
const ALIAS: &str = "behind an alias";
const BY_ECS: &str = "steered by client subnet";
const BY_RESOLVER: &str = "steered by the resolver";
const BY_NOTHING: &str = "steered alike for all";
const SHARING: &str = "steered where clients share";
const AAAA: &str = "steered to IPv6";

/// Every end of the fast path, and what may be told apart of an address.
pub const ENDS: [&str; 8] = [READY, NO_NAME, ALIAS, BY_ECS, BY_RESOLVER, BY_NOTHING, SHARING, AAAA];

/// How far the fast path went.
#[derive(Clone, Copy, PartialEq)]
enum At {
    /// Each name so far was an alias that it follows.
    OnTheWay,
    /// At a name that this policy steers.
    Steered(PolicyId),
    /// At its end.
    End,
    /// Nowhere: it left the rest to the general way.
    Left,
}

/// Listens.
pub struct Heard {
    blind: NoChoiceTrace,
    qtype: RrType,
    at: At,
    preference_list: Option<usize>,
    ends: Vec<&'static str>,
}

impl Heard {
    /// Before anything was heard of the answer to a message.
    pub fn new(packet: &[u8]) -> Heard {
        // Behind the name, which ends where the first label is empty.
        let end = packet
            .get(12..)
            .and_then(|name| name.iter().position(|octet| *octet == 0))
            .map_or(0, |end| 13 + end);
        let [t0, t1, c0, c1] =
            packet.get(end..end + 4).and_then(|both| both.try_into().ok()).unwrap_or([0; 4]);
        let qtype = RrType(u16::from_be_bytes([t0, t1]));
        let is_usual = [c0, c1] == [0, 1]
            && (1..249).contains(&qtype.0)
            && ![RrType::CNAME, RrType::DS, RrType::OPT].contains(&qtype);
        Heard {
            blind: NoChoiceTrace,
            qtype,
            at: if is_usual { At::OnTheWay } else { At::Left },
            preference_list: None,
            ends: Vec::new(),
        }
    }

    /// What was reached; nothing if the answer was cut, for then the fast path had no room.
    pub fn ends(self, outcome: &Outcome) -> Vec<&'static str> {
        if self.at == At::End && !outcome.truncated { self.ends } else { Vec::new() }
    }
}

impl Trace for Heard {
    type ChoiceTrace = NoChoiceTrace;

    fn choice_trace(&mut self) -> &mut NoChoiceTrace {
        &mut self.blind
    }

    fn step(&mut self, _: &Snapshot, step: &Step<'_>) {
        if self.at != At::OnTheWay {
            self.at = At::Left;
            return;
        }
        self.at = match step.found.matched {
            Match::Exact(node) => match step.image.usual(node, self.qtype) {
                Usual::Alias(_) if step.image.chain == ChainMode::Full => {
                    self.ends = vec![ALIAS];
                    At::OnTheWay
                }
                Usual::Ready(..) if step.owns_what_is_ready() => {
                    self.ends.push(READY);
                    At::End
                }
                Usual::Steered(steered) => At::Steered(steered.policy),
                _ => At::Left,
            },
            Match::NoName => {
                self.ends.push(NO_NAME);
                At::End
            }
            _ => At::Left,
        };
    }

    fn decision(&mut self, policy: &PolicyTable, decision: &Decision<'_>) {
        let is_plain =
            matches!(decision.subject, LookupAddress::V4 { offset: 0, .. }) && !decision.is_special;
        if !is_plain || policy.may_alias() || policy.resolver_classes.is_some() {
            self.at = At::Left;
        }
        self.preference_list = policy
            .preference_lists
            .iter()
            .position(|preference_list| std::ptr::eq(preference_list, decision.preference_list));
        self.ends.push(match decision.evidence() {
            Evidence::Ecs => BY_ECS,
            Evidence::Resolver => BY_RESOLVER,
            Evidence::Nothing => BY_NOTHING,
        });
        self.ends.extend(decision.by_cell.then_some(SHARING));
    }

    fn choice(&mut self, snapshot: &Snapshot, policy: &PolicyTable, _: Choice) {
        let family = match self.qtype {
            RrType::A => V4,
            RrType::AAAA => V6,
            _ => 0,
        };
        let (At::Steered(number), Some(preference_list)) = (self.at, self.preference_list) else { return };
        let (view, _) = snapshot.status.seen_by(number, policy);
        let is_sole = policy.families & family != 0
            && sole(policy, &policy.preference_lists[preference_list], view, family).is_some();
        self.at = if is_sole { self.at } else { At::Left };
        self.ends.extend((family == V6).then_some(AAAA));
    }

    fn picked(&mut self, _: usize, of: usize, _: u32) {
        self.at = if matches!(self.at, At::Steered(_)) && of == 1 { At::End } else { At::Left };
    }
}
