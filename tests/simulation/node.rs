//! The node: live state as the server has it, published by itself.

use crate::world::Compiled;
use meridian::testing::config::ledger_file;
use meridian::testing::health::Moment;
use meridian::testing::health::load::ShedRow;
use meridian::testing::live::{LiveState, Now, Remembered};
use meridian::testing::shared::command::{OverrideChange, OverrideOutcome};
use meridian::testing::snapshot::Snapshot;
use meridian::testing::steer::pop_status::Shed;
use meridian::testing::steer::status::Status;
use std::sync::Arc;

pub struct Node<'w> {
    files: &'w Compiled,
    capacity: Vec<f64>,
    pub live: LiveState,
    /// Shed share of each slot, in place of what live state says of load.
    sheds: Option<Vec<ShedRow>>,
    pub snapshot: Arc<Snapshot>,
}

impl<'w> Node<'w> {
    pub fn new(files: &'w Compiled, capacity: &[f64]) -> Node<'w> {
        let snapshot = measured(files, capacity);
        let now = Now { moment: Moment(0), epoch_secs: 0 };
        Node {
            live: LiveState::new(snapshot.clone(), Remembered::default(), now),
            capacity: capacity.to_vec(),
            files,
            sheds: None,
            snapshot,
        }
    }

    /// A turn: publishes what an answer would show.
    pub fn look(&mut self, now: Now) -> bool {
        self.live.step(now).any() && self.publish()
    }

    /// Says something by hand; `false` if it is refused.
    pub fn say(&mut self, change: &OverrideChange, now: Now) -> bool {
        let draft = self.live.draft(change, false, now);
        if draft.ended != OverrideOutcome::Done {
            return false;
        }
        self.live.keep(draft.ledger);
        self.look(now);
        true
    }

    /// Other files.
    pub fn reload(&mut self, files: &'w Compiled, now: Now) {
        self.files = files;
        self.live.follow(measured(files, &self.capacity), now);
        self.look(now);
    }

    /// The process ends and begins again with what it kept; the wall clock may have stepped
    /// meanwhile.
    pub fn restart(&mut self, now: Now, epoch_after: u64) {
        let kept = self.live.remembered(now);
        let text = ledger_file::print(&kept.ledger);
        let ledger =
            ledger_file::read_alone(text.as_bytes(), "overrides.yaml").unwrap_or_else(|_| panic!("{text}"));
        let now = Now { moment: Moment(0), epoch_secs: epoch_after };
        let snapshot = measured(self.files, &self.capacity);
        self.live = LiveState::new(snapshot, Remembered { ledger, ..kept }, now);
        self.look(now);
    }

    /// Sheds by other rules than those of live state; gives whether that is anything new.
    pub fn shed(&mut self, sheds: Vec<ShedRow>) -> bool {
        let is_new = self.sheds.as_ref() != Some(&sheds);
        self.sheds = Some(sheds);
        is_new && self.publish()
    }

    /// A new status for everybody, if it is another one.
    fn publish(&mut self) -> bool {
        let base = &self.files.world.snapshot;
        let status = self.live.status();
        let status = match &self.sheds {
            None => status,
            Some(rows) => {
                let mut sheds = vec![Shed::default(); base.steering.slots.len()];
                for row in rows {
                    sheds[row.slot.index()] = Shed { share: row.share, accept: row.accept.clone() };
                }
                let (slots, policies) = (&base.steering.slots, &base.steering.policies);
                Status::new(status.pops().to_vec(), slots, policies, self.live.health_state(), sheds)
            }
        };
        let is_new = status != *self.snapshot.status || !Arc::ptr_eq(&base.steering, &self.snapshot.steering);
        if is_new {
            self.snapshot = Arc::new(base.with_status(status, self.snapshot.sequence() + 1));
        }
        is_new
    }
}

/// The snapshot of files, with feeds for PoPs of so much capacity.
fn measured(files: &Compiled, capacity: &[f64]) -> Arc<Snapshot> {
    let mut snapshot = Snapshot::clone(&files.world.snapshot);
    snapshot.loads = files.loads(capacity);
    Arc::new(snapshot)
}
