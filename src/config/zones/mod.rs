//! Zone files in YAML: owners with their records, and owners that a policy steers.

pub(crate) mod choices;
pub(crate) mod exposed;
pub(crate) mod file_name;
pub(crate) mod folder;

use super::other_words;
use super::scalar::{choice, integer, members, name, plain, refuse, seconds, text};
use super::table::{MapReader, nearest, shown};
use super::tree::{Key, Node, ValueKind};
use super::world::{World, missing};
use crate::config::policy;
use crate::config::policy::settings;
use crate::config::policy::used::SharedPolicies;
use crate::finding::{At, Finding, Findings, code};
use crate::steer::policy::{PolicyId, TtlRange};
use crate::wire::idn;
use crate::wire::name::Name;
use crate::wire::rr::{RrType, Ttl};
use crate::zone::rdata;
use crate::zone::text::{ChainMode, Record, ScopedPolicy, SteeredOwner, Zone};
use std::collections::HashMap;
use std::sync::Arc;

/// Default TTL of a zone's records, in seconds.
const TTL_DEFAULT: u32 = 3_600;
/// Default fields of an SOA in seconds (RFC 1912 section 2.2 and RIPE-203 for the transfer times;
/// RFC 2308 section 5 for the negative TTL, which is short because a CDN adds names at any time).
const SOA_DEFAULTS: [(&str, u32); 4] =
    [("refresh", 7_200), ("retry", 900), ("expire", 1_209_600), ("negative_ttl", 300)];

/// Policies that steered owners may use.
pub(crate) struct Policies {
    /// Shared policies first, then the policies of each zone that was read.
    pub(crate) all: Vec<ScopedPolicy>,
    /// Number of shared policies.
    pub(crate) shared: usize,
    /// Names of the shared policies.
    pub(crate) shared_names: HashMap<Arc<str>, PolicyId>,
    /// True if the shared policy file was readable.
    pub(crate) shared_known: bool,
    /// True for each policy that some name uses.
    pub(crate) used: Vec<bool>,
}

/// Apex of a zone file, read before the rest, because zones are processed in the order of apexes.
pub(crate) fn apex_of(root: &Node) -> Option<Name> {
    let ValueKind::Map(entries) = &root.kind else { return None };
    let (_, node) = entries.iter().find(|(key, _)| &*key.text == "zone")?;
    Name::parse(plain(node)?, None).ok()
}

/// Reads a zone.
pub(crate) fn lower(
    root: &Node,
    world: &mut World,
    policies: &mut Policies,
    out: &mut Findings,
) -> Option<Zone> {
    let mut table = MapReader::open(root, "a zone file", out)?;
    let zone_node = table.need("zone", out);
    let apex = zone_node.and_then(|node| name(node, "zone", None, out));
    // Without an apex no relative name has a meaning; the rest is still read for its faults.
    let named = apex.is_some();
    let apex = apex.unwrap_or_else(Name::root);
    let ttl = table.take("ttl").and_then(|node| seconds(node, "ttl", out)).unwrap_or(TTL_DEFAULT);
    let modes =
        [("full", ChainMode::Full), ("first", ChainMode::First), ("same_scope", ChainMode::SameScope)];
    let chain = table.take("chain").and_then(|node| choice(node, "chain", &modes, out)).unwrap_or_default();
    let own = policies.all.len();
    if let Some(node) = table.take("policies") {
        let shared = SharedPolicies {
            policies: policies.all.get(..policies.shared).unwrap_or_default(),
            known: policies.shared_known,
        };
        let mut read = policy::lower_all(node, Some(&apex), shared, world, out);
        policies.used.extend(read.iter().map(|_| false));
        policies.all.append(&mut read);
    }
    let own_names = PolicyId::in_order().zip(&policies.all).skip(own);
    let own_names = own_names.map(|(index, policy)| (Arc::clone(&policy.policy.name), index)).collect();
    let mut reader = Reader {
        zone: Zone {
            apex,
            records: Vec::new(),
            steered: Vec::new(),
            chain,
            at: zone_node.map_or(root.at, |node| node.at),
        },
        ttl,
        own_names,
        policies,
        out,
    };
    if let Some((key, node)) = table.take_entry("soa") {
        reader.soa(key, node);
    }
    if let Some(mut records) =
        table.take("records").and_then(|node| MapReader::open(node, "`records`", reader.out))
    {
        for (key, node) in records.rest() {
            reader.owner(key, node);
        }
    }
    let zone = reader.zone;
    table.finish(out);
    named.then_some(zone)
}

struct Reader<'a> {
    zone: Zone,
    ttl: u32,
    /// The zone's own policies, which take precedence over shared ones.
    own_names: HashMap<Arc<str>, PolicyId>,
    policies: &'a mut Policies,
    out: &'a mut Findings,
}

impl Reader<'_> {
    fn soa(&mut self, key: &Key, node: &Node) {
        let out = &mut *self.out;
        let Some(mut table) = MapReader::open(node, "`soa`", out) else { return };
        let apex = self.zone.apex.clone();
        let mname = table.need("mname", out).and_then(|node| name(node, "mname", Some(&apex), out));
        let rname = table.need("rname", out).and_then(|node| mailbox(node, &apex, out));
        let serial = table
            .take("serial")
            .and_then(|node| integer(node, "serial", 0..=i64::from(u32::MAX), out))
            .unwrap_or(1) as u32;
        let mut numbers = vec![serial];
        for (key, default) in SOA_DEFAULTS {
            numbers.push(table.take(key).and_then(|node| seconds(node, key, out)).unwrap_or(default));
        }
        table.finish(out);
        // A fault refuses the deployment; this replacement prevents the finding that the zone lacks
        // an SOA.
        let (mname, rname) = (mname.unwrap_or_else(|| apex.clone()), rname.unwrap_or_else(|| apex.clone()));
        let mut rdata = [mname.as_wire(), rname.as_wire()].concat();
        for number in numbers {
            rdata.extend_from_slice(&number.to_be_bytes());
        }
        self.push(apex, RrType::SOA, self.ttl, rdata, key.at);
    }

    fn owner(&mut self, key: &Key, node: &Node) {
        let owner = match Name::parse(&key.text, Some(&self.zone.apex)) {
            Ok(owner) if owner.is_at_or_below(&self.zone.apex) => Some(owner),
            Ok(owner) => {
                self.out.push(
                    Finding::error(
                        code::OUT_OF_ZONE,
                        format!("`{owner}` is outside the zone `{}`", self.zone.apex),
                    )
                    .at(key.at, "outside the zone")
                    .related(self.zone.at, "the zone")
                    .help("remove the final dot if the name is meant to be relative to the zone"),
                );
                None
            }
            Err(error) => {
                let message = format!("`{}` is not a domain name: {error}", key.text);
                let finding = Finding::error(code::BAD_NAME, message).at(key.at, "not a name");
                self.out.push(idn::help(error, &key.text).into_iter().fold(finding, Finding::help));
                None
            }
        };
        let Some(mut table) = MapReader::open(node, format!("the owner `{}`", key.text), self.out) else {
            return;
        };
        // Faults below an invalid owner are still reported; its records are dropped.
        let (records, steered, is_bad) = (self.zone.records.len(), self.zone.steered.len(), owner.is_none());
        self.entries(owner.unwrap_or_else(|| self.zone.apex.clone()), &mut table);
        if is_bad {
            self.zone.records.truncate(records);
            self.zone.steered.truncate(steered);
        }
    }

    fn entries(&mut self, owner: Name, table: &mut MapReader<'_>) {
        let ttl = table.take("ttl");
        let steer = table.take_entry("steer");
        let fixed = ttl.filter(|node| !matches!(node.kind, ValueKind::Map(_)));
        let record_ttl = fixed.and_then(|node| seconds(node, "ttl", self.out)).unwrap_or(self.ttl);
        let range = match (ttl, fixed) {
            (Some(_), Some(_)) => Some(TtlRange { min_secs: record_ttl, max_secs: record_ttl }),
            (Some(node), None) => settings::ttl(node, self.out),
            (None, _) => None,
        };
        match (steer, ttl, fixed) {
            (Some((key, node)), ..) => self.steer(owner.clone(), key, node, range),
            (None, Some(node), None) => {
                refuse(node, "ttl", "a number of seconds, since no policy decides here", self.out)
            }
            _ => {}
        }
        for (key, node) in table.rest() {
            self.rrset(&owner, record_ttl, key, node);
        }
    }

    fn steer(&mut self, owner: Name, key: &Key, node: &Node, ttl: Option<TtlRange>) {
        let Some(wanted) = text(node, "steer", self.out) else { return };
        match self.own_names.get(wanted).or_else(|| self.policies.shared_names.get(wanted)).copied() {
            Some(policy) => {
                if let Some(used) = self.policies.used.get_mut(policy.index()) {
                    *used = true;
                }
                self.zone.steered.push(SteeredOwner { owner, policy, ttl, at: key.at });
            }
            None if self.policies.shared_known => {
                let mut names: Vec<&str> = self
                    .own_names
                    .keys()
                    .chain(self.policies.shared_names.keys())
                    .map(|name| &**name)
                    .collect();
                names.sort_unstable();
                let names = if self.out.is_full(code::NO_SUCH_POLICY, node.at) { Vec::new() } else { names };
                let finding = missing(code::NO_SUCH_POLICY, "policy", wanted, node.at, names)
                    .help("policies are defined in the shared policy file, or under `policies` of this file");
                self.out.push(finding);
            }
            None => {}
        }
    }

    fn rrset(&mut self, owner: &Name, ttl: u32, key: &Key, node: &Node) {
        let rtype = match RrType::from_text(&key.text) {
            Some(rtype) if !rtype.is_meta() => rtype,
            Some(_) => {
                let message = format!(
                    "`{}` is a type of questions or message metadata; it cannot be zone data",
                    key.text
                );
                self.out
                    .push(Finding::error(code::UNKNOWN_TYPE, message).at(key.at, "not a type of zone data"));
                return;
            }
            None => {
                let finding =
                    Finding::error(code::UNKNOWN_TYPE, format!("`{}` is not a record type", key.text))
                        .at(key.at, "not known");
                let words = RrType::mnemonics().chain(["steer", "ttl"]);
                if let Some(ours) = other_words::here(&key.text, &["steer", "ttl"]) {
                    self.out.push(finding.help(format!("here it is called `{ours}`")));
                    return;
                }
                self.out.push(match (RrType::generic_only(&key.text), nearest(&key.text, words)) {
                    (Some(known), _) => finding.help(known.generic_help()),
                    (None, Some(near)) => finding.help(format!("did you mean `{near}`?")),
                    (None, None) => finding.help(
                        r"a type without a mnemonic is written as in `TYPE65280: '\# 4 0a000001'` (RFC 3597)",
                    ),
                });
                return;
            }
        };
        if members(node).is_empty() {
            self.out.push(
                Finding::error(code::BAD_VALUE, format!("`{rtype}` has no value")).at(key.at, "nothing here"),
            );
        }
        for member in members(node) {
            let ValueKind::Text(text) = &member.kind else {
                refuse(member, &key.text, "a text, or a list of texts", self.out);
                continue;
            };
            match rdata::from_text(rtype, text, &self.zone.apex) {
                Ok(octets) => {
                    self.warn_of_words(rtype, text, member);
                    self.push(owner.clone(), rtype, ttl, octets, member.at);
                }
                Err(fault) => {
                    let code = if fault.unsupported { code::UNKNOWN_TYPE } else { code::BAD_RDATA };
                    let message =
                        format!("{} is not the data of a {rtype} record: {}", shown(member), fault.message);
                    let finding = Finding::error(code, message).at(member.at, format!("not {rtype} data"));
                    self.out.push(fault.help.into_iter().fold(finding, Finding::help));
                }
            }
        }
    }

    /// Warns of `TXT: v=spf1 -all`, which makes two strings that readers join without the blank.
    fn warn_of_words(&mut self, rtype: RrType, text: &str, node: &Node) {
        if rtype == RrType::TXT
            && !text.contains('"')
            && !text.starts_with(r"\#")
            && text.trim().contains(char::is_whitespace)
        {
            self.out.push(
                Finding::warning(code::BAD_RDATA, "each word becomes a string of its own in this TXT record")
                    .at(node.at, "readers join the strings without blanks")
                    .help(format!(
                        "quote it twice, once for YAML and once for the DNS: `'\"{}\"'`",
                        text.trim()
                    )),
            );
        }
    }

    fn push(&mut self, owner: Name, rtype: RrType, ttl: u32, rdata: Vec<u8>, at: At) {
        let ttl = Ttl::from_secs(ttl).unwrap_or(Ttl::MAX);
        self.zone.records.push(Record { owner, rtype, ttl, rdata: rdata.into(), at });
    }
}

/// Reads the mailbox of an SOA: a name whose first label is the local part (RFC 1035 section 8).
fn mailbox(node: &Node, apex: &Name, out: &mut Findings) -> Option<Name> {
    if let Some((local, domain)) =
        plain(node).and_then(|t| t.split_once('@')).filter(|(local, _)| !local.is_empty())
    {
        let written = format!("{}.{}.", local.replace('.', r"\."), domain.trim_end_matches('.'));
        out.push(
            Finding::error(code::BAD_NAME, "the mailbox in an SOA is written as a domain name")
                .at(node.at, "has an `@`")
                .help(format!("write `{written}`")),
        );
        return None;
    }
    name(node, "rname", Some(apex), out)
}
