//! Overrides and their saves: a change is saved on a thread of its own ([`super::super::saves`])
//! and then published. A change with `--unsaved` is published before it is saved.

use super::Writer;
use crate::impact::prediction;
use crate::limits::{SAVE_RETRY_SECS, SAVE_SECS};
use crate::live::draft::Draft;
use crate::server::saves::{Ended, OverrideReply, Purpose, Request};
use crate::shared::command::{OverrideChange, OverrideOutcome, OverrideReport, StateLook};
use crate::shared::event::Event;
use crate::state::remembered::Memory;
use crate::steer::ledger::Ledger;
use crate::sys::clock::epoch_secs;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::task::spawn_blocking;

/// Refusal of a verb that would wait for a hanging disk, or behind too many other verbs.
const DISK_BUSY: &str = "the disk of the state folder has not answered an earlier save; `--unsaved` \
                         applies the change in memory, under an alarm";

/// Refusal of a verb that the disk does not save in time.
const NOT_SAVED: &str = "the disk of the state folder has not answered in time; `--unsaved` applies the \
                         change in memory, under an alarm";

/// Refusal of a verb while another server has the state folder.
const TAKEN: &str = "another server has taken the state folder; `--unsaved` applies the change in memory, \
                     under an alarm";

/// Alarm of a change with `--unsaved`.
const UNSAVED: &str = "the overrides in force are not saved: a restart would lose the last of them";

/// Alarm after a restart of the writer, until the ledger in force is saved.
pub(super) const UNCERTAIN: &str = "the writer was restarted: the overrides in force are being saved again";

impl Writer {
    /// Waits for running saves until their deadline. A saved change is in force after a restart, so
    /// its request gets the answer that it was done.
    pub(super) async fn finish_saves(&mut self) {
        let all = async {
            if self.ledger_alarms.is_unsaved() && self.saves.is_idle() {
                self.saves.begin(self.live().ledger().clone(), Purpose::Rewrite);
            }
            while !self.saves.is_idle() {
                let ended = self.saves.wait().await;
                self.finish_save(ended);
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(SAVE_SECS), all).await;
        while let Some(request) = self.saves.next_waiting() {
            match request {
                Request::Override(_, reply) => {
                    reply(self.not_saved("the server is stopping; nothing was changed"))
                }
                Request::Acknowledge(_, reply) => {
                    reply(Err("the server is stopping; nothing was changed".to_owned()))
                }
            }
        }
    }

    /// Begins a request, or lets it wait for the running save. A dry run never waits. A change with
    /// `--unsaved` waits for a save that is not late, because the whole ledger of that save comes
    /// into force.
    pub(super) fn handle_request(&mut self, request: Request) {
        let waits = match &request {
            Request::Override(change, _) => !(change.dry_run || (change.unsaved && self.saves.is_late())),
            Request::Acknowledge(..) => true,
        };
        let refused = match waits && !self.saves.is_idle() {
            true => self.saves.wait_behind(request).err(),
            false => return self.begin_request(request),
        };
        match refused {
            Some(Request::Override(_, reply)) => reply(self.not_saved(DISK_BUSY)),
            Some(Request::Acknowledge(_, reply)) => reply(Err(DISK_BUSY.to_owned())),
            None => {}
        }
    }

    /// True while another server has the state folder.
    pub(super) fn is_taken(&self) -> bool {
        self.shared.counters.state_taken.load(Ordering::Relaxed)
    }

    fn begin_request(&mut self, request: Request) {
        match request {
            Request::Override(change, reply) => self.begin_override(&change, reply),
            Request::Acknowledge(_, reply) if !self.ledger_alarms.is_damaged() => reply(Ok(Vec::new())),
            Request::Acknowledge(_, reply) if self.is_taken() => reply(Err(TAKEN.to_owned())),
            Request::Acknowledge(author, reply) => {
                self.saves.begin(self.live().ledger().clone(), Purpose::Acknowledge(author, reply));
            }
        }
    }

    /// Judges a change. A change is saved before it comes into force, so that a restart does not
    /// undo a change in force; only with `--unsaved` it is published first, under an alarm.
    fn begin_override(&mut self, change: &OverrideChange, reply: OverrideReply) {
        // Judges the change against the current state, not against the last step.
        self.look();
        let draft = self.live().draft(change, self.ledger_alarms.is_damaged(), self.driver.now());
        match &draft.ended {
            OverrideOutcome::Done if change.unsaved => {
                self.driver.live.keep(draft.ledger.clone());
                let alarm = self.ledger_alarms.miss(UNSAVED, epoch_secs());
                alarm.iter().for_each(|event| self.log_event(event));
                self.save_again = Some(Instant::now());
                self.publish_override(draft, reply);
            }
            OverrideOutcome::Done if self.is_taken() => reply(self.not_saved(TAKEN)),
            OverrideOutcome::Done => {
                self.saves.begin(draft.ledger.clone(), Purpose::Override(Box::new(draft), reply));
            }
            OverrideOutcome::DryRun => {
                let in_the_end = draft.in_the_end.clone();
                self.predict(self.report(draft), in_the_end, reply);
            }
            OverrideOutcome::Unsafe(_) | OverrideOutcome::Refused(_) => reply(self.report(draft)),
        }
    }

    /// Publishes an override that is in force now, and answers its request.
    fn publish_override(&mut self, mut draft: Draft, reply: OverrideReply) {
        self.publish();
        std::mem::take(&mut draft.events).iter().for_each(|event| self.log_event(event));
        reply(self.report(draft));
    }

    /// Outcome of a change, with the snapshot in service.
    fn report(&self, draft: Draft) -> OverrideReport {
        OverrideReport { pops: draft.pops, warnings: draft.warnings, ..self.outcome(draft.ended) }
    }

    /// Refusal of a change that is not saved.
    fn not_saved(&self, sentence: &str) -> OverrideReport {
        self.outcome(OverrideOutcome::Refused(sentence.to_owned()))
    }

    fn outcome(&self, ended: OverrideOutcome) -> OverrideReport {
        let served = self.shared.published.snapshot();
        OverrideReport {
            ended,
            sequence: served.sequence(),
            digest: served.digest().to_string(),
            pops: Vec::new(),
            warnings: Vec::new(),
            prediction: None,
        }
    }

    /// Handles the end of a save, or its deadline.
    pub(super) fn finish_save(&mut self, ended: Ended) {
        match ended {
            Ended::Late(purpose) => {
                let alarm = self.ledger_alarms.hangs(epoch_secs());
                alarm.iter().for_each(|event| self.log_event(event));
                self.refuse_save(purpose, NOT_SAVED);
                // The waiting requests would wait for the same disk, so they are refused.
                while let Some(request) = self.saves.next_waiting() {
                    self.handle_request(request);
                }
            }
            Ended::Done(None, ledger, result) => {
                self.ledger_alarms.answers();
                if result.is_ok() && ledger == *self.live().ledger() {
                    self.ledger_alarms.end_of_disk();
                    self.save_again = None;
                } else {
                    // A refused change may be on the disk.
                    let why = result
                        .err()
                        .unwrap_or_else(|| "the disk may have a change that was refused".to_owned());
                    self.refuse_save(Purpose::Rewrite, &why);
                }
            }
            Ended::Done(Some(purpose), _, Err(why)) => self.refuse_save(purpose, &why),
            Ended::Done(Some(Purpose::Override(mut draft, reply)), _, Ok(())) => {
                // Logs expired overrides before the new ledger replaces them.
                self.look();
                self.driver.live.keep(std::mem::take(&mut draft.ledger));
                self.ledger_alarms.end_of_disk();
                self.publish_override(*draft, reply);
            }
            Ended::Done(Some(Purpose::Acknowledge(author, reply)), _, Ok(())) => {
                let over = self.ledger_alarms.acknowledge();
                self.log_event(&Event::LedgerAcknowledged { author: author.to_string() });
                reply(Ok(over));
            }
            Ended::Done(Some(Purpose::Rewrite), _, Ok(())) => {
                self.ledger_alarms.end_of_disk();
                self.save_again = None;
            }
        }
        self.refresh_view();
        self.begin_waiting();
    }

    /// Begins the requests that waited for a save. Begins none while an ended reload waits for its
    /// verdict: the requests could delay it for ever.
    pub(super) fn begin_waiting(&mut self) {
        while self.saves.is_idle() && !self.reloads.has_ended() {
            let Some(request) = self.saves.next_waiting() else { break };
            self.begin_request(request);
        }
    }

    /// Answers a request whose save has failed or is late.
    fn refuse_save(&mut self, purpose: Purpose, why: &str) {
        match purpose {
            Purpose::Override(_, reply) => {
                reply(
                    self.not_saved(&format!("the ledger cannot be written, so nothing was changed: {why}")),
                );
            }
            Purpose::Acknowledge(_, reply) => {
                reply(Err(format!(
                    "the ledger of overrides cannot be written, so the alarm about its damage stays: {why}"
                )));
            }
            Purpose::Rewrite => {
                let sentence = format!("the overrides in force are not saved: {why}");
                let alarm = self.ledger_alarms.miss(&sentence, epoch_secs());
                alarm.iter().for_each(|event| self.log_event(event));
                let is_first = alarm.is_some() && !self.saves.is_late();
                let pause = Duration::from_secs(if is_first { 0 } else { SAVE_RETRY_SECS });
                self.save_again = Some(Instant::now() + pause);
            }
        }
    }

    /// Handles the result of a check of the state folder. If the folder was recreated, its contents
    /// are written again from memory.
    pub(super) fn see_state_folder(&mut self, look: StateLook) {
        let now = epoch_secs();
        self.shared.counters.state_fault.store(look.fault.is_some(), Ordering::Relaxed);
        self.shared.counters.state_taken.store(look.is_taken, Ordering::Relaxed);
        let mut events: Vec<Event> = self.ledger_alarms.see_folder(look.fault, now).into_iter().collect();
        events.extend(look.control_made_anew.map(|sentence| Event::StateFolder { sentence }));
        if let Some(sentence) = look.made_anew {
            self.memories.iter_mut().for_each(Memory::is_lost);
            self.kept_zones.is_lost();
            let alarm = format!("{sentence}; the server is writing its state there again");
            events.push(Event::StateFolder { sentence });
            self.ledger_alarms.miss(&alarm, now);
            self.save_again = Some(Instant::now());
        }
        if !events.is_empty() {
            events.iter().for_each(|event| self.log_event(event));
            self.refresh_view();
        }
    }

    /// Saves the ledger in force again if it is unsaved.
    pub(super) fn save_again(&mut self) {
        let is_due = self.save_again.is_some_and(|at| at <= Instant::now());
        if is_due && self.saves.is_idle() && !self.is_taken() {
            self.save_again = None;
            if self.ledger_alarms.is_unsaved() {
                self.saves.begin(self.live().ledger().clone(), Purpose::Rewrite);
            }
        }
    }

    /// Predicts the clients that an override moves. Runs on a thread of its own, because it asks
    /// many clients and only the requester waits for the result.
    fn predict(&self, changed: OverrideReport, in_the_end: Ledger, reply: OverrideReply) {
        let (before, counted) = (self.shared.published.snapshot(), self.shared.published.decisions());
        let now = self.driver.now();
        let (after, loads) = (self.live().prediction(in_the_end, now), self.live().measured(now));
        drop(spawn_blocking(move || {
            let prediction = Some(prediction::predict(&before, &after, counted.by_pop(), &loads));
            reply(OverrideReport { prediction, ..changed });
        }));
    }
}
