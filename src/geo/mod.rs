//! Geography: where an address is.

pub mod networks;
pub mod place;
pub mod prefix;
pub mod trie;
