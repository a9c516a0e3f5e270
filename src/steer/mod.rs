//! Steering: from what is known of a client to the PoP that serves it.
//!
//! Two halves. At compile time of a snapshot, [`policy`] and [`rule`] say what the operator wants
//! and [`ranker`] turns a place into a [`preference_list`] of PoPs. At query time [`choose`] scans
//! that list against [`status`], which is all that a change of health or weight replaces.

pub(crate) mod answerable;
pub(crate) mod choose;
pub(crate) mod fastest;
pub(crate) mod ledger;
pub(crate) mod nearest;
pub(crate) mod outage;
pub(crate) mod overlap;
pub(crate) mod policy;
pub(crate) mod pools;
pub(crate) mod pop;
pub(crate) mod pop_status;
pub(crate) mod preference_list;
pub(crate) mod ranker;
pub(crate) mod rendezvous;
pub(crate) mod rule;
pub(crate) mod safety;
pub(crate) mod status;
pub(crate) mod table;
pub(crate) mod transition;
pub(crate) mod unknown;
pub(crate) mod view;
