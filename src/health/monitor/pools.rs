//! Pools of every policy: which of them return from all down, and the list of these for the health
//! state, because their PoPs do not serve by their verdicts yet.

use crate::health::Moment;
use crate::health::guard::{Guard, Judgement, Release};
use crate::health::health_state::{ReturningPool, SlotHealth};
use crate::health::saved::{SavedRank, SavedReturn};
use crate::health::targets::{ManualState, PolicyId, PolicyMembers, PopId, SlotId, TargetSet};
use crate::health::way_back::{Census, GuardState, WayBack, WayBackChange};
use std::collections::{BTreeMap, BTreeSet};

/// Change of a pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct PoolJudgement {
    /// Its policy.
    pub(super) policy: PolicyId,
    /// Its number in the policy.
    pub(super) pool: u16,
    /// Count of its PoPs.
    pub(super) census: Census,
    /// Begin or end of its way back.
    pub(super) change: WayBackChange,
}

/// Changes of guards, by policy, and of pools.
#[derive(Clone, Debug, Default)]
pub(super) struct Judged {
    /// Decisions of guards, by policy.
    pub(super) guards: Vec<(PolicyId, Judgement)>,
    /// Changes of pools.
    pub(super) pools: Vec<PoolJudgement>,
}

/// All pools.
#[derive(Clone, Debug, Default)]
pub(super) struct PoolTable {
    /// Pools of each policy.
    pools: Vec<Vec<WatchedPool>>,
    /// Policy and number of the pools on their way back.
    returning: BTreeSet<(PolicyId, u16)>,
}

#[derive(Clone, Debug)]
struct WatchedPool {
    way_back: WayBack,
    members: Vec<PoolMember>,
    /// Rank of each member when all were last down.
    went_down: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct PoolMember {
    /// Number of the member in the policy.
    member: u32,
    pop: PopId,
    slot: SlotId,
}

impl PoolTable {
    /// Starts without a pool on its way back.
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
                .map(|member| &target_set.slots[member.slot.index()])
                .flat_map(|slot| slot.v4.iter().chain(&slot.v6))
            {
                formula.visit(&mut |index| {
                    let spec = &target_set.targets[index.index()].spec;
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

    /// Judges the pools of a policy, given its guard and the guard's decision of this moment.
    pub(super) fn judge(
        &mut self,
        policy: PolicyId,
        (guard, judgement): (&Guard, Option<Judgement>),
        slots: &[SlotHealth],
        manual_states: &[ManualState],
        now: Moment,
    ) -> Vec<PoolJudgement> {
        let guard_state = match judgement {
            Some(Judgement::Released(Release::Settled, _)) => GuardState::Settled,
            _ if guard.hold().is_some() => GuardState::Holding,
            _ => GuardState::Idle,
        };
        let mut judgements = Vec::new();
        'pools: for (pool, number) in self.pools[policy.index()].iter_mut().zip(0u16..) {
            let mut census = Census::default();
            for member in &pool.members {
                let is_down = guard.is_down(member.member as usize);
                match manual_states[member.pop.index()] {
                    ManualState::None => {
                        census.add(!is_down);
                        census.fallen += u32::from(guard.has_fallen(member.member as usize));
                    }
                    ManualState::Up => census.is_served = true,
                    ManualState::Moved => census.is_served |= !is_down,
                    ManualState::Down => {}
                }
                // An open pool changes once none of its PoPs serves: mostly the first one does, and
                // a verdict concerns all policies of its PoP.
                if pool.way_back.is_open() && (census.is_served || census.up > 0) {
                    continue 'pools;
                }
            }
            let change = pool.way_back.judge(census, guard_state, now);
            if pool.way_back.is_all_down() {
                pool.went_down =
                    pool.members.iter().map(|member| slots[member.slot.index()].went_down).collect();
            }
            match pool.way_back.returns_since_ms() {
                Some(_) => _ = self.returning.insert((policy, number)),
                None => _ = self.returning.remove(&(policy, number)),
            }
            judgements.extend(change.map(|change| PoolJudgement { policy, pool: number, census, change }));
        }
        judgements
    }

    /// True if a member is in a pool on its way back, so that it does not serve by its verdict.
    pub(super) fn is_returning(&self, policy: PolicyId, member: u32) -> bool {
        let pools = self.returning.range((policy, 0)..=(policy, u16::MAX));
        pools
            .map(|(policy, number)| &self.pools[policy.index()][usize::from(*number)])
            .any(|pool| pool.members.iter().any(|other| other.member == member))
    }

    /// Policies with a pool on its way back.
    pub(super) fn policies(&self) -> impl Iterator<Item = PolicyId> {
        self.returning.iter().map(|(policy, _)| *policy)
    }

    /// Pools on their way back, for the health state.
    pub(super) fn shown(&self) -> Vec<ReturningPool> {
        let shown = |(policy, number): &(PolicyId, u16)| {
            let pool = &self.pools[policy.index()][usize::from(*number)];
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

    /// Next end of a way back by its limit.
    pub(super) fn next_wake(&self) -> Option<Moment> {
        let pools =
            self.returning.iter().map(|(policy, number)| &self.pools[policy.index()][usize::from(*number)]);
        pools.filter_map(|pool| pool.way_back.next_wake()).min()
    }

    /// Takes over the state of pools with the same policy and name after a reload. A PoP that is
    /// new in a pool on its way back is treated like the others of the pool.
    pub(super) fn take_over(&mut self, before: &PoolTable, (old, new): (&TargetSet, &TargetSet)) {
        let policy_of: BTreeMap<&str, usize> =
            old.policies.iter().zip(0..).map(|(policy, number)| (&*policy.name, number)).collect();
        for (policy, number) in new.policies.iter().zip(PolicyId::in_order()) {
            let Some(&old_number) = policy_of.get(&*policy.name) else { continue };
            let old_policy = &old.policies[old_number];
            for (pool, index) in policy.pools.iter().zip(0u16..) {
                let old_index = old_policy.pools.iter().position(|other| other.name == pool.name);
                let Some(was) = old_index.map(|old_index| &before.pools[old_number][old_index]) else {
                    continue;
                };
                let ranks: BTreeMap<(&str, &str), u32> = (was.members.iter().zip(&was.went_down))
                    .map(|(member, went_down)| (old.name_of(&old.slots[member.slot.index()]), *went_down))
                    .collect();
                let is = &mut self.pools[number.index()][usize::from(index)];
                is.way_back.follow(&was.way_back);
                for (member, went_down) in is.members.iter().zip(&mut is.went_down) {
                    let name = new.name_of(&new.slots[member.slot.index()]);
                    *went_down = ranks.get(&name).copied().unwrap_or(0);
                }
                if is.way_back.returns_since_ms().is_some() {
                    self.returning.insert((number, index));
                }
            }
        }
    }

    /// Pools on their way back, by policy: start, and slots with their ranks.
    pub(super) fn returns<'p>(
        &'p self,
        target_set: &'p TargetSet,
    ) -> impl Iterator<Item = (PolicyId, i64, Vec<SavedRank>)> + 'p {
        self.returning.iter().filter_map(move |(policy, number)| {
            let pool = &self.pools[policy.index()][usize::from(*number)];
            let slot = |(member, went_down): (&PoolMember, &u32)| {
                let (pop, service) = target_set.name_of(&target_set.slots[member.slot.index()]);
                SavedRank { pop: pop.into(), service: service.into(), went_down: *went_down }
            };
            let slots = pool.members.iter().zip(&pool.went_down).map(slot).collect();
            Some((*policy, pool.way_back.returns_since_ms()?, slots))
        })
    }

    /// Continues the way back of before a restart, for the pool with the same PoPs.
    pub(super) fn resume(
        &mut self,
        target_set: &TargetSet,
        policy: PolicyId,
        saved: &SavedReturn,
        since_ms: i64,
        now: Moment,
    ) {
        let ranks: BTreeMap<(&str, &str), u32> =
            saved.slots.iter().map(|slot| ((&*slot.pop, &*slot.service), slot.went_down)).collect();
        for (pool, number) in self.pools[policy.index()].iter_mut().zip(0u16..) {
            let rank = |member: &PoolMember| {
                ranks.get(&target_set.name_of(&target_set.slots[member.slot.index()])).copied()
            };
            let went_down: Vec<u32> = pool.members.iter().filter_map(rank).collect();
            let is_same = went_down.len() == pool.members.len() && went_down.len() == ranks.len();
            // A start in the future is as invalid as one past the limit.
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
