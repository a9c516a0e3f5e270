//! Octets of the DNS and checked values of them; knows no zone and no clock.

pub mod cookie;
pub mod ecs;
pub mod edns;
pub mod fragment;
pub mod hash;
pub mod header;
pub mod name;
pub mod position;
pub mod query;
pub mod response;
pub mod rr;
