//! Octets of the DNS, and checked values made of them. Knows neither zones nor clocks.

pub(crate) mod behind;
pub(crate) mod cookie;
pub(crate) mod ecs;
pub(crate) mod edns;
pub(crate) mod fragment;
pub(crate) mod freshness;
pub(crate) mod hash;
pub(crate) mod header;
pub(crate) mod idn;
pub(crate) mod name;
pub(crate) mod name_hash;
pub(crate) mod outline;
pub(crate) mod position;
pub(crate) mod proxy_header;
pub(crate) mod query;
pub(crate) mod refusal;
pub(crate) mod reject;
pub(crate) mod response;
pub(crate) mod rr;
pub(crate) mod skim;
pub(crate) mod tsig;
