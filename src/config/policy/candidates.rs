//! Reads the `pops:` of a policy or rule (`all`, a tag, or a list with bands) as candidates.

use crate::config::scalar::{NO_VALUE, name, plain};
use crate::config::table::{MapReader, nearest, shown};
use crate::config::tree::{Node, ValueKind};
use crate::config::world::World;
use crate::finding::{At, Finding, Findings, code};
use crate::steer::policy::{Bands, Candidate};
use crate::steer::pop::PopId;
use crate::wire::name::Name;
use std::collections::HashMap;

/// Candidates as written.
pub(crate) struct Chosen {
    /// Candidates in bands.
    pub(crate) bands: Bands,
    /// True for a list, which has an order; false for `all` and tags, which have none.
    pub(crate) listed: bool,
    /// True if there is a list inside the list.
    pub(crate) nested: bool,
    /// Place in the file.
    pub(crate) at: At,
}

/// The PoPs among candidates.
pub(crate) fn pops_of(bands: &Bands) -> impl Iterator<Item = PopId> + '_ {
    bands.iter().flatten().filter_map(|candidate| match candidate {
        Candidate::Pop(id) => Some(*id),
        Candidate::Cname(_) => None,
    })
}

/// Reads candidates. Each named PoP must offer `service`; `all` and tags select those that offer
/// it. `None` after a finding that leaves no candidate.
pub(crate) fn lower(
    node: &Node,
    service: &str,
    origin: Option<&Name>,
    world: &World,
    out: &mut Findings,
) -> Option<Chosen> {
    let mut reader = Reader { service, origin, world, seen: HashMap::new() };
    let mut chosen = Chosen { bands: Vec::new(), listed: false, nested: false, at: node.at };
    let faults = out.len();
    match &node.kind {
        ValueKind::Text(text) if text.as_ref() == "all" => {
            let all = world.numbered().map(|(id, _)| id).collect();
            chosen.bands = reader.offering(all);
        }
        ValueKind::Map(_) => {
            let mut table = MapReader::open(node, "`pops`", out)?;
            // A lone `{ cname: ... }` is a list of one, as a lone PoP is.
            if let Some(node) = table.take("cname") {
                chosen
                    .bands
                    .extend(name(node, "cname", origin, out).map(|name| vec![Candidate::Cname(name)]));
                chosen.listed = true;
            } else if let Some(tag) = table.need("tag", out) {
                let tagged = match plain(tag) {
                    Some(text) => world.tagged(text, tag.at, out),
                    None => {
                        crate::config::scalar::refuse(tag, "tag", "the name of a tag", out);
                        Vec::new()
                    }
                };
                chosen.bands = reader.offering(tagged);
            }
            table.finish(out);
        }
        _ => {
            chosen.listed = true;
            for member in crate::config::scalar::members(node) {
                match &member.kind {
                    ValueKind::List(band) => {
                        chosen.nested = true;
                        if band.is_empty() {
                            out.push(
                                Finding::error(code::NO_CANDIDATES, "a band without any PoP")
                                    .at(member.at, "an empty list"),
                            );
                        }
                        let band: Vec<Candidate> =
                            band.iter().filter_map(|member| reader.member(member, out)).collect();
                        chosen.bands.extend((!band.is_empty()).then_some(band));
                    }
                    _ => chosen.bands.extend(reader.member(member, out).map(|candidate| vec![candidate])),
                }
            }
        }
    }
    if chosen.bands.is_empty() && out.len() == faults && world.pops_known {
        out.push(
            Finding::error(code::NO_CANDIDATES, "no PoP is left to choose from")
                .at(node.at, "no candidate here"),
        );
    }
    (!chosen.bands.is_empty()).then_some(chosen)
}

struct Reader<'a> {
    service: &'a str,
    origin: Option<&'a Name>,
    world: &'a World,
    seen: HashMap<Candidate, At>,
}

impl Reader<'_> {
    /// PoPs that offer the service, each in a band of its own.
    fn offering(&self, pops: Vec<PopId>) -> Bands {
        let offers = |id: &PopId| self.world.pop(*id).is_some_and(|pop| pop.service(self.service).is_some());
        pops.into_iter().filter(offers).map(|id| vec![Candidate::Pop(id)]).collect()
    }

    /// Reads a member of a list: the name of a PoP, or `{ cname: ... }`.
    fn member(&mut self, node: &Node, out: &mut Findings) -> Option<Candidate> {
        let candidate = match &node.kind {
            ValueKind::Text(text) => {
                let id = self.world.find_pop(text, node.at, out)?;
                self.check_service(id, node, out);
                Candidate::Pop(id)
            }
            ValueKind::Map(_) => {
                let mut table = MapReader::open(node, "a candidate", out)?;
                let target = table.need("cname", out).and_then(|node| name(node, "cname", self.origin, out));
                table.finish(out);
                Candidate::Cname(target?)
            }
            ValueKind::List(_) | ValueKind::Null => {
                let message = format!("a candidate must be a PoP or `{{ cname: ... }}`, not {}", shown(node));
                let finding = Finding::error(code::BAD_VALUE, message).at(node.at, "not a candidate");
                out.push(match node.kind {
                    ValueKind::Null => finding.help(NO_VALUE),
                    _ => finding.help("bands do not nest further"),
                });
                return None;
            }
        };
        if let Some(first) = self.seen.get(&candidate) {
            out.push(
                Finding::error(code::DUPLICATE_POP, format!("{} is listed twice", shown(node)))
                    .at(node.at, "again here")
                    .related(*first, "first here"),
            );
            return None;
        }
        self.seen.insert(candidate.clone(), node.at);
        Some(candidate)
    }

    fn check_service(&self, id: PopId, node: &Node, out: &mut Findings) {
        let Some(pop) = self.world.pop(id) else { return };
        // A PoP without services, and a service without PoPs, have findings of their own.
        let unknown_everywhere = !self.world.pops.iter().any(|pop| pop.service(self.service).is_some());
        if pop.services.is_empty() || pop.service(self.service).is_some() || unknown_everywhere {
            return;
        }
        let mut finding = Finding::error(
            code::NO_SUCH_SERVICE,
            format!("the PoP `{}` has no service `{}`", pop.name, self.service),
        )
        .at(
            node.at,
            format!(
                "offers {}",
                pop.services.iter().map(|s| format!("`{}`", s.name)).collect::<Vec<_>>().join(", ")
            ),
        )
        .related(pop.at, "the PoP is defined here");
        if let Some(near) = nearest(self.service, pop.services.iter().map(|s| &*s.name)) {
            finding = finding.help(format!("did you mean the service `{near}`?"));
        }
        out.push(finding);
    }
}
