//! Groups of probes: `all_of`, `any_of`, `n_of`.

use crate::config::probes::find;
use crate::config::scalar::{integer, members, refuse, text};
use crate::config::table::MapReader;
use crate::config::tree::Node;
use crate::finding::{At, Finding, Findings, code};
use crate::health::spec::{Kind, Need, Probe, ProbeId};
use crate::limits::{FORMULA_CHECKS_MAX, GROUP_DEPTH_MAX};

closed_set! {
    /// Kind of group: how many of its parts must succeed.
    pub(crate) enum GroupKind {
        /// Every part.
        All = "all_of",
        /// One part.
        Any = "any_of",
        /// A number of parts.
        Number = "n_of",
    }
}

/// Places of the parts of a group, in their order.
#[derive(Clone, Default)]
pub(crate) struct WrittenGroup<'n> {
    parts: Vec<(ProbeId, &'n Node)>,
}

/// Reads a group; `names` are the names of all probes, sorted.
pub(crate) fn lower<'n>(
    kind: GroupKind,
    node: &'n Node,
    names: &[&str],
    written: &mut WrittenGroup<'n>,
    out: &mut Findings,
) -> Option<Kind> {
    let (list, need, number_at) = match kind {
        GroupKind::All => (node, Need::All, None),
        GroupKind::Any => (node, Need::Any, None),
        GroupKind::Number => {
            let mut table = MapReader::open(node, "an n_of group", out)?;
            let n = table.need("n", out);
            let list = table.need("of", out);
            let n = n.and_then(|node| Some((node, integer(node, "n", 1..=1_000, out)?)));
            table.finish(out);
            let (list, (node, n)) = (list?, n?);
            (list, Need::AtLeast(n as u16), Some(node.at))
        }
    };
    if matches!(list.kind, crate::config::tree::ValueKind::Map(_)) {
        refuse(list, kind.word(), "a list of probes", out);
        return None;
    }
    for member in members(list) {
        let Some(name) = text(member, kind.word(), out) else { continue };
        let Some(id) = find(name, member, names, out) else { continue };
        match written.parts.iter().find(|(other, _)| *other == id) {
            Some((_, first)) => out.push(
                Finding::error(code::BAD_VALUE, format!("the probe `{name}` is listed twice in a group"))
                    .at(member.at, "again here")
                    .related(first.at, "first here"),
            ),
            None => written.parts.push((id, member)),
        }
    }
    if members(list).is_empty() {
        out.push(Finding::error(code::BAD_VALUE, "a group of no probes").at(list.at, "an empty list"));
    }
    if let (Need::AtLeast(n), Some(at)) = (need, number_at)
        && usize::from(n) > members(list).len()
    {
        out.push(
            Finding::error(
                code::BAD_VALUE,
                format!("the group requires {n} successful probes, but has only {}", members(list).len()),
            )
            .at(at, "more than the group has")
            .related(list.at, "the probes"),
        );
    }
    let of: Vec<ProbeId> = written.parts.iter().map(|(id, _)| *id).collect();
    (!of.is_empty()).then_some(Kind::Group { need, of })
}

/// Refuses groups that contain themselves, or nest or check too much. Groups of the first two kinds
/// become empty, so that later steps never meet a circle.
pub(crate) fn check(probes: &mut [Probe], written: &[WrittenGroup<'_>], out: &mut Findings) {
    let mut state = vec![State::New; probes.len()];
    for index in 0..probes.len() {
        let mut walk = Walk { probes, written, state: &mut state, path: Vec::new(), out };
        walk.visit(index);
    }
    for index in 0..probes.len() {
        if state[index] == State::Bad {
            probes[index].kind = Kind::Group { need: Need::All, of: Vec::new() };
        }
    }
    for id in ProbeId::in_order().take(probes.len()) {
        let Kind::Group { .. } = probes[id.index()].kind else { continue };
        bound(checks(probes, id, 0), probes[id.index()].at, out);
    }
}

/// Number of checks of a probe, with those of nested groups; stops counting a little past the
/// limit.
pub(crate) fn checks(probes: &[Probe], id: ProbeId, deep: usize) -> usize {
    match probes.get(id.index()).map(|probe| &probe.kind) {
        Some(Kind::Group { of, .. }) if deep < GROUP_DEPTH_MAX => {
            let mut sum = 0;
            for part in of {
                sum += checks(probes, *part, deep + 1);
                if sum > FORMULA_CHECKS_MAX {
                    break;
                }
            }
            sum
        }
        _ => 1,
    }
}

/// Reports an address that would depend on too many checks.
pub(crate) fn bound(checks: usize, at: At, out: &mut Findings) {
    if checks > FORMULA_CHECKS_MAX {
        out.push(
            Finding::error(
                code::TOO_LARGE,
                format!("one address would depend on more than {FORMULA_CHECKS_MAX} checks"),
            )
            .at(at, "counting the checks of nested groups")
            .help("remove some of the checks"),
        );
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    /// On the current path.
    Open,
    Good,
    /// In a circle, or too deep.
    Bad,
}

struct Walk<'a, 'n> {
    probes: &'a [Probe],
    written: &'a [WrittenGroup<'n>],
    state: &'a mut [State],
    path: Vec<usize>,
    out: &'a mut Findings,
}

impl Walk<'_, '_> {
    fn visit(&mut self, index: usize) {
        self.state[index] = State::Open;
        self.path.push(index);
        for (part, node) in &self.written[index].parts {
            let part = part.index();
            match self.state[part] {
                State::Open => self.circle(part, index, node),
                State::New if self.path.len() >= GROUP_DEPTH_MAX => {
                    self.state[index] = State::Bad;
                    self.out.push(
                        Finding::error(
                            code::PROBE_LOOP,
                            format!("groups of probes are nested more than {GROUP_DEPTH_MAX} levels deep"),
                        )
                        .at(node.at, "too deep"),
                    );
                }
                State::New => self.visit(part),
                State::Good | State::Bad => {}
            }
        }
        self.path.pop();
        if self.state[index] == State::Open {
            self.state[index] = State::Good;
        }
    }

    fn circle(&mut self, part: usize, index: usize, node: &Node) {
        let from = self.path.iter().position(|on_path| *on_path == part).unwrap_or_default();
        let names = self.path[from..].iter().chain([&part]);
        let way: Vec<&str> = names.map(|index| &*self.probes[*index].name).collect();
        self.out.push(
            Finding::error(
                code::PROBE_LOOP,
                format!("the probe `{}` would contain itself: {}", way[0], way.join(" -> ")),
            )
            .at(node.at, "closes the circle")
            .related(self.probes[part].at, "the probe")
            .help("remove it from one of the groups"),
        );
        self.state[index] = State::Bad;
    }
}
