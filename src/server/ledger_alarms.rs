//! Alarms of the ledger: a damaged ledger file, a disk that does not answer, a ledger in force that
//! is not saved, and a fault of the state folder.

use crate::shared::alarm::{Alarm, AlarmKey, AlarmOwner};
use crate::shared::event::Event;
use crate::shared::operator_view::OperatorView;

/// Active alarms.
#[derive(Debug, Default)]
pub(crate) struct LedgerAlarms {
    /// Damaged ledger, until acknowledged.
    damaged: Vec<Alarm>,
    /// Disk that does not answer.
    hang: Option<Alarm>,
    /// Ledger in force that is not saved.
    unsaved: Option<Alarm>,
    /// Fault of the state folder.
    folder: Option<Alarm>,
}

impl LedgerAlarms {
    /// Alarms for the faults of a ledger that was read.
    pub(crate) fn new(faults: Vec<String>, now: u64) -> LedgerAlarms {
        let alarm = |sentence| Alarm { key: AlarmKey::LedgerDamaged, sentence, since_epoch_secs: now };
        let damaged = faults.into_iter().map(alarm).collect();
        LedgerAlarms { damaged, ..LedgerAlarms::default() }
    }

    /// All active alarms.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Alarm> {
        self.damaged.iter().chain(&self.hang).chain(&self.unsaved).chain(&self.folder)
    }

    /// Adds the alarms to the operator view, before all others.
    pub(crate) fn show(&self, operator_view: &mut OperatorView) {
        operator_view.alarms.splice(0..0, self.all().cloned());
    }

    /// True until an operator acknowledges a damaged ledger.
    pub(crate) fn is_damaged(&self) -> bool {
        !self.damaged.is_empty()
    }

    /// Ends the alarms of a damaged ledger, and returns their texts.
    pub(crate) fn acknowledge(&mut self) -> Vec<String> {
        std::mem::take(&mut self.damaged).into_iter().map(|alarm| alarm.sentence).collect()
    }

    /// Ends the alarms of the disk, because the ledger in force is saved.
    pub(crate) fn end_of_disk(&mut self) {
        (self.hang, self.unsaved) = (None, None);
    }

    /// Raises the alarm of an unsaved ledger. Returns the event if the alarm is new.
    pub(crate) fn miss(&mut self, sentence: &str, now: u64) -> Option<Event> {
        raise(&mut self.unsaved, AlarmKey::LedgerUnsaved, sentence.to_owned(), now)
    }

    /// Raises the alarm of a disk that does not answer. Returns the event if the alarm is new.
    pub(crate) fn hangs(&mut self, now: u64) -> Option<Event> {
        let sentence = "the disk of the state folder does not answer: overrides are refused as not saved \
                        (`--unsaved` applies one in memory)";
        raise(&mut self.hang, AlarmKey::StateDiskHangs, sentence.to_owned(), now)
    }

    /// Raises or ends the alarm of the state folder. Returns the event if the alarm changes.
    pub(crate) fn see_folder(&mut self, fault: Option<String>, now: u64) -> Option<Event> {
        match fault {
            Some(sentence) => raise(&mut self.folder, AlarmKey::StateFolder, sentence.clone(), now)
                .map(|_| Event::StateFolder { sentence }),
            None => self.folder.take().map(|_| Event::StateFolder {
                sentence: "the state folder has no fault any more".to_owned(),
            }),
        }
    }

    /// Ends the alarm of a disk that does not answer.
    pub(crate) fn answers(&mut self) {
        self.hang = None;
    }

    /// True while the ledger in force is not saved.
    pub(crate) fn is_unsaved(&self) -> bool {
        self.unsaved.is_some()
    }
}

/// Raises an alarm. Returns the event unless the same alarm is active with the same text.
fn raise(place: &mut Option<Alarm>, key: AlarmKey, sentence: String, now: u64) -> Option<Event> {
    debug_assert_eq!(key.owner(), AlarmOwner::Ledger);
    let since_epoch_secs = match place {
        Some(alarm) if alarm.sentence == sentence => return None,
        Some(alarm) => alarm.since_epoch_secs,
        None => now,
    };
    *place = Some(Alarm { key, sentence: sentence.clone(), since_epoch_secs });
    Some(Event::LedgerAlarm { sentence })
}
