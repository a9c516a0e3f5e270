//! Delegations: the child's name servers, and the addresses without which they cannot be reached.

use super::trace::Trace;
use super::walk::Walk;
use crate::answer::step::{Next, Step};
use crate::wire::fragment::Rdata;
use crate::wire::header::flag;
use crate::wire::response::rrset::Stored;
use crate::wire::response::{OwnerName, Section};
use crate::wire::rr::{Rcode, RrType};
use crate::zone::image::NodeId;

/// Number of name servers of one delegation whose glue is written. The root has 13, and few zones
/// have more than eight.
const GLUE_MAX: usize = 32;

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
        let mut glue = [(0usize, NodeId(0)); GLUE_MAX];
        let mut count = 0;
        let placed = |at: usize, rdata: &Rdata<'_>| {
            if let (Some(node), Some(place)) = (rdata.link, glue.get_mut(count)) {
                (*place, count) = ((at, NodeId(node)), count + 1);
            }
        };
        let servers = Stored { records: zone.records(set), name: step.written(), placed };
        if self.reply.response.rrset(Section::Authority, owner, servers).is_none() {
            return Next::Done(Rcode::NOERROR);
        }
        // Glue of name servers in the delegated zone goes first, because no resolver can reach
        // these servers without it: if some of it does not fit, TC is set (RFC 9471 section 3.1).
        // Glue of name servers elsewhere is optional.
        for needed in [true, false] {
            for &(at, node) in &glue[..count] {
                let name = zone.name(node);
                if needed != (name.len() > cut_name.len() && name.ends_with(cut_name) || name == cut_name) {
                    continue;
                }
                for rtype in [RrType::A, RrType::AAAA] {
                    let Some(set) = zone.set(node, rtype) else { continue };
                    let owner = OwnerName { at, wire: name };
                    if self.reply.response.rrset(Section::Additional, owner, step.stored(set)).is_none() {
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
