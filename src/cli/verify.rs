//! `meridian explain --verify-scopes`: proves on a snapshot that every ECS scope is true.
//!
//! A resolver hands an answer to every client inside the scope that came with it (RFC 7871 section
//! 7.3.1), so all of them must be clients that would get the same records. The proof walks every
//! leaf of every policy's routes, for each class of resolvers; takes addresses inside the leaf,
//! plain and as IPv4 inside IPv6; asks the function that answers queries; and asks again for other
//! addresses inside the scope of the answer. TTL and order are not compared, because a scope
//! promises neither.

use crate::answer::{Client, Disposition, QueryContext, Transport, respond};
use crate::geo::prefix::{Prefix, truncate_v4, truncate_v6};
use crate::geo::trie::Trie;
use crate::limits::MESSAGE_MAX;
use crate::snapshot::Snapshot;
use crate::snapshot::steering::BY_ECS_SPECIAL;
use crate::steer::table::{PolicyTable, REDIRECT, V4, V6};
use crate::wire::hash::mix;
use crate::wire::name::Name;
use crate::wire::rr::{Rcode, RrType};
use crate::wire::skim;
use crate::zone::image::Steered;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Counts of a proof.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Steered names.
    pub(crate) names: usize,
    /// Leaves, counted for every name, type and class of resolvers.
    pub leaves: usize,
    /// Pairs of clients, the second inside the scope of the first one's answer.
    pub pairs: usize,
}

/// Most sentences of a proof, because a fault of a table shows in thousands of leaves.
const FAULTS_MAX: usize = 20;

/// Walks every leaf and asks for `samples_per_leaf` addresses inside it, each with two partners
/// inside the scope of its answer. Errors are sentences, one for each false scope or other fault.
pub fn verify_scopes(snapshot: &Snapshot, samples_per_leaf: usize) -> Result<VerifyReport, Vec<String>> {
    verify_noting(snapshot, samples_per_leaf, &mut |_, _| {})
}

/// Like [`verify_scopes`]; `note` gets the number of leaves walked, and of all.
pub(crate) fn verify_noting(
    snapshot: &Snapshot,
    samples_per_leaf: usize,
    note: &mut dyn FnMut(u64, u64),
) -> Result<VerifyReport, Vec<String>> {
    let steered = || snapshot.zones.iter().flat_map(|zone| zone.steered());
    let mut walk = Walk {
        snapshot,
        all: steered().map(|(_, steered)| leaves(snapshot, *steered)).sum(),
        note,
        out: vec![0; MESSAGE_MAX],
        report: VerifyReport::default(),
        faults: Vec::new(),
        dice: 0,
    };
    for zone in snapshot.zones.iter() {
        for (node, steered) in zone.steered() {
            walk.report.names += 1;
            walk.name(&askable(zone.name(node)), *steered, samples_per_leaf.max(1));
        }
    }
    if walk.faults.is_empty() { Ok(walk.report) } else { Err(walk.faults) }
}

/// Name that a stored owner answers: for `*.edge` a name below it.
fn askable(owner: &[u8]) -> Vec<u8> {
    match owner {
        [1, b'*', rest @ ..] => [b"\x06sample".as_slice(), rest].concat(),
        _ => owner.to_vec(),
    }
}

/// Parts of a client's answer for which a scope holds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    rcode: Rcode,
    records: Vec<(u16, Vec<u8>)>,
    scope: u8,
}

impl Answer {
    fn is_same_set(&self, other: &Answer) -> bool {
        (self.rcode, &self.records) == (other.rcode, &other.records)
    }
}

struct Walk<'a> {
    snapshot: &'a Snapshot,
    out: Vec<u8>,
    report: VerifyReport,
    faults: Vec<String>,
    dice: u64,
    /// Leaves of all names.
    all: u64,
    note: &'a mut dyn FnMut(u64, u64),
}

/// Leaves that are walked for a name with this policy.
fn leaves(snapshot: &Snapshot, steered: Steered) -> u64 {
    let policy = &snapshot.steering.policies[steered.policy.index()];
    let routes = policy.routes_of(snapshot.status.by_cell(steered.policy, policy));
    let asked = (0..).zip(routes).filter(|(class, _)| resolver_of(policy, *class).is_some());
    let of_class = |routes: &Trie| {
        routes.v4.blocks().count() + routes.v6.blocks().filter(|leaf| leaf.value != REDIRECT).count()
    };
    let of_type: usize = asked.map(|(_, routes)| of_class(routes)).sum();
    (of_type * asked_types(snapshot, policy).count()) as u64
}

/// Types that are asked of a policy, and whether the policy has data of each.
fn asked_types(snapshot: &Snapshot, policy: &PolicyTable) -> impl Iterator<Item = (RrType, bool)> {
    let offers = |family| policy.families & family != 0 && snapshot.status.offers(policy, family);
    let types = [(RrType::A, offers(V4)), (RrType::AAAA, offers(V6)), (RrType::HTTPS, policy.https)];
    let may_alias = policy.may_alias();
    types.into_iter().filter(move |(rtype, exists)| *rtype != RrType::HTTPS || *exists || may_alias)
}

impl Walk<'_> {
    fn name(&mut self, owner: &[u8], steered: Steered, samples: usize) {
        let policy = &self.snapshot.steering.policies[steered.policy.index()];
        let status = &self.snapshot.status;
        let by_cell = status.by_cell(steered.policy, policy);
        let tailors = match (policy.located, by_cell) {
            (true, _) => Some(true),
            (false, false) => Some(false),
            // States decide if the cell is read.
            (false, true) => None,
        };
        for (class, routes) in policy.routes_of(by_cell).iter().enumerate() {
            let Some(resolver) = resolver_of(policy, class as u32) else { continue };
            for (rtype, exists) in asked_types(self.snapshot, policy) {
                let mut asked =
                    ExplainQuery { owner, rtype, resolver, policy, exists, tailors, packet: Vec::new() };
                for leaf in routes.v4.blocks() {
                    self.walked();
                    // Clients of these leaves may get different scopes: a special-purpose block is
                    // the scope itself, and a CNAME may add the scope of its target.
                    let is_apart =
                        policy.choices[leaf.value as usize][0] == BY_ECS_SPECIAL || policy.may_alias();
                    let mut scope = None;
                    for sample in 0..samples {
                        let bits = self.inside(u128::from(leaf.start), leaf.len, 32, sample) as u32;
                        self.in_leaf(
                            &mut asked,
                            IpAddr::V4(Ipv4Addr::from_bits(bits)),
                            (!is_apart).then_some(&mut scope),
                        );
                        // Each leaf is met in one of the IPv6 forms too.
                        let form = self.report.leaves + sample;
                        let junk = u128::from(self.roll()) | u128::from(self.roll()) << 64;
                        self.client(&mut asked, IpAddr::V6(Ipv6Addr::from_bits(embed(bits, form, junk))));
                    }
                }
                for leaf in routes.v6.blocks().filter(|leaf| leaf.value != REDIRECT) {
                    self.walked();
                    // Clients of these leaves may get different scopes: a special-purpose block is
                    // the scope itself, and a CNAME may add the scope of its target.
                    let is_apart =
                        policy.choices[leaf.value as usize][0] == BY_ECS_SPECIAL || policy.may_alias();
                    let mut scope = None;
                    for sample in 0..samples {
                        let bits = self.inside(leaf.start, leaf.len, 128, sample);
                        self.in_leaf(
                            &mut asked,
                            IpAddr::V6(Ipv6Addr::from_bits(bits)),
                            (!is_apart).then_some(&mut scope),
                        );
                    }
                }
            }
        }
    }

    /// Counts a leaf.
    fn walked(&mut self) {
        self.report.leaves += 1;
        (self.note)(self.report.leaves as u64, self.all);
    }

    /// Asks for a client of a leaf. All clients of a leaf must get one scope, whatever their cells:
    /// else the scope of one client could hold the scope of another.
    fn in_leaf(&mut self, asked: &mut ExplainQuery<'_>, address: IpAddr, of_leaf: Option<&mut Option<u8>>) {
        let (Some(scope), Some(of_leaf)) = (self.client(asked, address), of_leaf) else { return };
        let others = *of_leaf.get_or_insert(scope);
        if scope != others {
            self.fault(format!(
                "{}: {address} got scope {scope}, another client of its leaf {others}",
                asked.question()
            ));
        }
    }

    /// Compares a client with partners inside the scope of its answer, and returns this scope.
    fn client(&mut self, asked: &mut ExplainQuery<'_>, address: IpAddr) -> Option<u8> {
        let width = if address.is_ipv4() { 32 } else { 128 };
        let first = self.ask(asked, address, width)?;
        self.existence(asked, address, &first);
        for side in 0..2 {
            let (bits, scope) = match address {
                IpAddr::V4(a) => (u128::from(truncate_v4(a.to_bits(), first.scope)), first.scope.min(32)),
                IpAddr::V6(a) => (truncate_v6(a.to_bits(), first.scope), first.scope.min(128)),
            };
            let sample = if side == 0 { 2 } else { (self.roll() & 1) as usize };
            let partner = self.inside(bits, scope, width, sample);
            let partner = match address {
                IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(partner as u32)),
                IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(partner)),
            };
            let source = scope.max(1) + (self.roll() % u64::from(width - scope.max(1) + 1)) as u8;
            let second = self.ask(asked, partner, source)?;
            self.report.pairs += 1;
            if !first.is_same_set(&second) {
                self.fault(format!(
                    "{}: {}/{width} got {} with scope {}, but {} inside it got {}",
                    asked.question(),
                    address,
                    shown(&first),
                    first.scope,
                    Prefix::new(partner, source),
                    shown(&second)
                ));
            }
        }
        Some(first.scope)
    }

    /// Checks one answer: scope 0 is for all clients or for none, and so is a type. CNAMEs of a
    /// policy are exempt, because a CNAME answers every type.
    fn existence(&mut self, asked: &ExplainQuery<'_>, address: IpAddr, answer: &Answer) {
        let policy = asked.policy;
        // `when_all_down: nodata` withdraws a type from all clients while the whole policy is down.
        let may_withdraw =
            policy.preference_lists.iter().any(|preference_list| preference_list.when_all_down.is_denial());
        if policy.may_alias() || may_withdraw || answer.rcode != Rcode::NOERROR {
            return;
        }
        let exists = asked.exists;
        if exists == answer.records.is_empty() {
            self.fault(format!(
                "{}: {address} got {}, which depends on the client",
                asked.question(),
                shown(answer)
            ));
        }
        let is_tailored = match asked.tailors {
            Some(tailors) => exists && policy.ecs && tailors,
            None => answer.scope > 0 && exists && policy.ecs,
        };
        if is_tailored != (answer.scope > 0) {
            self.fault(format!(
                "{}: {address} got scope {}, tailored: {is_tailored}",
                asked.question(),
                answer.scope
            ));
        }
    }

    fn ask(&mut self, asked: &mut ExplainQuery<'_>, address: IpAddr, source: u8) -> Option<Answer> {
        asked.write(Prefix::new(address, source));
        let client = Client { address: asked.resolver, transport: Transport::Tcp };
        let outcome = respond(
            self.snapshot,
            &asked.packet,
            &client,
            QueryContext { draw: 0, epoch_secs: 0 },
            &mut self.out,
        );
        let records = match outcome.disposition {
            Disposition::Send(len) => records(&self.out[..len]),
            Disposition::Silence => None,
        };
        if records.is_none() {
            self.fault(format!(
                "{}: {} got no readable answer",
                asked.question(),
                Prefix::new(address, source)
            ));
        }
        Some(Answer { rcode: outcome.rcode, records: records?, scope: outcome.scope })
    }

    fn fault(&mut self, sentence: String) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(sentence);
        }
    }

    /// First address of a block, its last, or one between.
    fn inside(&mut self, start: u128, len: u8, width: u8, sample: usize) -> u128 {
        let free = width - len;
        let hosts = if free == 128 { u128::MAX } else { (1u128 << free) - 1 };
        match sample {
            0 => start,
            1 => start | hosts,
            _ => start | (u128::from(self.roll()) << 64 | u128::from(self.roll())) & hosts,
        }
    }

    /// Next pseudorandom number. Each run has the same ones, so that a fault can be reproduced.
    fn roll(&mut self) -> u64 {
        self.dice += 1;
        mix(self.dice, 0)
    }
}

/// Address of a resolver of this class.
fn resolver_of(policy: &PolicyTable, class: u32) -> Option<IpAddr> {
    let Some(classes) = &policy.resolver_classes else { return Some(IpAddr::V4(Ipv4Addr::LOCALHOST)) };
    let v4 = classes.v4.blocks().find(|b| b.value == class).map(|b| IpAddr::V4(Ipv4Addr::from_bits(b.start)));
    v4.or_else(|| {
        classes.v6.blocks().find(|b| b.value == class).map(|b| IpAddr::V6(Ipv6Addr::from_bits(b.start)))
    })
}

/// IPv4 client inside IPv6: 6to4, mapped, NAT64, compatible, SIIT or Teredo.
fn embed(bits: u32, form: usize, junk: u128) -> u128 {
    let low = u128::from(bits);
    match form % 6 {
        0 => 0x2002 << 112 | low << 80 | junk & ((1 << 80) - 1),
        1 => 0xffff << 32 | low,
        2 => 0x64_ff9b << 96 | low,
        3 => low,
        4 => 0xffff << 48 | low,
        _ => 0x2001_0000 << 96 | (junk << 32) & ((1 << 96) - 1) | u128::from(!bits),
    }
}

struct ExplainQuery<'a> {
    owner: &'a [u8],
    rtype: RrType,
    resolver: IpAddr,
    policy: &'a PolicyTable,
    /// True if the policy has the type.
    exists: bool,
    /// True if answers differ from client to client; `None` if that depends on states.
    tailors: Option<bool>,
    packet: Vec<u8>,
}

impl ExplainQuery<'_> {
    fn question(&self) -> String {
        let owner = Name::from_wire(self.owner).map_or_else(|_| "?".to_owned(), |n| n.to_string());
        format!("{owner} {} from {} by policy {}", self.rtype, self.resolver, self.policy.name)
    }

    fn write(&mut self, subnet: Prefix) {
        let octets = match subnet.address() {
            IpAddr::V4(a) => a.to_bits().to_be_bytes().to_vec(),
            IpAddr::V6(a) => a.to_bits().to_be_bytes().to_vec(),
        };
        let sent = &octets[..usize::from(subnet.len()).div_ceil(8)];
        let family = if subnet.address().is_ipv4() { 1 } else { 2 };
        let len = sent.len() as u8;
        self.packet.clear();
        self.packet.extend_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
        self.packet.extend_from_slice(self.owner);
        self.packet.extend_from_slice(&self.rtype.0.to_be_bytes());
        self.packet.extend_from_slice(&[
            0,
            1,
            0,
            0,
            41,
            4,
            208,
            0,
            0,
            0,
            0,
            0,
            8 + len,
            0,
            8,
            0,
            4 + len,
            0,
            family,
            subnet.len(),
            0,
        ]);
        self.packet.extend_from_slice(sent);
    }
}

fn shown(answer: &Answer) -> String {
    let records: Vec<String> = answer
        .records
        .iter()
        .map(|(rtype, data)| match (data.first_chunk::<4>(), data.first_chunk::<16>(), data.len()) {
            (Some(v4), _, 4) => Ipv4Addr::from(*v4).to_string(),
            (_, Some(v6), 16) => Ipv6Addr::from(*v6).to_string(),
            _ => RrType(*rtype).to_string(),
        })
        .collect();
    if records.is_empty() { format!("{} without records", answer.rcode) } else { records.join(" ") }
}

/// Answer section as a set: type and data, sorted. Pointers in data are equal in both answers of a
/// pair, because both begin with the same question.
fn records(message: &[u8]) -> Option<Vec<(u16, Vec<u8>)>> {
    let mut records = Vec::new();
    skim::answers(message, |record| records.push((record.rtype.0, record.rdata.to_vec())))?;
    records.sort();
    Some(records)
}
