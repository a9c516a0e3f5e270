//! Delegations: the child's name servers, and the addresses without which they cannot be reached.

use super::trace::Trace;
use super::walk::Walk;
use crate::answer::step::{Next, Step};
use crate::wire::fragment::HEAD_LEN;
use crate::wire::header::flag;
use crate::wire::response::{Origin, OwnerName, Section};
use crate::wire::rr::{Rcode, RrType};
use crate::zone::image::NodeId;

impl<'s, T: Trace> Walk<'s, '_, T> {
    /// Refers to the servers of a delegation. Not authoritative, unless a CNAME of ours led here.
    pub(crate) fn referral(&mut self, step: Step<'_>, cut: NodeId) -> Next<'static> {
        let zone = step.image;
        let Some(set) = zone.set(cut, RrType::NS) else { return Next::Done(Rcode::SERVFAIL) };
        if self.reply.response.answers() == 0 {
            self.reply.response.clear_flag(flag::AA);
        }
        let cut_name = zone.name(cut);
        let owner = step.ending(&self.reply.response, cut_name);
        let begin = self.reply.response.position();
        let servers = step.stored(set);
        let Some(first) = self.reply.response.rrset(Section::Authority, Origin::Delegation, owner, servers)
        else {
            return Next::Done(Rcode::NOERROR);
        };
        // Octets of each record before its data: all have the same owner.
        let head_len = first - begin;
        // Glue of name servers in the delegated zone goes first, because no resolver can reach
        // these servers without it: if some of it does not fit, TC is set (RFC 9471 section 3.1).
        // Glue of name servers elsewhere is optional.
        for needed in [true, false] {
            let mut next = first;
            for server in zone.records(set) {
                let at = next;
                next += server.record.len() - HEAD_LEN + head_len;
                let Some(node) = server.link.map(NodeId) else { continue };
                let name = zone.name(node);
                if needed != (name.len() > cut_name.len() && name.ends_with(cut_name) || name == cut_name) {
                    continue;
                }
                for rtype in [RrType::A, RrType::AAAA] {
                    let Some(set) = zone.set(node, rtype) else { continue };
                    let (owner, glue) = (OwnerName { at, wire: name }, step.stored(set));
                    if self.reply.response.rrset(Section::Additional, Origin::Glue, owner, glue).is_none() {
                        if needed {
                            self.reply.response.set_flag(flag::TC);
                        }
                        return Next::Done(Rcode::NOERROR);
                    }
                }
            }
        }
        Next::Done(Rcode::NOERROR)
    }
}
