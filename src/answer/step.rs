//! A step: one name on the way from the question along CNAMEs, and its place in our zones.

use crate::wire::hash;
use crate::wire::header::HEADER_LEN;
use crate::wire::position::{NamePosition, WrittenName};
use crate::wire::response::rrset::{Rrset, stored};
use crate::wire::response::{OwnerName, Response};
use crate::wire::rr::Rcode;
use crate::zone::image::{Image, Match, Set, Steered};
use crate::zone::set::Found;

/// One name on the way: the question, or the target of a CNAME.
#[derive(Clone, Copy, Debug)]
pub struct Step<'s> {
    /// The name in lower-case wire form.
    pub(crate) name: &'s [u8],
    /// Its place in the message.
    pub(crate) written: NamePosition,
    /// The zone that holds it, and its match there.
    pub found: Found,
    /// The image of that zone.
    pub image: &'s Image,
}

impl Step<'_> {
    /// The name as an owner.
    pub(crate) fn owner(&self) -> OwnerName<'_> {
        OwnerName { at: self.written.start(), wire: self.name }
    }

    /// True if ready-made records have the right owner. Their owner is a compression pointer to the
    /// name in the question, so they fit only there. The root is excluded, because it is never
    /// compressed.
    #[inline(always)]
    pub fn owns_what_is_ready(&self) -> bool {
        self.written.start() == HEADER_LEN && self.name.len() > 1
    }

    /// Seed with which a policy shares the clients of this name among PoPs. Each name has a seed of
    /// its own, also below a wildcard, so that names are shared independently of each other.
    #[inline(always)]
    pub(crate) fn seed(&self, steered: &Steered) -> u64 {
        match self.found.matched {
            Match::Wildcard(_) => hash::name(self.name),
            _ => steered.seed,
        }
    }

    /// The name as it stands in the message.
    #[inline(always)]
    pub(crate) fn written(&self) -> WrittenName {
        WrittenName { position: self.written, len: self.name.len() }
    }

    /// An RRset of the zone in stored form, owned by the name or an ending of it.
    #[inline(always)]
    pub(crate) fn stored(&self, set: &Set) -> impl Rrset {
        stored(self.image.records(set), self.written())
    }

    /// An ending of the name as an owner, by its wire form.
    #[inline(always)]
    pub(crate) fn ending<'n>(&self, response: &Response<'_>, wire: &'n [u8]) -> OwnerName<'n> {
        OwnerName { at: response.ending_at(self.written(), wire.len()), wire }
    }
}

/// Continuation after a step.
pub(crate) enum Next<'s> {
    /// The answer is complete.
    Done(Rcode),
    /// A CNAME was written whose target is in one of our zones.
    Follow(Step<'s>),
}
