//! Alarms of zones that are not served from their current files, and of stray files. An alarm ends
//! when the files are repaired.

use crate::shared::alarm::{Alarm, AlarmKey, AlarmOwner};
use crate::shared::event::Event;
use crate::shared::operator_view::OperatorView;
use crate::wire::name::Name;
use crate::zone::source::FolderStanding;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Active alarms, by zone and by path.
#[derive(Debug, Default)]
pub(crate) struct ZoneAlarms {
    of_zones: BTreeMap<Name, Alarm>,
    of_strays: BTreeMap<Arc<str>, Alarm>,
}

impl ZoneAlarms {
    /// Updates the alarms from the zone folder of the snapshot in service. Returns the events for
    /// the changes.
    pub(crate) fn see(&mut self, folder: &FolderStanding, now: u64) -> Vec<Event> {
        let mut before = std::mem::take(&mut self.of_zones);
        let mut events = Vec::new();
        for source in &folder.zones {
            let Some(sentence) = source.sentence() else { continue };
            let known = before.remove(&source.apex);
            if is_new(known.as_ref(), &sentence) {
                let (zone, standing) = (source.apex.to_string(), source.standing.word());
                events.push(Event::Zone { zone, standing, sentence: sentence.clone() });
            }
            self.of_zones.insert(
                source.apex.clone(),
                alarm(AlarmKey::Zone(source.apex.clone()), known, sentence, now),
            );
        }
        for zone in before.into_keys() {
            let is_there = folder.zones.iter().any(|source| source.apex == zone);
            let (standing, sentence) = match is_there {
                true => ("current", format!("the zone `{zone}` is served from its current files again")),
                false => ("gone", format!("the zone `{zone}` is gone")),
            };
            events.push(Event::Zone { zone: zone.to_string(), standing, sentence });
        }
        let mut before = std::mem::take(&mut self.of_strays);
        for stray in &folder.strays {
            let (file, standing, sentence) = (stray.path.to_string(), "stray", stray.sentence());
            let known = before.remove(&stray.path);
            if is_new(known.as_ref(), &sentence) {
                events.push(Event::StrayFile { file, standing, sentence: sentence.clone() });
            }
            let key = AlarmKey::StrayFile(Arc::clone(&stray.path));
            self.of_strays.insert(Arc::clone(&stray.path), alarm(key, known, sentence, now));
        }
        for path in before.into_keys() {
            let sentence = format!("the file `{path}` was removed, or is in force now");
            events.push(Event::StrayFile { file: path.to_string(), standing: "gone", sentence });
        }
        events
    }

    /// Puts the alarms before the other alarms of the operator view. The alarms of the ledger come
    /// first, so show them after these.
    pub(crate) fn show(&self, operator_view: &mut OperatorView) {
        let alarms = self.of_zones.values().chain(self.of_strays.values());
        operator_view.alarms.splice(0..0, alarms.cloned());
    }
}

/// True if the alarm is new or has another text.
fn is_new(known: Option<&Alarm>, sentence: &str) -> bool {
    known.is_none_or(|alarm| alarm.sentence != sentence)
}

/// Alarm that keeps the start of a known alarm.
fn alarm(key: AlarmKey, known: Option<Alarm>, sentence: String, now: u64) -> Alarm {
    debug_assert_eq!(key.owner(), AlarmOwner::Zones);
    let since_epoch_secs = known.map_or(now, |alarm| alarm.since_epoch_secs);
    Alarm { key, sentence, since_epoch_secs }
}

#[cfg(test)]
mod tests;
