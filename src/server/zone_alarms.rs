//! Alarms of zones that are not served as their files say, until their files are mended.

use crate::shared::event::Event;
use crate::shared::operator_view::{Alarm, OperatorView};
use crate::wire::name::Name;
use crate::zone::source::ZoneSource;
use std::collections::BTreeMap;

/// The alarms that stand, by zone.
#[derive(Debug, Default)]
pub(crate) struct ZoneAlarms {
    alarms: BTreeMap<Name, Alarm>,
}

impl ZoneAlarms {
    /// Takes what each zone of the snapshot in service is served from; gives what is new of it.
    pub(crate) fn see(&mut self, sources: &[ZoneSource], now: u64) -> Vec<Event> {
        let mut before = std::mem::take(&mut self.alarms);
        let mut events = Vec::new();
        for source in sources {
            let Some(sentence) = source.sentence() else { continue };
            let (zone, standing) = (source.apex.to_string(), source.standing.word());
            let known = before.remove(&source.apex);
            if known.as_ref().is_none_or(|alarm| alarm.sentence != sentence) {
                events.push(Event::Zone { zone, standing, sentence: sentence.clone() });
            }
            let since_epoch_secs = known.map_or(now, |alarm| alarm.since_epoch_secs);
            let alarm = Alarm { sentence, since_epoch_secs, is_of_ledger: false };
            self.alarms.insert(source.apex.clone(), alarm);
        }
        for zone in before.into_keys() {
            let is_there = sources.iter().any(|source| source.apex == zone);
            let (standing, sentence) = match is_there {
                true => ("current", format!("the zone `{zone}` is served by its files again")),
                false => ("gone", format!("the zone `{zone}` is gone")),
            };
            events.push(Event::Zone { zone: zone.to_string(), standing, sentence });
        }
        events
    }

    /// Shows them behind those of the ledger.
    pub(crate) fn show(&self, operator_view: &mut OperatorView) {
        operator_view.alarms.splice(0..0, self.alarms.values().cloned());
    }
}

#[cfg(test)]
mod tests;
