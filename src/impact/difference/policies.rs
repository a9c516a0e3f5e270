//! Policies with their rules, as fields.

use super::fields::{Fields, NONE, list, maybe, millis};
use crate::health::spec::PanicGuard;
use crate::snapshot::Snapshot;
use crate::steer::policy::{BandWidth, Bands, Candidate, Policy, Sharing, TtlRange, Weights, WhenAllDown};
use crate::steer::pop::PopId;
use crate::steer::rule::{Rule, RuleTarget};

/// Policies, by name; those of a zone file are called `zone./name`.
pub(super) fn all(snapshot: &Snapshot) -> impl Iterator<Item = (String, Fields)> + '_ {
    let tables = snapshot.steering.policies.iter();
    snapshot
        .policies
        .iter()
        .zip(tables)
        .map(|(scoped, table)| (table.name.to_string(), of_policy(snapshot, &scoped.policy)))
}

fn of_policy(snapshot: &Snapshot, policy: &Policy) -> Fields {
    let Policy {
        name: _,
        candidates,
        is_listed: _,
        default,
        service,
        ttl,
        answers,
        rules,
        order,
        band,
        weights,
        share,
        when_all_down,
        ecs,
        depth,
        cell_max_v4,
        cell_max_v6,
        spill_max_km,
        up_threshold_percent,
        guard,
        expose_pops,
        https,
        at: _,
    } = policy;
    let field = |key: &str, value: String| (key.to_owned(), value);
    let mut fields = vec![
        field("pops", bands(snapshot, candidates)),
        field("default", if default.is_empty() { NONE.to_owned() } else { bands(snapshot, default) }),
        field("service", service.to_string()),
        field("ttl", range(ttl)),
        field("answers", answers.to_string()),
        field("order", order.word().to_owned()),
        field("band", self::band(*band)),
        field("weights", self::weights(snapshot, weights)),
        field("share", sharing(*share).to_owned()),
        field("when_all_down", all_down(when_all_down)),
        field("ecs", switch(*ecs)),
        field("depth", depth.to_string()),
        field("cell_max_v4", cell_max_v4.to_string()),
        field("cell_max_v6", cell_max_v6.to_string()),
        field("spill_max_km", maybe(spill_max_km.as_ref(), ToString::to_string)),
        field("up_threshold", format!("{up_threshold_percent}%")),
        field("panic", panic(*guard)),
        field("expose_pops", switch(*expose_pops)),
        field("HTTPS records", switch(*https)),
    ];
    // A new rule in front changes the number of each later rule, and so what it decides.
    for (rule, number) in rules.iter().zip(1..) {
        fields.push((format!("rule {number}"), of_rule(snapshot, rule)));
    }
    fields
}

fn of_rule(snapshot: &Snapshot, rule: &Rule) -> String {
    let Rule { when, target, is_listed: _, order, band, weights, ttl, answers, when_all_down, fence, at: _ } =
        rule;
    let mut words = vec![format!("when {{ {} }}", when.words(&snapshot.networks))];
    words.push(match target {
        RuleTarget::Policy => "as the policy".to_owned(),
        RuleTarget::Candidates(candidates) => format!("pops {}", bands(snapshot, candidates)),
        RuleTarget::Cname(name) => format!("cname {name}"),
        RuleTarget::Use(policy) => format!("use {}", policy.name),
    });
    words.extend(order.map(|is| format!("order {}", is.word())));
    words.extend(band.map(|is| format!("band {}", self::band(is))));
    words.extend(weights.as_ref().map(|is| format!("weights {}", self::weights(snapshot, is))));
    words.extend(ttl.as_ref().map(|is| format!("ttl {}", range(is))));
    words.extend(answers.map(|is| format!("answers {is}")));
    words.extend(when_all_down.as_ref().map(|is| format!("when_all_down {}", all_down(is))));
    words.extend(fence.then(|| "fence".to_owned()));
    words.join(", ")
}

fn pop(snapshot: &Snapshot, pop: PopId) -> String {
    snapshot.pops.get(pop.index()).map_or_else(|| pop.0.to_string(), |pop| pop.name.to_string())
}

fn bands(snapshot: &Snapshot, bands: &Bands) -> String {
    let one = |candidate: &Candidate| match candidate {
        Candidate::Pop(id) => pop(snapshot, *id),
        Candidate::Cname(name) => format!("cname {name}"),
    };
    list(bands, |band| match &band[..] {
        [candidate] => one(candidate),
        candidates => format!("[{}]", list(candidates, one)),
    })
}

fn weights(snapshot: &Snapshot, weights: &Weights) -> String {
    list(weights, |(id, weight)| format!("{}: {weight}", pop(snapshot, *id)))
}

fn range(ttl: &TtlRange) -> String {
    format!("{}s to {}s", ttl.min_secs, ttl.max_secs)
}

fn band(band: BandWidth) -> String {
    match band {
        BandWidth::None => NONE.to_owned(),
        BandWidth::Percent(percent) => format!("{percent}%"),
        BandWidth::Latency(band) => format!("{} ms, {}%", band.millis, band.percent),
    }
}

fn sharing(share: Sharing) -> &'static str {
    match share {
        Sharing::Sticky => "sticky",
        Sharing::Random => "random",
    }
}

fn all_down(all_down: &WhenAllDown) -> String {
    match all_down {
        WhenAllDown::AsIfUp => "as_if_up".to_owned(),
        WhenAllDown::NoData => "nodata".to_owned(),
        WhenAllDown::ServFail => "servfail".to_owned(),
        WhenAllDown::LastGood => "last_good".to_owned(),
        WhenAllDown::Cname(name) => format!("cname {name}"),
    }
}

fn panic(guard: PanicGuard) -> String {
    let PanicGuard { share_percent, window_ms, hold_ms } = guard;
    match share_percent {
        100.. => "off".to_owned(),
        share => format!("share {share}%, window {}, hold {}", millis(window_ms), millis(hold_ms)),
    }
}

fn switch(is_on: bool) -> String {
    if is_on { "on" } else { "off" }.to_owned()
}
