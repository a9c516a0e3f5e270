//! Measured or estimated round-trip times (RTT) of a place to PoPs, as a latency map gives them.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Most PoPs of one record that are read: a preference list is seldom longer.
pub(crate) const ENTRIES_MAX: usize = 16;

closed_set! {
    /// Evidence behind an RTT, the strongest first. Its word stands in maps, in `explain` and in
    /// metrics.
    #[derive(Hash)]
    pub(crate) enum RttSource {
        /// Samples of the network itself.
        Measured = "measured",
        /// Samples of neighbouring networks.
        Neighbours = "neighbours",
        /// The distance alone.
        Distance = "distance",
    }
}

impl RttSource {
    /// The evidence in a sentence, after `by`.
    pub(crate) fn evidence_words(self) -> &'static str {
        match self {
            RttSource::Measured => "own samples",
            RttSource::Neighbours => "measured places near",
            RttSource::Distance => "distance",
        }
    }

    /// The source with a word; an unknown word is the weakest source.
    pub(crate) fn of_word(word: &str) -> RttSource {
        RttSource::ALL.into_iter().find(|source| source.word() == word).unwrap_or(RttSource::Distance)
    }
}

/// RTT to one PoP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Rtt {
    /// RTT in ms.
    pub(crate) rtt_ms: u16,
    /// Its evidence.
    pub(crate) source: RttSource,
    /// Samples, measured places near or networks of clients behind it; 0 for the distance alone.
    pub(crate) samples: u32,
}

impl Rtt {
    /// The evidence in words. `is_of_clients` is true of the mean over the clients of a resolver.
    pub(crate) fn evidence(&self, is_of_clients: bool) -> String {
        let Rtt { source, samples, .. } = *self;
        let ending = if samples == 1 { "" } else { "s" };
        match (is_of_clients, source) {
            (true, _) => {
                let mostly = source.evidence_words();
                format!("mean of {samples} network{ending} of clients, mostly by {mostly}")
            }
            (false, RttSource::Measured) => format!("measured, {samples} sample{ending}"),
            (false, RttSource::Neighbours) => format!("by {samples} measured place{ending} near"),
            (false, RttSource::Distance) => "by distance".to_owned(),
        }
    }
}

/// RTTs of a place to PoPs, in the order in which the map prefers them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RttList {
    /// Names of the PoPs, separated by blanks: a million lists must be small.
    names: Box<str>,
    rtts: Box<[Rtt]>,
    /// Hour of the newest sample of the place itself, in seconds since 1970; 0 without one.
    pub(crate) measured_at: u64,
    known: Known,
    of_clients: bool,
    /// Place that the first PoP has where it is not explored; 0 if nothing is.
    explored: u8,
}

/// Names of all PoPs in a map, shared by its lists.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known(Arc<BTreeSet<Box<str>>>);

impl Known {
    /// True if this is the set of the same map.
    pub(crate) fn is_same(&self, other: &Known) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// True if the map has RTTs to the PoP with a name for any place.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

// Lists of one map share the set, so comparing its pointer mostly suffices, and the hash of a list
// can leave the set out.
impl PartialEq for Known {
    fn eq(&self, other: &Known) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for Known {}

impl Hash for Known {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl RttList {
    /// A list of PoPs with their RTTs; `None` without any. Entries past [`ENTRIES_MAX`], names that
    /// no PoP can have and repeated names are left out.
    pub(crate) fn new<'n>(
        entries: impl Iterator<Item = (&'n str, Rtt)>,
        measured_at: u64,
    ) -> Option<RttList> {
        let (mut names, mut rtts) = (Vec::new(), Vec::new());
        for (name, rtt) in entries.take(ENTRIES_MAX) {
            let is_name = !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_graphic());
            if is_name && !names.contains(&name) {
                names.push(name);
                rtts.push(rtt);
            }
        }
        let names: Box<str> = names.join(" ").into();
        (!rtts.is_empty()).then(|| RttList {
            names,
            rtts: rtts.into(),
            measured_at,
            known: Known::default(),
            of_clients: false,
            explored: 0,
        })
    }

    /// The list as that of the clients behind a resolver. The distance of the resolver says nothing
    /// about their RTTs to a PoP that is not in the list, so the list counts as complete.
    pub(crate) fn of_clients(self) -> RttList {
        RttList { of_clients: true, ..self }
    }

    /// The list as one whose first PoP is explored, and has its place at `place` else, from 0.
    pub(crate) fn explored(self, place: u8) -> RttList {
        RttList { explored: place, ..self }
    }

    /// Names of the PoPs in the order that holds where nothing is explored.
    #[cfg(feature = "geoip-build")]
    pub(crate) fn settled(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.names.split(' ').collect();
        if let Some(up_to) = names.get_mut(..=usize::from(self.explored)) {
            up_to.rotate_left(1);
        }
        names
    }

    /// Names of all PoPs to which the map has RTTs for any place.
    pub(crate) fn known(&self) -> &BTreeSet<Box<str>> {
        &self.known.0
    }

    /// True for the list of the clients behind a resolver.
    pub(crate) fn is_of_clients(&self) -> bool {
        self.of_clients
    }

    /// Names of PoPs with their RTTs, in the order of the map.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, Rtt)> {
        self.names.split(' ').zip(self.rtts.iter().copied())
    }

    /// RTT to the PoP with a name.
    pub(crate) fn find(&self, name: &str) -> Option<Rtt> {
        self.entries().find(|(entry, _)| *entry == name).map(|(_, rtt)| rtt)
    }

    /// The PoPs of the map; `None` for a list that counts as complete ([`RttList::of_clients`]).
    pub(crate) fn known_unless_complete(&self) -> Option<&Known> {
        Some(&self.known).filter(|_| !self.of_clients)
    }
}

/// Gives each list of a map the names of all PoPs of the map.
pub(crate) fn share_known<'l>(lists: impl Iterator<Item = &'l mut Arc<RttList>>) {
    let mut lists: Vec<&mut Arc<RttList>> = lists.collect();
    let mut known: BTreeSet<Box<str>> = BTreeSet::new();
    for list in &lists {
        for (name, _) in list.entries() {
            if !known.contains(name) {
                known.insert(name.into());
            }
        }
    }
    let known = Known(Arc::new(known));
    for list in &mut lists {
        Arc::make_mut(list).known = known.clone();
    }
}
