//! Behaviour in operators' words (`*.scn`), and answers that no scenario can tell.

mod forecast;
mod https;
mod runner;
