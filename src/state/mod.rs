//! State folder: files that a node keeps between restarts.
//!
//! | file | holds | module |
//! |---|---|---|
//! | `overrides.yaml`, `overrides.yaml.1` | the ledger of overrides, and the good file before it | [`ledger_store`] |
//! | `health`, `load` | verdicts; shed shares and ramps | [`remembered`], [`health_store`] |
//! | `events.jsonl` | the event log | [`event_log`] |
//! | `zones/` | last good texts of zones that need them | [`zone_store`], [`kept_zones`] |
//! | `lock` | the server that owns the folder | [`lock`] |
//! | `quarantine/` | messages on which the program has panicked | [`quarantine_store`] |
//! | `alive` | when the disk last took a file, in seconds since 1970 | [`folder`] |
//!
//! Files are replaced whole ([`atomic`]), so that a crash leaves the old content or the new.

pub(crate) mod atomic;
pub(crate) mod event_log;
pub(crate) mod folder;
pub(crate) mod health_store;
pub(crate) mod kept_zones;
pub(crate) mod ledger_store;
pub(crate) mod lock;
pub(crate) mod one_write;
pub(crate) mod quarantine_store;
pub(crate) mod remembered;
pub(crate) mod zone_store;
