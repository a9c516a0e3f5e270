//! Steering: from what is known of a client to the PoP that serves it.
//!
//! Two halves. At load, [`policy`] and [`rule`] say what the operator wants and [`ranker`] turns
//! a place into a [`preference_list`] of PoPs. At query time [`choose`] scans that list
//! against [`status`], which is all that a change of health or weight replaces.

pub mod choose;
pub mod ledger;
pub mod nearest;
pub mod policy;
pub mod pop;
pub mod preference_list;
pub mod ranker;
pub mod rendezvous;
pub mod rule;
pub mod safety;
pub mod status;
pub mod table;
pub mod transition;
