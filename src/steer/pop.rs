//! PoPs: places that serve content, with their addresses in one or more services.

use crate::finding::At;
use crate::geo::place::{Coordinates, Country};
use crate::health::load::spec::LoadSpec;
use crate::health::spec::ProbeId;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

pub use crate::health::targets::PopId;

closed_set! {
    /// State that the operator gives a PoP in the file.
    #[derive(Hash, Default)]
    pub enum AdminState {
        /// Probes decide.
        #[default]
        Auto = "auto",
        /// In service whatever the probes say.
        Up = "up",
        /// Never answered, not even when everything else is down.
        Down = "down",
        /// Only answered when nothing else passes.
        Drain = "drain",
    }
}

impl AdminState {
    /// Probes decide.
    pub(crate) fn is_auto(self) -> bool {
        match self {
            AdminState::Auto => true,
            AdminState::Up | AdminState::Down | AdminState::Drain => false,
        }
    }

    /// In service whatever the probes say.
    pub(crate) fn is_forced_up(self) -> bool {
        match self {
            AdminState::Up => true,
            AdminState::Auto | AdminState::Down | AdminState::Drain => false,
        }
    }

    /// Never answered.
    pub(crate) fn is_down(self) -> bool {
        match self {
            AdminState::Down => true,
            AdminState::Auto | AdminState::Up | AdminState::Drain => false,
        }
    }

    /// Takes no regular clients.
    pub(crate) fn is_out(self) -> bool {
        match self {
            AdminState::Down | AdminState::Drain => true,
            AdminState::Auto | AdminState::Up => false,
        }
    }

    /// The state that a word of a file or command means.
    pub(crate) fn from_word(word: &str) -> Option<AdminState> {
        AdminState::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// An address and its weight within the PoP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WeightedAddress<A> {
    /// The address that clients are given.
    pub(crate) address: A,
    /// Weight relative to the other addresses of its service and family, 0 to
    /// [`crate::limits::WEIGHT_MAX`]. With 0, it is answered only if all others are down or 0 too.
    pub(crate) weight: u32,
}

/// One set of addresses in a PoP.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    /// Name; `default` for the set written directly under `addresses`.
    pub(crate) name: Arc<str>,
    /// IPv4 addresses in the order written.
    pub(crate) v4: Vec<WeightedAddress<Ipv4Addr>>,
    /// IPv6 addresses in the order written.
    pub(crate) v6: Vec<WeightedAddress<Ipv6Addr>>,
    /// Parameters of its HTTPS records, if there are any.
    pub(crate) https: Option<HttpsParams>,
    /// Probes of the service's addresses: an address is up if all of them succeed. If there are
    /// none, the service is not probed.
    pub(crate) probes: Vec<ProbeId>,
    /// Its capacity, in the unit of its own feed; above 0.
    pub(crate) capacity: Option<f64>,
    /// Feed of the service's own load. If `None`, the load of the PoP counts for the service, if
    /// the PoP has a feed.
    pub(crate) load: Option<Arc<LoadSpec>>,
    /// Its place in the file.
    pub(crate) at: At,
}

/// Parameters of an HTTPS record, addresses apart: service parameters in wire form, keys and
/// lengths included (RFC 9460 section 2.2). They come in two parts, because the IPv4 hints stand
/// between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HttpsParams {
    /// `alpn` (key 1) and `port` (key 3).
    pub(crate) before_hints: Box<[u8]>,
    /// `ech` (key 5): behind `ipv4hint` (key 4), before `ipv6hint` (key 6).
    pub(crate) ech: Box<[u8]>,
}

/// A place that serves content.
#[derive(Clone, Debug)]
pub struct Pop {
    /// Name, lower case letters, digits and hyphens.
    pub name: Arc<str>,
    /// Its place on the map.
    pub coordinates: Option<Coordinates>,
    /// Country it stands in.
    pub(crate) country: Option<Country>,
    /// Share among equals, 0 to [`crate::limits::WEIGHT_MAX`]; 0 means last resort.
    pub(crate) weight: u32,
    /// Added to every distance, in kilometres; may be negative.
    pub(crate) bias_km: i32,
    /// Added to every RTT, in milliseconds; may be negative.
    pub(crate) bias_ms: i32,
    /// State in the file.
    pub(crate) state: AdminState,
    /// Its capacity, in the operator's unit; above 0.
    pub(crate) capacity: Option<f64>,
    /// Feed of the PoP's load, which counts for every service without a feed of its own.
    pub(crate) load: Option<Arc<LoadSpec>>,
    /// Duration of the ramp in milliseconds: time over which clients come back after the PoP is up
    /// again; 0 for at once.
    pub ramp_ms: u32,
    /// Tags for policies.
    pub(crate) tags: Vec<Arc<str>>,
    /// Address sets, `default` first where there is one.
    pub(crate) services: Vec<Service>,
    /// Place of its name in the file.
    pub(crate) at: At,
}

/// Weight of a PoP or address that gives none.
pub(crate) const WEIGHT_DEFAULT: u32 = 100;

impl Pop {
    /// A PoP that has a name and defaults alone.
    pub(crate) fn bare(name: impl Into<Arc<str>>, at: At) -> Pop {
        Pop {
            name: name.into(),
            coordinates: None,
            country: None,
            weight: WEIGHT_DEFAULT,
            bias_km: 0,
            bias_ms: 0,
            state: AdminState::Auto,
            capacity: None,
            load: None,
            ramp_ms: 0,
            tags: Vec::new(),
            services: Vec::new(),
            at,
        }
    }

    /// The address set of that name.
    pub(crate) fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|s| &*s.name == name)
    }
}
