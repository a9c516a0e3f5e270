//! Octets of the DNS and checked values of them; knows no zone and no clock.

pub mod name;
pub mod rr;
