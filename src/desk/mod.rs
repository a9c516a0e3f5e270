//! The desk: words that edges, the single writer and operators exchange.

pub mod render;
