//! What happens in a world: PoPs and networks break and are mended, feeds lie, operators speak,
//! files and clocks change.

use super::{FeedFate, Run};
use crate::world::POPS;
use meridian::testing::health::targets::TargetId;
use meridian::testing::shared::command::OverrideChange;
use meridian::testing::steer::ledger::{Action, Selector};
use meridian::testing::steer::pop::AdminState;

impl Run<'_> {
    /// Something happens, or nothing.
    pub fn stir(&mut self) {
        let pop = self.dice.below(POPS);
        let family = self.dice.below(2);
        match self.dice.below(150) {
            0..4 => self.break_pop(pop),
            4..10 => self.mend_pop(pop),
            10 => (0..POPS).filter(|other| (other ^ pop) & 1 == 0).for_each(|other| self.break_pop(other)),
            11 => (0..POPS).for_each(|pop| self.break_pop(pop)),
            12..15 => (0..POPS).for_each(|pop| self.mend_pop(pop)),
            15..18 => self.set_feed(pop, FeedFate::Dead),
            18..20 => {
                let factor = self.dice.between(0.2, 3.0);
                self.set_feed(pop, FeedFate::Lies(factor));
            }
            20..26 => self.set_feed(pop, FeedFate::Honest),
            26 => self.change_files(),
            27 => {
                let step_secs = [0, 0, 30, -30, 86_400, -86_400][self.dice.below(6)];
                self.restart(step_secs);
            }
            28..31 => self.break_family(pop, family),
            31 => self.cut(family),
            32..35 => (0..2).for_each(|family| self.join(family)),
            35..41 => self.speak(pop),
            41..44 => self.take_back(pop),
            44 => {
                let step_secs = [5, -5, 600, -600][self.dice.below(4)];
                self.tell(format!("the clock steps by {step_secs} s"));
                self.epoch_secs = self.epoch_secs.saturating_add_signed(step_secs);
                self.put();
            }
            _ => {}
        }
    }

    fn set_feed(&mut self, pop: usize, fate: FeedFate) {
        self.sites[pop].feed = fate;
        self.tell(format!("the feed of p{pop:02} is {fate:?}"));
    }

    pub fn break_pop(&mut self, pop: usize) {
        (0..2).for_each(|family| self.break_family(pop, family));
    }

    fn break_family(&mut self, pop: usize, family: usize) {
        if self.sites[pop].broken_since[family].is_none() {
            self.sites[pop].broken_since[family] = Some(self.now_ms);
            self.tell(format!("p{pop:02} breaks in {}", ["IPv4", "IPv6"][family]));
        }
    }

    pub fn mend_pop(&mut self, pop: usize) {
        if std::mem::take(&mut self.sites[pop].broken_since) != [None; 2] {
            self.tell(format!("p{pop:02} is mended"));
        }
    }

    /// This node's own network.
    fn cut(&mut self, family: usize) {
        if self.cut_since[family].is_none() {
            self.cut_since[family] = Some(self.now_ms);
            self.tell(format!("the network is cut in {}", ["IPv4", "IPv6"][family]));
        }
    }

    fn join(&mut self, family: usize) {
        if self.cut_since[family].take().is_some() {
            self.tell(format!("the network works again in {}", ["IPv4", "IPv6"][family]));
            // Results of the cut come in for a while, and a canary must speak before a verdict.
            self.watched.excuse(None, self.now_ms + 10_000);
        }
    }

    /// Somebody says something of a PoP by hand, at once or step by step, for a time or for good.
    /// Few at once, so that the rest of the world goes on.
    fn speak(&mut self, pop: usize) {
        let off = self.node.live.ledger().all_taken_out();
        let off = off.effective(&self.node.snapshot.pops, self.epoch());
        let may_take_out = off.iter().filter(|is| is.is_off()).count() < 3;
        let action = match self.dice.below(5) {
            0 if may_take_out => Action::State(AdminState::Down),
            1 | 2 if may_take_out => Action::State(AdminState::Drain),
            3 => Action::State(AdminState::Up),
            _ => Action::Weight(Some([1, 20, 500][self.dice.below(3)])),
        };
        let (over_secs, lasts_secs) =
            ([0, 0, 60, 300][self.dice.below(4)], [None, Some(40), Some(400)][self.dice.below(3)]);
        let start = [None, None, Some(self.epoch() + 45)][self.dice.below(3)];
        self.say(pop, action, over_secs, lasts_secs, start);
    }

    fn take_back(&mut self, pop: usize) {
        let over_secs = [0, 60][self.dice.below(2)];
        self.say(pop, Action::State(AdminState::Auto), over_secs, None, None);
        self.say(pop, Action::Weight(None), 0, None, None);
    }

    fn say(
        &mut self,
        pop: usize,
        action: Action,
        over_secs: u64,
        lasts_secs: Option<u64>,
        start_epoch_secs: Option<u64>,
    ) {
        let selectors = vec![Selector::parse(&format!("p{pop:02}")).unwrap()];
        let (author, reason) = ("sim".into(), "why not".into());
        let change = OverrideChange {
            selectors,
            action,
            author,
            reason,
            lasts_secs,
            start_epoch_secs,
            over_secs,
            force: true,
            dry_run: false,
            unsaved: false,
        };
        let now = self.now();
        if self.node.say(&change, now) {
            self.tell(format!(
                "by hand: p{pop:02} {action} over {over_secs} s, for {lasts_secs:?} s, at \
                {start_epoch_secs:?}"
            ));
            self.watched.excuse(Some(pop), self.now_ms);
            self.swap();
            self.look();
        }
    }

    fn put(&mut self) {
        let now = self.now();
        self.node.look(now);
        self.swap();
        self.look();
    }

    /// Other files: weights differ, the last PoP comes or goes, everything else is carried over.
    pub fn change_files(&mut self) {
        self.edition = 1 - self.edition;
        self.tell(format!("files of edition {}", self.edition));
        let (world, now) = (self.world(), self.now());
        self.watched.follow(world, self.now_ms);
        // Indexes of targets are others: what runs is found again by its ticket.
        let old = &self.editions[1 - self.edition].world.snapshot.target_set;
        let new = &world.world.snapshot.target_set;
        self.probes.retain_mut(|(_, _, target, _)| {
            let key = &old.targets[target.index()].key;
            let found = new.targets.iter().position(|target| target.key == *key);
            *target = TargetId::at(found.unwrap_or(0));
            found.is_some()
        });
        self.node.reload(world, now);
        self.swap();
        self.look();
    }

    /// The process ends and begins again; its clock begins anew, and the world's clock may have
    /// stepped.
    pub fn restart(&mut self, step_secs: i64) {
        self.tell(format!("restart, the clock steps by {step_secs} s"));
        let now = self.now();
        self.epoch_secs = self.epoch_secs.saturating_add_signed(step_secs);
        self.zero_ms = self.now_ms;
        self.probes.clear();
        self.feeds.clear();
        self.node.restart(now, now.epoch_secs.saturating_add_signed(step_secs));
        self.watched.restart(self.node.live.monitor(), self.now_ms);
        self.swap();
        self.look();
    }
}
