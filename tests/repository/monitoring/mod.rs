//! Dashboards and alerting rules name metrics and labels that the server has, and are whole.

mod promql;

use meridian::testing::control::catalogue::CATALOGUE;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use support::program::{has, run};

/// Labels that Prometheus adds to every series.
const OF_TARGET: [&str; 2] = ["job", "instance"];
const DASHBOARDS: [&str; 3] = ["fleet", "node", "pop"];

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy")
}

fn dashboard(name: &str) -> Value {
    let text = fs::read_to_string(deploy().join(format!("grafana/{name}.json"))).expect("a dashboard");
    serde_json::from_str(&text).expect("JSON")
}

/// Alerting rules: name and lines.
fn rules() -> Vec<(String, Vec<String>)> {
    let text = fs::read_to_string(deploy().join("alerts.yaml")).expect("the rules");
    let mut rules: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("- alert: ") {
            rules.push((name.to_owned(), Vec::new()));
        } else if let Some((_, lines)) = rules.last_mut() {
            lines.push(line.to_owned());
        }
    }
    rules
}

/// Value of a key in the lines of a rule.
fn of_rule<'r>(lines: &'r [String], key: &str) -> Option<&'r str> {
    lines.iter().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
}

/// Labels of a metric; `None` if neither the server nor Prometheus has such a metric.
fn labels(metric: &str) -> Option<BTreeSet<&'static str>> {
    // Prometheus writes it itself, for each target.
    if metric == "up" {
        return Some(OF_TARGET.into_iter().collect());
    }
    let of = |name: &str| CATALOGUE.iter().find(|family| family.name == name);
    let histogram = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| {
        let family = of(metric.strip_suffix(suffix)?)?;
        (family.kind.word() == "histogram").then_some((family, *suffix))
    });
    let (family, suffix) = match of(metric) {
        // The name of a histogram alone is none of its series.
        Some(family) if family.kind.word() == "histogram" => return None,
        Some(family) => (family, ""),
        None => histogram?,
    };
    let le = (suffix == "_bucket").then_some("le");
    Some(family.labels.iter().copied().chain(OF_TARGET).chain(le).collect())
}

/// Names of an expression that the server does not have. `shown` are labels in the text beside it.
fn unknown(expression: &str, shown: &[String]) -> Vec<String> {
    let names = promql::names(expression);
    let (mut faults, mut known) = (Vec::new(), BTreeSet::new());
    for (metric, used) in &names.metrics {
        match labels(metric) {
            None => faults.push(format!("no metric `{metric}`: {expression}")),
            Some(has) => {
                let missing = used.iter().filter(|label| !has.contains(label.as_str()));
                faults
                    .extend(missing.map(|label| format!("`{metric}` has no label `{label}`: {expression}")));
                known.extend(has);
            }
        }
    }
    if names.metrics.is_empty() {
        faults.push(format!("no metric in: {expression}"));
    }
    let beside = names.grouped.iter().chain(shown).filter(|label| !known.contains(label.as_str()));
    faults.extend(beside.map(|label| format!("no label `{label}` in the metrics of: {expression}")));
    // A grouping keeps its labels alone.
    let lost = shown.iter().filter(|label| !names.grouped.is_empty() && !names.grouped.contains(label));
    faults.extend(lost.map(|label| format!("the grouping drops `{label}`: {expression}")));
    faults
}

/// Words between two marks, such as labels in `{{label}}`.
fn between(text: &str, open: &str, close: &str) -> Vec<String> {
    let parts = text.split(open).skip(1).filter_map(|rest| rest.split_once(close));
    parts.map(|(word, _)| word.trim().to_owned()).collect()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// The test of names finds a wrong metric, label, grouping and text.
#[test]
fn wrong_names_are_found() {
    let shown = ["pop".to_owned()];
    for (expression, shown, count) in [
        ("meridian_ready == 0", &[][..], 0),
        ("meridian_raedy == 0", &[], 1),
        ("node_load1 > 4", &[], 1),
        ("1 > 0", &[], 1),
        ("meridian_ready{transport=\"udp\"}", &[], 1),
        ("sum by (pop) (meridian_queries_total)", &[], 1),
        ("sum by (pop) (meridian_pop_weight)", &shown, 0),
        ("sum by (instance) (meridian_pop_weight)", &shown, 1),
        ("meridian_answer_duration_seconds{transport=\"udp\"}", &[], 1),
        ("meridian_answer_duration_seconds_bucket{le=\"0.1\"}", &[], 0),
        ("meridian_answer_duration_seconds_sum{le=\"0.1\"}", &[], 1),
    ] {
        assert_eq!(unknown(expression, shown).len(), count, "{expression}: {:?}", unknown(expression, shown));
    }
}

/// Each rule has known names in its expression and texts, a severity and a summary, and its own
/// name.
#[test]
fn rules_name_what_there_is() {
    let (rules, mut faults) = (rules(), Vec::new());
    for (name, lines) in &rules {
        let expression = of_rule(lines, "expr").unwrap_or_default();
        let annotations = of_rule(lines, "annotations").unwrap_or_default();
        let shown: Vec<String> = between(annotations, "$labels.", " ");
        faults.extend(unknown(expression, &shown).into_iter().map(|fault| format!("{name}: {fault}")));
        if !annotations.contains("summary: \"") {
            faults.push(format!("{name}: no summary"));
        }
        let severity = of_rule(lines, "labels");
        if !severity.is_some_and(|text| text.contains("critical") || text.contains("warning")) {
            faults.push(format!("{name}: no severity"));
        }
    }
    let names: BTreeSet<_> = rules.iter().map(|(name, _)| name).collect();
    assert!(names.len() == rules.len() && rules.len() > 30, "{} rules", rules.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Each panel has a title, a unit, a description, known names and no data source of another
/// Grafana.
#[test]
fn panels_are_whole() {
    let mut faults = Vec::new();
    for name in DASHBOARDS {
        let board = dashboard(name);
        let mut fault = |text: String| faults.push(format!("{name}.json: {text}"));
        let mut ids = BTreeSet::new();
        for panel in list(&board, "panels") {
            let title = text(panel, "title");
            if title.is_empty() || !ids.insert(panel["id"].as_u64()) {
                fault(format!("a panel without a title, or with the id of another: {}", panel["id"]));
            }
            if text(panel, "type") == "row" {
                continue;
            }
            if text(&panel["fieldConfig"]["defaults"], "unit").is_empty() {
                fault(format!("`{title}` has no unit"));
            }
            if text(panel, "description").is_empty() || list(panel, "targets").is_empty() {
                fault(format!("`{title}` has no description or no query"));
            }
            for query in list(panel, "targets") {
                let shown = between(text(query, "legendFormat"), "{{", "}}");
                for unknown in unknown(text(query, "expr"), &shown) {
                    fault(format!("`{title}`: {unknown}"));
                }
                if !text(query, "expr").contains("job=~\"$job\", instance=~\"$instance\"") {
                    fault(format!("`{title}` does not follow the variables"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Each dashboard can be imported into any Grafana: its data source, jobs and nodes are variables.
#[test]
fn dashboards_are_of_no_one_grafana() {
    let mut uids = BTreeSet::new();
    for name in DASHBOARDS {
        let board = dashboard(name);
        assert!(board["id"].is_null() && uids.insert(text(&board, "uid").to_owned()), "{name}");
        assert!(text(&board, "title").starts_with("Meridian ") && board["schemaVersion"] == 41, "{name}");
        let variables = list(&board["templating"], "list");
        let names: Vec<&str> = variables.iter().map(|variable| text(variable, "name")).collect();
        assert!(names.starts_with(&["datasource", "job", "instance"]), "{name}: {names:?}");
        assert_eq!((text(&variables[0], "type"), text(&variables[0], "query")), ("datasource", "prometheus"));
        for variable in &variables[1..] {
            let faults = unknown(text(variable, "definition"), &[]);
            assert!(faults.is_empty(), "{name}: {faults:?}");
            assert_eq!(variable["definition"], variable["query"]["query"], "{name}");
        }
        for annotation in list(&board["annotations"], "list") {
            let faults = unknown(text(annotation, "expr"), &[]);
            assert!(faults.is_empty(), "{name}: {faults:?}");
        }
        let whole = board.to_string();
        for source in whole.split("\"datasource\":").skip(1) {
            assert!(
                source.starts_with("{\"type\":\"prometheus\",\"uid\":\"${datasource}\"}"),
                "{name}: {source:.80}"
            );
        }
        places(name, &board);
    }
}

/// Panels stand inside the 24 columns, and none covers another.
fn places(name: &str, board: &Value) {
    let mut taken = BTreeSet::new();
    for panel in list(board, "panels") {
        let at = |key: &str| panel["gridPos"][key].as_u64().expect("a place");
        for (x, y) in
            (at("x")..at("x") + at("w")).flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y)))
        {
            assert!(x < 24 && taken.insert((x, y)), "{name}: {} at {x}, {y}", panel["title"]);
        }
    }
}

/// The rules are sound to Prometheus itself, and their unit tests pass.
#[test]
fn promtool_takes_the_rules() {
    if !has("promtool", "--version") {
        return println!("skipped: promtool is not installed");
    }
    for (kind, file) in [("check", "alerts.yaml"), ("test", "alerts.test.yaml")] {
        let mut command = std::process::Command::new("promtool");
        command.args([kind, "rules"]).arg(deploy().join(file));
        let (status, stdout, stderr) = run(command);
        assert_eq!(status, 0, "{kind}: {stdout}{stderr}");
    }
}
