//! A real Prometheus scrapes a real server, and evaluates the alerting rules and the dashboards.

use serde_json::Value;
use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::deployment::{Deployment, ask_tcp, ask_udp, query};
use support::free_port::free_port;
use support::pages;
use support::program::{Process, installed, until_seen};

/// The longest wait for Prometheus, which replays no log and scrapes every second.
const WITHIN: Duration = Duration::from_secs(60);
/// Tries of ports that another program may take first.
const TRIES: usize = 3;

/// Every rule is evaluated without an error, and every expression of the dashboards is answered.
#[test]
fn prometheus_evaluates_rules_and_dashboards() {
    let Some(program) = installed("prometheus") else {
        return println!("skipped: prometheus is not installed");
    };
    let deployment = Deployment::new(&["127.0.0.1:0"], "  admin: \"127.0.0.1:0\"\n");
    let served = deployment.serve(&[]);
    ask_udp(served.dns, &query(1, "www.cdn.example", 1));
    ask_tcp(served.dns, &query(2, "www.cdn.example", 1));
    let (process, address) = start(&program, &deployment, served.admin());

    until_seen("evaluated rules", WITHIN, || {
        let (rules, unfinished) = rules(address);
        if rules > 30 && unfinished.is_empty() {
            Ok(())
        } else {
            Err(unfinished.join("\n") + &process.stderr())
        }
    });
    let up = until_seen("a scrape", WITHIN, || {
        let found = ask(address, "meridian_ready")?;
        found["data"]["result"][0]["value"][1].as_str().map(str::to_owned).ok_or(found.to_string())
    });
    assert_eq!(up, "1");
    let count = ask(address, "sum(meridian_answer_duration_seconds_count)").expect("an answer");
    let count = count["data"]["result"][0]["value"][1].as_str().and_then(|count| count.parse::<f64>().ok());
    assert!(count.is_some_and(|count| count >= 2.0), "{count:?}");

    let mut asked = 0;
    for name in ["fleet", "node", "pop"] {
        for expression in expressions(name) {
            ask(address, &expression).unwrap_or_else(|fault| panic!("{name}.json: {expression}\n{fault}"));
            asked += 1;
        }
    }
    assert!(asked > 50, "{asked} expressions");
}

/// Prometheus on a port of its own, with the rules of `deploy`.
fn start(program: &Path, deployment: &Deployment, admin: SocketAddr) -> (Process, SocketAddr) {
    let rules = support::top().join("deploy/alerts.yaml");
    deployment.write(
        "prometheus.yml",
        &format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [{:?}]\n\
             scrape_configs:\n  \
             - job_name: meridian\n    static_configs: [{{ targets: [\"{admin}\"] }}]\n",
            rules.display().to_string()
        ),
    );
    let mut errors = String::new();
    for _ in 0..TRIES {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut command = Command::new(program);
        command.arg(format!("--web.listen-address={address}"));
        command.arg(format!("--config.file={}", deployment.path("prometheus.yml").display()));
        command.arg(format!("--storage.tsdb.path={}", deployment.path("tsdb").display()));
        let mut process = Process::start(command);
        let is_ready = until_seen("a ready Prometheus, or its end", WITHIN, || {
            if process.status().is_some() {
                return Ok(false);
            }
            let page = http(address, "/-/ready");
            if page.as_ref().is_some_and(|page| page.status == 200) {
                Ok(true)
            } else {
                Err(process.stderr())
            }
        });
        if is_ready {
            return (process, address);
        }
        errors = process.stderr();
    }
    panic!("Prometheus does not start: {errors}");
}

fn http(address: SocketAddr, path: &str) -> Option<pages::Page> {
    let mut stream = std::net::TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(WITHIN)).ok()?;
    // Of HTTP/1.0, so that the body comes whole and not in chunks.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
    pages::read(stream).ok()
}

/// Number of rules, and those that are not evaluated yet, or with an error.
fn rules(address: SocketAddr) -> (usize, Vec<String>) {
    let Some(page) = http(address, "/api/v1/rules") else { return (0, Vec::new()) };
    let page: Value = page.json();
    let groups = page["data"]["groups"].as_array().cloned().unwrap_or_default();
    let rules: Vec<&Value> = groups.iter().flat_map(|group| group["rules"].as_array()).flatten().collect();
    let unfinished = rules.iter().filter(|rule| rule["health"] != "ok");
    (rules.len(), unfinished.map(|rule| format!("{}: {}", rule["name"], rule["lastError"])).collect())
}

/// Answer to an expression; the error is the page.
fn ask(address: SocketAddr, expression: &str) -> Result<Value, String> {
    let escaped: String = expression.bytes().map(|octet| format!("%{octet:02x}")).collect();
    let page = http(address, &format!("/api/v1/query?query={escaped}")).ok_or("no answer")?;
    if page.status != 200 {
        return Err(page.body);
    }
    let found = page.json();
    if found["status"] == "success" { Ok(found) } else { Err(found.to_string()) }
}

/// Expressions of a dashboard, with values in the place of its variables.
fn expressions(name: &str) -> Vec<String> {
    let path = support::top().join(format!("deploy/grafana/{name}.json"));
    let board: Value = serde_json::from_str(&fs::read_to_string(path).expect("readable")).expect("JSON");
    let panels = board["panels"].as_array().expect("panels");
    let queries = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let expressions = queries.map(|query| query["expr"].as_str().expect("an expression"));
    let variables = [("$__rate_interval", "1m"), ("$job", ".*"), ("$instance", ".*"), ("$pop", ".*")];
    let filled =
        |text: &str| variables.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
    expressions.map(filled).collect()
}
