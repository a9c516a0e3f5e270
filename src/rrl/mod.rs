//! Response rate limiting (RRL): a bound on the answers that one client prefix gets over UDP.
//!
//! A forged source address makes a name server send its answers to a victim. Over UDP a server
//! cannot tell, so it answers an address only so often that the answers do no harm. A client that
//! proved its address is not limited: by TCP never, by a valid DNS cookie up to
//! `prefix_per_second`.
//!
//! ```text
//! prefix (/24, /56)   at most half of the least limit           -> pass, and nothing else is read
//!   | not quiet       at most half of the class's limit         -> pass
//!   | busy            more than `prefix_per_second`             -> limited
//!   v
//! prefix and class    more than the limit of the class          -> limited
//! prefix and node     more than `answers_per_name` with records -> limited, else pass
//! limited             exempt prefix, `log_only`: pass; one in `slip`: TC or BADCOOKIE; else nothing
//! ```
//!
//! The account of a class of answers with records is one for each name, type and client subnet, so
//! that a large resolver that asks for many names is no flood. All three can be invented: subnets
//! at a steered name, labels below a wildcard or a DNAME, types at a CNAME. So all answers with
//! records of one node of a zone, the owner name in the zone's files, share a second account with a
//! larger limit. The node is looked up for busy prefixes only. Denials of types and referrals have
//! an account for each node, and denials of names one for each zone, because names can be invented.
//! Errors of a prefix share one account.
//!
//! Seconds are those of the clock. In each second, an answer is first counted for its prefix alone.
//! Once these are more than half of the limit of its class, it is counted for its class too, and
//! the account of the class begins at half: every answer before may have been of the same class. So
//! no class passes its limit in any second. A prefix with more answers than half of `answers` in a
//! second is busy in the next one with answers: then classes are counted from the first answer on,
//! and begin at 0.

pub(crate) mod heavy;
pub(crate) mod table;

use crate::geo::prefix::Prefix;
use crate::limits::{CLIENT_PREFIX_V4, CLIENT_PREFIX_V6};
use crate::wire::hash::{fold, mix};
use crate::wire::header;
use crate::wire::name_hash::NameKey;
use crate::wire::query::Query;
use crate::wire::rr::Rcode;
use heavy::HeavyPrefixes;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use table::{Account, Table};

closed_set! {
    /// Class of an answer. Its word is the key of its limit.
    pub(crate) enum Class {
        /// Records, or TC in their place.
        Answer = "answers",
        /// A name without the type.
        NoData = "nodata",
        /// A name that does not exist.
        NxDomain = "nxdomain",
        /// A delegation.
        Referral = "referrals",
        /// Another response code, or a reply without a question.
        Error = "errors",
    }
}

closed_union! {
    /// Limit that an answer passed. Its word stands in metrics.
    pub(crate) enum Limit {
        /// Answers of one class to one prefix.
        Class(class: Class = Class::ALL.into_iter()) = class.word(),
        /// Answers of one owner name to one prefix.
        Name = "answers_per_name",
        /// All answers to one prefix.
        Prefix = "prefix",
        /// Denials of names in one zone, to all prefixes.
        Zone = "zone",
    }
}

closed_set! {
    /// Treatment of an answer past a limit. Its word stands in metrics.
    pub(crate) enum Treatment {
        /// No reply.
        Dropped = "dropped",
        /// A reply without records: TC, or BADCOOKIE to a client with cookies.
        Slipped = "slipped",
        /// The whole answer, because of `mode: log_only`.
        Passed = "log_only",
    }
}

impl Limit {
    /// Number of limits.
    pub(crate) const COUNT: usize = Class::ALL.len() + 3;
}

impl Class {
    /// Class of a reply, from its header.
    fn of(rcode: Rcode, reply: &[u8]) -> Class {
        match rcode {
            // TC has no records, so it amplifies nothing.
            Rcode::NOERROR | Rcode::NXDOMAIN if header::is_truncated(reply) => Class::Answer,
            Rcode::NXDOMAIN => Class::NxDomain,
            Rcode::NOERROR if header::answers(reply) > 0 => Class::Answer,
            // A cookie alone (RFC 7873 section 5.4).
            Rcode::NOERROR if !header::has_question(reply) => Class::Error,
            Rcode::NOERROR if header::is_authoritative(reply) => Class::NoData,
            Rcode::NOERROR => Class::Referral,
            _ => Class::Error,
        }
    }
}

/// Limits of the server file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RateLimit {
    /// True if answers past a limit are only counted.
    pub(crate) is_log_only: bool,
    /// Queries a second of the node below which nothing is limited.
    pub(crate) from_qps: u32,
    /// Answers a second to one prefix, in the order of [`Class::ALL`].
    pub(crate) per_second: [u16; Class::ALL.len()],
    /// Answers with records a second of one node to one prefix: all types, subnets and labels
    /// together.
    pub(crate) answers_per_name: u16,
    /// Answers a second to one prefix, all classes together; `None` is no limit.
    pub(crate) prefix_per_second: Option<u16>,
    /// Denials of names (NXDOMAIN) a second in one zone; `None` is no limit.
    pub(crate) zone_nxdomain_per_second: Option<u16>,
    /// One in so many limited answers is a short reply; 0 is none.
    pub(crate) slip: u8,
    /// Prefixes without limits, sorted.
    pub(crate) exempt: Vec<Prefix>,
}

impl RateLimit {
    /// The limits with their [`BatchLimits::quiet`], for a batch of answers.
    pub(crate) fn of_batch(&self) -> BatchLimits<'_> {
        let halves = Class::ALL.map(|class| self.half(class));
        BatchLimits { limits: self, quiet: halves.into_iter().min().unwrap_or(0) }
    }

    /// Answers of a prefix in one second that an answer of the class may follow without being
    /// counted for the class: half of its limit, and no more than the limit of the prefix.
    fn half(&self, class: Class) -> u16 {
        (self.per_second[class as usize] / 2).min(self.prefix_per_second.unwrap_or(u16::MAX))
    }

    /// Treatment of an answer past a limit. `draw` is a random number.
    pub(crate) fn treatment(&self, draw: u64) -> Treatment {
        if self.is_log_only {
            return Treatment::Passed;
        }
        match mix(draw, 0).checked_rem(u64::from(self.slip)) {
            Some(0) => Treatment::Slipped,
            Some(_) | None => Treatment::Dropped,
        }
    }

    /// True if a short reply may be longer than its query: at least as many limited queries get
    /// none, so that fewer octets go out than came in.
    pub(crate) fn may_grow(&self) -> bool {
        self.slip > 1
    }

    fn is_exempt(&self, address: IpAddr) -> bool {
        self.exempt.iter().any(|prefix| prefix.contains(address))
    }
}

/// Limits, and the number that decides about most answers.
#[derive(Clone, Copy)]
pub(crate) struct BatchLimits<'a> {
    /// The limits.
    pub(crate) limits: &'a RateLimit,
    /// Answers of a prefix in one second that an answer of any class may follow without being
    /// counted for its class.
    quiet: u16,
}

/// Account of a prefix whose reply may pass a limit.
#[derive(Clone, Copy)]
pub(crate) struct Busy {
    /// Hash of the prefix.
    prefix: u64,
    account: Account,
}

/// A reply that is ready to be sent.
#[derive(Clone, Copy)]
pub(crate) struct Ready<'a> {
    /// Address of the client.
    pub(crate) address: IpAddr,
    /// The query, if it could be read.
    pub(crate) query: &'a Query,
    /// The reply.
    pub(crate) reply: &'a [u8],
    /// Response code.
    pub(crate) rcode: Rcode,
    /// ECS scope prefix length.
    pub(crate) scope: u8,
    /// Number of the zone, which is the same for all names of a zone.
    pub(crate) zone: Option<u32>,
    /// Returns the number of the node that the name of the query leads to, such as its wildcard:
    /// the same for all names that the files have under one owner. Asked for busy prefixes only.
    pub(crate) node: &'a dyn Fn() -> u64,
}

/// Accounts of prefixes, shared by all workers.
#[derive(Debug)]
pub(crate) struct Limiter {
    table: Table,
    /// Prefixes with most answers past a limit.
    pub(crate) heavy: HeavyPrefixes,
    /// Secret key of the hashes, so that an attacker cannot choose prefixes that share an account.
    key: [u64; 4],
}

impl Default for Limiter {
    fn default() -> Limiter {
        let dice = RandomState::new();
        Limiter {
            table: Table::default(),
            heavy: HeavyPrefixes::default(),
            key: [0u8, 1, 2, 3].map(|word| dice.hash_one(word)),
        }
    }
}

/// Kind of the holder of an account, mixed into its hash. Classes follow [`Holder::Class`].
#[derive(Clone, Copy)]
enum Holder {
    Prefix = 1,
    Zone = 2,
    Node = 3,
    Proven = 4,
    Class = 16,
}

impl Limiter {
    /// Counts a reply to `address` with `rcode`, in the second `now` (seconds since 1970 modulo
    /// 2^32). Returns `None` if it passes no limit, else the account on which
    /// [`Limiter::look_closer`] decides.
    #[inline(always)]
    pub(crate) fn count(
        &self,
        limits: &BatchLimits<'_>,
        now: u32,
        (address, rcode): (&IpAddr, Rcode),
    ) -> Option<Busy> {
        let BatchLimits { limits, quiet } = *limits;
        let prefix = self.hash(word(address), Holder::Prefix as u64);
        let renew = |old: Account| Account { count: 0, is_busy: old.count > limits.half(Class::Answer) };
        // A limit of the zone has an account of its own, which must see each denial.
        let has_zone_limit = rcode == Rcode::NXDOMAIN && limits.zone_nxdomain_per_second.is_some();
        let quiet = if has_zone_limit { 0 } else { quiet };
        let account = self.table.count_past(quiet, prefix, now, renew)?;
        Some(Busy { prefix, account })
    }

    /// Counts a reply to a client that proved its address. It has the limit of its prefix alone, in
    /// an account of its own, so that forged queries do not use it up.
    pub(crate) fn count_proven(&self, limits: &RateLimit, now: u32, address: IpAddr) -> Option<Limit> {
        let most = limits.prefix_per_second?;
        let hash = self.hash(word(&address), Holder::Proven as u64);
        let account = self.table.count(hash, now, |_| Account { count: 0, is_busy: false });
        (account.count > most && !limits.is_exempt(address.to_canonical())).then_some(Limit::Prefix)
    }

    /// Returns the limit that a reply passes, if any, after [`Limiter::count`] has counted it in
    /// the same second.
    #[inline(never)]
    pub(crate) fn look_closer(
        &self,
        limits: &RateLimit,
        now: u32,
        ready: &Ready<'_>,
        Busy { prefix, account }: Busy,
    ) -> Option<Limit> {
        let class = Class::of(ready.rcode, ready.reply);
        let zone_limit = limits.zone_nxdomain_per_second.filter(|_| class == Class::NxDomain);
        let half = limits.half(class);
        let mut passed = None;
        if account.is_busy || account.count > half {
            let begin = if account.is_busy { 0 } else { half };
            let hash = self.hash(prefix ^ class_word(class, ready), Holder::Class as u64 + class as u64);
            let of_class = self.table.count(hash, now, |_| Account { count: begin, is_busy: false });
            if of_class.count > limits.per_second[class as usize] {
                passed = Some(Limit::Class(class));
            } else if class == Class::Answer {
                let hash = self.hash(prefix ^ (ready.node)(), Holder::Node as u64);
                let of_node = self.table.count(hash, now, |_| Account { count: begin, is_busy: false });
                passed = (of_node.count > limits.answers_per_name).then_some(Limit::Name);
            }
            if limits.prefix_per_second.is_some_and(|most| account.count > most) {
                passed = Some(Limit::Prefix);
            }
        }
        if let (None, Some(most), Some(zone)) = (passed, zone_limit, ready.zone) {
            let hash = self.hash(u64::from(zone), Holder::Zone as u64);
            let account = self.table.count(hash, now, |_| Account { count: 0, is_busy: false });
            passed = (account.count > most).then_some(Limit::Zone);
        }
        passed.filter(|_| !limits.is_exempt(ready.address.to_canonical()))
    }

    /// Hash of a word and the kind of the holder. The two rounds are those of [`mix`], with secret
    /// numbers in the place of its constants.
    #[inline(always)]
    fn hash(&self, word: u64, holder: u64) -> u64 {
        let [begin, first, between, second] = self.key;
        fold(fold(word ^ begin, holder ^ first) ^ between, second)
    }
}

/// Marks of the families in the word of a client prefix, so that no word is 0.
const V4: u64 = 1 << 63;
const V6: u64 = 1 << 62;

/// The client prefix of an address in one word.
#[inline(always)]
fn word(address: &IpAddr) -> u64 {
    match address {
        IpAddr::V4(address) => word_v4(address.to_bits()),
        IpAddr::V6(_) => word_of(Prefix::of_client(*address)),
    }
}

#[inline(always)]
fn word_v4(bits: u32) -> u64 {
    V4 | u64::from(bits >> (32 - CLIENT_PREFIX_V4))
}

/// The word of a prefix from [`Prefix::of_client`].
#[inline(never)]
fn word_of(prefix: Prefix) -> u64 {
    match prefix {
        Prefix::V4 { bits, .. } => word_v4(bits),
        Prefix::V6 { bits, .. } => V6 | (bits >> (128 - CLIENT_PREFIX_V6)) as u64,
    }
}

/// The client prefix of a word from [`word`]; `None` for 0.
fn prefix(word: u64) -> Option<Prefix> {
    let address = match (word & V4, word & V6) {
        (0, 0) => return None,
        (0, _) => IpAddr::from(Ipv6Addr::from_bits(u128::from(word ^ V6) << (128 - CLIENT_PREFIX_V6))),
        _ => IpAddr::from(Ipv4Addr::from_bits(((word ^ V4) << (32 - CLIENT_PREFIX_V4)) as u32)),
    };
    Some(Prefix::of_client(address))
}

/// Facts of a reply that share an account within its prefix and class.
fn class_word(class: Class, ready: &Ready<'_>) -> u64 {
    match class {
        Class::Answer => {
            let question = mix(
                NameKey::of_process().whole(ready.query.name.wire()).word(),
                u64::from(ready.query.qtype.0),
            );
            match ready.query.subnet().map(|subnet| Prefix::new(subnet.address, ready.scope)) {
                Some(Prefix::V4 { bits, .. }) => mix(question, u64::from(bits)),
                Some(Prefix::V6 { bits, .. }) => mix(question, (bits >> 64) as u64),
                None => question,
            }
        }
        Class::NoData | Class::Referral => (ready.node)(),
        Class::NxDomain => ready.zone.map_or(u64::MAX, u64::from),
        Class::Error => 0,
    }
}

#[cfg(test)]
mod tests;
