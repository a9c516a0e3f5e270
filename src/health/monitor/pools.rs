//! The pools of every policy, and what is shown of those on their way back from all down.

use crate::health::Moment;
use crate::health::guard::{Guard, Judgement, Release};
use crate::health::health_state::{ReturningPool, SlotHealth};
use crate::health::saved::{SavedRank, SavedReturn};
use crate::health::targets::{ManualState, PolicyMembers, TargetSet};
use crate::health::way_back::{Census, GuardState, WayBack, WayBackChange};
use std::collections::{BTreeMap, BTreeSet};

/// What a pool came to: policy, number of the pool, its census, the change.
pub(super) type PoolJudgement = (u32, u16, Census, WayBackChange);

/// What guards decided, by policy, and what pools came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Judged {
    /// Guards.
    pub(super) guards: Vec<(u32, Judgement)>,
    /// Pools.
    pub(super) pools: Vec<PoolJudgement>,
}

/// All pools.
#[derive(Clone, Debug, Default)]
pub(super) struct PoolTable {
    /// For each policy.
    pools: Vec<Vec<WatchedPool>>,
    /// Policy and number of those that return.
    returning: BTreeSet<(u32, u16)>,
}

#[derive(Clone, Debug)]
struct WatchedPool {
    way_back: WayBack,
    members: Vec<PoolMember>,
    /// For each member the order in which it went down, as it was when all were down last.
    went_down: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct PoolMember {
    /// Number in the policy.
    member: u32,
    pop: u16,
    slot: u32,
}

impl PoolTable {
    /// No pool returns.
    pub(super) fn new(target_set: &TargetSet) -> PoolTable {
        let pool = |policy: &PolicyMembers, members: &[u32]| {
            let member = |member: &u32| {
                let (pop, slot) = policy.members[*member as usize];
                PoolMember { member: *member, pop, slot }
            };
            let members: Vec<PoolMember> = members.iter().map(member).collect();
            let mut probe_ms = 0;
            for formula in members
                .iter()
                .map(|member| &target_set.slots[member.slot as usize])
                .flat_map(|slot| slot.v4.iter().chain(&slot.v6))
            {
                formula.visit(&mut |index| {
                    let spec = &target_set.targets[index as usize].spec;
                    probe_ms = probe_ms.max(u64::from(spec.up_after.max(1)) * u64::from(spec.every_ms));
                });
            }
            WatchedPool {
                way_back: WayBack::new(policy.guard, probe_ms),
                went_down: vec![0; members.len()],
                members,
            }
        };
        let pools =
            |policy: &PolicyMembers| policy.pools.iter().map(|it| pool(policy, &it.members)).collect();
        PoolTable { pools: target_set.policies.iter().map(pools).collect(), returning: BTreeSet::new() }
    }

    /// Judges the pools of a policy, whose guard knows which PoPs are down, and has just decided
    /// this.
    pub(super) fn judge(
        &mut self,
        policy: u32,
        (guard, judgement): (&Guard, Option<Judgement>),
        slots: &[SlotHealth],
        by_hand: &[ManualState],
        now: Moment,
    ) -> Vec<PoolJudgement> {
        let guard_state = match judgement {
            Some(Judgement::Released(Release::Settled, _)) => GuardState::Settled,
            _ if guard.hold().is_some() => GuardState::Holding,
            _ => GuardState::Idle,
        };
        let mut judgements = Vec::new();
        for (pool, number) in self.pools[policy as usize].iter_mut().zip(0u16..) {
            let mut census = Census::default();
            for member in &pool.members {
                let is_down = guard.is_down(member.member as usize);
                match by_hand[usize::from(member.pop)] {
                    ManualState::None => {
                        census.add(!is_down);
                        census.fallen += u32::from(guard.has_fallen(member.member as usize));
                    }
                    ManualState::Up => census.is_served = true,
                    ManualState::Moved => census.is_served |= !is_down,
                    ManualState::Down => {}
                }
            }
            let change = pool.way_back.judge(census, guard_state, now);
            if pool.way_back.is_all_down() {
                pool.went_down =
                    pool.members.iter().map(|member| slots[member.slot as usize].went_down).collect();
            }
            match pool.way_back.returns_since_ms() {
                Some(_) => _ = self.returning.insert((policy, number)),
                None => _ = self.returning.remove(&(policy, number)),
            }
            judgements.extend(change.map(|change| (policy, number, census, change)));
        }
        judgements
    }

    /// Whether a member of a policy is in a pool that returns: it does not serve by its verdict.
    pub(super) fn is_returning(&self, policy: u32, member: u32) -> bool {
        let pools = self.returning.range((policy, 0)..=(policy, u16::MAX));
        pools
            .map(|(policy, number)| &self.pools[*policy as usize][usize::from(*number)])
            .any(|pool| pool.members.iter().any(|other| other.member == member))
    }

    /// Policies with a pool that returns.
    pub(super) fn policies(&self) -> impl Iterator<Item = u32> {
        self.returning.iter().map(|(policy, _)| *policy)
    }

    /// What is shown of the pools that return.
    pub(super) fn shown(&self) -> Vec<ReturningPool> {
        let shown = |(policy, number): &(u32, u16)| {
            let pool = &self.pools[*policy as usize][usize::from(*number)];
            let slots = pool.members.iter().map(|member| member.slot);
            let slots = slots.zip(pool.went_down.iter().copied()).collect();
            ReturningPool {
                policy: *policy,
                pool: *number,
                share_percent: pool.way_back.share_percent(),
                slots,
            }
        };
        self.returning.iter().map(shown).collect()
    }

    /// When the next way back ends by its time.
    pub(super) fn next_wake(&self) -> Option<Moment> {
        let pools =
            self.returning.iter().map(|(policy, number)| &self.pools[*policy as usize][usize::from(*number)]);
        pools.filter_map(|pool| pool.way_back.next_wake()).min()
    }

    /// Takes over what pools of the same policy and PoPs were (a reload). What is new in a pool
    /// that returns serves with the others.
    pub(super) fn take_over(&mut self, before: &PoolTable, (old, new): (&TargetSet, &TargetSet)) {
        let policy_of: BTreeMap<&str, usize> =
            old.policies.iter().zip(0..).map(|(policy, number)| (&*policy.name, number)).collect();
        for (policy, number) in new.policies.iter().zip(0u32..) {
            let Some(&old_number) = policy_of.get(&*policy.name) else { continue };
            let old_policy = &old.policies[old_number];
            for (pool, index) in policy.pools.iter().zip(0u16..) {
                let old_index = old_policy.pools.iter().position(|other| other.name == pool.name);
                let Some(was) = old_index.map(|old_index| &before.pools[old_number][old_index]) else {
                    continue;
                };
                let ranks: BTreeMap<(&str, &str), u32> = (was.members.iter().zip(&was.went_down))
                    .map(|(member, went_down)| (old.name_of(&old.slots[member.slot as usize]), *went_down))
                    .collect();
                let is = &mut self.pools[number as usize][usize::from(index)];
                is.way_back.follow(&was.way_back);
                for (member, went_down) in is.members.iter().zip(&mut is.went_down) {
                    let name = new.name_of(&new.slots[member.slot as usize]);
                    *went_down = ranks.get(&name).copied().unwrap_or(0);
                }
                if is.way_back.returns_since_ms().is_some() {
                    self.returning.insert((number, index));
                }
            }
        }
    }

    /// The pools that return, by policy: since when, and their slots when all were down.
    pub(super) fn returns<'p>(
        &'p self,
        target_set: &'p TargetSet,
    ) -> impl Iterator<Item = (u32, i64, Vec<SavedRank>)> + 'p {
        self.returning.iter().filter_map(move |(policy, number)| {
            let pool = &self.pools[*policy as usize][usize::from(*number)];
            let slot = |(member, went_down): (&PoolMember, &u32)| {
                let (pop, service) = target_set.name_of(&target_set.slots[member.slot as usize]);
                SavedRank { pop: pop.into(), service: service.into(), went_down: *went_down }
            };
            let slots = pool.members.iter().zip(&pool.went_down).map(slot).collect();
            Some((*policy, pool.way_back.returns_since_ms()?, slots))
        })
    }

    /// Goes on with the way back of before a restart, of the pool that has the same PoPs.
    pub(super) fn resume(
        &mut self,
        target_set: &TargetSet,
        policy: u32,
        saved: &SavedReturn,
        since_ms: i64,
        now: Moment,
    ) {
        let ranks: BTreeMap<(&str, &str), u32> =
            saved.slots.iter().map(|slot| ((&*slot.pop, &*slot.service), slot.went_down)).collect();
        for (pool, number) in self.pools[policy as usize].iter_mut().zip(0u16..) {
            let rank = |member: &PoolMember| {
                ranks.get(&target_set.name_of(&target_set.slots[member.slot as usize])).copied()
            };
            let went_down: Vec<u32> = pool.members.iter().filter_map(rank).collect();
            let is_same = went_down.len() == pool.members.len() && went_down.len() == ranks.len();
            // A stamp of the future is as wrong as one whose time is over.
            let is_fresh =
                since_ms <= now.clock_ms() && now.since_clock_ms(since_ms) < pool.way_back.at_most_ms();
            if is_same && is_fresh {
                pool.went_down = went_down;
                pool.way_back.resume(since_ms);
                self.returning.insert((policy, number));
            }
        }
    }
}
