//! Alarms of the ledger on the disk: one that was damaged, a disk that does not answer, and a
//! ledger in force that the disk does not have.

use crate::shared::alarm::{Alarm, AlarmKey};
use crate::shared::event::Event;
use crate::shared::operator_view::OperatorView;

/// The alarms that stand.
#[derive(Debug, Default)]
pub(crate) struct LedgerAlarms {
    /// Damaged ledger, until acknowledged.
    damaged: Vec<Alarm>,
    /// Disk that does not answer.
    hang: Option<Alarm>,
    /// Ledger in force that the disk does not have.
    unsaved: Option<Alarm>,
    /// State folder that is not as it should be.
    folder: Option<Alarm>,
}

impl LedgerAlarms {
    /// Alarms of a ledger that was read with these faults.
    pub(crate) fn new(faults: Vec<String>, now: u64) -> LedgerAlarms {
        let alarm = |sentence| Alarm { key: AlarmKey::LedgerDamaged, sentence, since_epoch_secs: now };
        let damaged = faults.into_iter().map(alarm).collect();
        LedgerAlarms { damaged, ..LedgerAlarms::default() }
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Alarm> {
        self.damaged.iter().chain(&self.hang).chain(&self.unsaved).chain(&self.folder)
    }

    /// Shows them before all others.
    pub(crate) fn show(&self, operator_view: &mut OperatorView) {
        operator_view.alarms.splice(0..0, self.all().cloned());
    }

    /// True while a damaged ledger waits to be acknowledged.
    pub(crate) fn is_damaged(&self) -> bool {
        !self.damaged.is_empty()
    }

    /// Ends the alarms of a damaged ledger; gives their sentences.
    pub(crate) fn acknowledge(&mut self) -> Vec<String> {
        std::mem::take(&mut self.damaged).into_iter().map(|alarm| alarm.sentence).collect()
    }

    /// Ends the alarms of the disk, because it has the ledger in force.
    pub(crate) fn end_of_disk(&mut self) {
        (self.hang, self.unsaved) = (None, None);
    }

    /// Raises the alarm of a ledger that the disk does not have; gives its event if it is new.
    pub(crate) fn miss(&mut self, sentence: &str, now: u64) -> Option<Event> {
        raise(&mut self.unsaved, AlarmKey::LedgerUnsaved, sentence.to_owned(), now)
    }

    /// Raises the alarm of a disk that does not answer; gives its event if it is new.
    pub(crate) fn hangs(&mut self, now: u64) -> Option<Event> {
        let sentence = "the disk of the state folder does not answer: overrides are refused as not saved \
                        (`--unsaved` applies one in memory)";
        raise(&mut self.hang, AlarmKey::StateDiskHangs, sentence.to_owned(), now)
    }

    /// Takes what is wrong with the state folder, if anything is; gives the event if that is new.
    pub(crate) fn see_folder(&mut self, fault: Option<String>, now: u64) -> Option<Event> {
        match fault {
            Some(sentence) => raise(&mut self.folder, AlarmKey::StateFolder, sentence.clone(), now)
                .map(|_| Event::StateFolder { sentence }),
            None => self.folder.take().map(|_| Event::StateFolder {
                sentence: "the state folder is as it should be again".to_owned(),
            }),
        }
    }

    /// The disk has answered.
    pub(crate) fn answers(&mut self) {
        self.hang = None;
    }

    /// True while the disk does not have the ledger in force.
    pub(crate) fn is_unsaved(&self) -> bool {
        self.unsaved.is_some()
    }
}

/// Raises an alarm; gives its event if it did not stand with these words.
fn raise(place: &mut Option<Alarm>, key: AlarmKey, sentence: String, now: u64) -> Option<Event> {
    let since_epoch_secs = match place {
        Some(alarm) if alarm.sentence == sentence => return None,
        Some(alarm) => alarm.since_epoch_secs,
        None => now,
    };
    *place = Some(Alarm { key, sentence: sentence.clone(), since_epoch_secs });
    Some(Event::LedgerAlarm { sentence })
}
