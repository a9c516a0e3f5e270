//! Facts out of the ordinary on the page: failing targets, overrides with their end, plans, and
//! loads above a target.

use super::looks::TOO_WIDE;
use super::{IS_DRAWN, drawn, open};
use serde_json::{Value, json};
use support::deployment::Deployment;
use support::pages::{admin, send};
use support::program::{Served, until_so};

/// Second line of a PoP in the table.
fn why(pop: &str) -> String {
    format!(
        "([...document.querySelectorAll('#rows tr')].find((row) => row.querySelector('th')?.textContent \
         === '{pop}').nextElementSibling?.querySelector('.why')?.textContent ?? '')"
    )
}

/// Cell of a PoP in the table, by its place.
fn cell(pop: &str, place: usize) -> String {
    format!(
        "[...document.querySelectorAll('#rows tr')].find((row) => row.querySelector('th')?.textContent \
         === '{pop}').children[{place}]"
    )
}

/// Pushes the result of a probe of `fra`: of all its targets, or of its first address.
fn push(deployment: &Deployment, up: bool, address: Option<&str>) {
    let mut body = json!({ "probe": "robot", "pop": "fra", "up": up, "reason": "no route" });
    if let Some(address) = address {
        body["service"] = "default".into();
        body["address"] = address.into();
    }
    let socket = deployment.path("state/control.sock");
    let page = send(&socket, "POST", "/v1/probes/push", &body.to_string());
    assert_eq!(page.status, 200, "{}", page.body);
}

/// Targets of `fra`.
fn targets(served: &Served) -> Vec<Value> {
    admin(served.admin(), "/v1/pops/fra").json()["targets"].as_array().expect("targets").clone()
}

/// A target that fails is listed while its PoP is in service, with its error and the results that
/// change its verdict, and is gone once it is good again.
#[test]
fn failing_targets_are_listed() {
    const ADDRESS: &str = "192.0.2.10";
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    deployment.edit("pops.yaml", |text| {
        let probe = "\nprobes: { robot: { push: { ttl: 1d }, up_after: 2, down_after: 3 } }\n\npops:\n";
        text.replacen("\npops:\n", probe, 1).replacen(
            "    tags: [eu]\n",
            "    tags: [eu]\n    probe: robot\n",
            1,
        )
    });
    let served = deployment.serve(&[]);
    push(&deployment, true, None);
    push(&deployment, true, None);
    until_so("all are up", || targets(&served).iter().all(|target| target["verdict"] == "up"));
    let Some(mut browser) = open(&served, "", (1440, 900)) else { return };
    browser.until(IS_DRAWN);
    assert_eq!(browser.evaluate("document.querySelector('#failing').hidden"), true);
    let rows = "[...document.querySelectorAll('#failing-rows tr')].map((row) => \
                [...row.children].map((cell) => cell.textContent).join('|'))";

    push(&deployment, false, Some(ADDRESS));
    browser.until(&format!("{rows}.length === 1"));
    let shown = browser.evaluate(rows)[0].as_str().expect("a row").to_owned();
    assert!(shown.starts_with("fra|robot default 192.0.2.10|up|2 bad until down|"), "{shown}");
    assert!(shown.contains("no route"), "{shown}");
    assert_eq!(browser.evaluate("document.querySelector('#failing').hidden"), false);
    browser.until(&format!("{}.textContent === 'yes'", cell("fra", 1)));
    browser.until(&format!("/failing targets: 1 of /.test({})", why("fra")));

    push(&deployment, false, Some(ADDRESS));
    push(&deployment, false, Some(ADDRESS));
    browser.until(&format!("{rows}[0]?.includes('|down|')"));
    let target =
        targets(&served).into_iter().find(|target| target["address"] == ADDRESS).expect("it is there");
    assert_eq!(target["verdict"], "down");
    assert_eq!(target["checks_to_flip"], Value::Null, "{target}");
    browser.until(&format!("{rows}[0]?.includes('|2 good until up|')"));
    // The list leads to the PoP.
    browser.evaluate("document.querySelector('#failing-rows button').click()");
    browser.until("document.querySelector('#pop-head').textContent === 'PoP fra'");

    push(&deployment, true, None);
    push(&deployment, true, None);
    browser.until("document.querySelector('#failing').hidden");
}

/// The table says why a PoP is not as its file says, by whom and until when, and what is to come. A
/// weight of an override is marked.
#[test]
fn overrides_are_explained() {
    let Some((deployment, served, mut browser)) = drawn("#policy=nearest&pop=nrt", (1440, 900)) else {
        return;
    };
    let start = browser.evaluate("new Date(Date.now() + 3600000).toISOString().replace(/\\.\\d+/, '')");
    let start = start.as_str().expect("a moment");
    let socket = deployment.path("state/control.sock");
    for body in [
        json!({ "pops": ["syd"], "state": "drain", "reason": "a new switch", "author": "ana",
            "for_secs": 7200 }),
        json!({ "pops": ["ams"], "weight": 20, "reason": "half a hall" }),
        json!({ "pops": ["nrt"], "state": "drain", "reason": "a power test", "author": "bo",
            "start": start }),
    ] {
        let page = send(&socket, "POST", "/v1/overrides", &body.to_string());
        assert_eq!(page.status, 200, "{}", page.body);
    }
    let pop = |name: &str| admin(served.admin(), &format!("/v1/pops/{name}")).json();
    browser.until(&format!("{0} !== '' && {1} !== '' && {2} !== ''", why("syd"), why("ams"), why("nrt")));
    let shown = browser.evaluate(&why("syd")).as_str().expect("a text").to_owned();
    let of = &pop("syd")["state_override"];
    for part in [&of["author"], &of["reason"], &of["until"], &of["action"]] {
        assert!(part.as_str().is_some_and(|part| shown.contains(part)), "{part} in {shown}");
    }
    assert!(shown.contains("ana"), "{shown}");
    assert_eq!(browser.evaluate(&format!("{}.textContent", cell("ams", 4))), "20 (file 50)");
    let shown = browser.evaluate(&why("ams")).as_str().expect("a text").to_owned();
    assert!(shown.contains("half a hall") && shown.contains("no end set"), "{shown}");
    assert_eq!(browser.evaluate(&format!("{}.textContent", cell("fra", 4))), "100");
    assert_eq!(browser.evaluate(&why("fra")), "");
    let plan = browser.evaluate(&why("nrt")).as_str().expect("a text").to_owned();
    for part in [&*format!("to come: {start}"), "bo", "a power test", "drain"] {
        assert!(plan.contains(part), "{part} in {plan}");
    }
    let panel = "document.querySelector('#pop-more').textContent";
    browser.until(&format!("/To come.*{start}: drain by .*a power test/.test({panel})"));
    assert_eq!(browser.evaluate(TOO_WIDE), json!([]));
    // Tags are found by the filter.
    browser.evaluate(
        "{ const filter = document.querySelector('#filter'); filter.value = 'oc'; \
         filter.dispatchEvent(new Event('input')); }",
    );
    let names = "[...document.querySelectorAll('#rows th')].map((head) => head.textContent)";
    assert_eq!(browser.evaluate(names), json!(["syd"]));
}

/// A load above the target of its feed is amber in the table and on the map, and its numbers are
/// rounded.
#[test]
fn a_load_above_its_target_is_marked() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    for (pop, load, target) in [("fra", "823.5030547376123", "80%"), ("nrt", "823.5030547376123", "90%")] {
        deployment.write(&format!("{pop}.load"), load);
        let head = format!("\n  {pop}: ");
        deployment.edit("pops.yaml", |text| {
            let (before, after) = text.split_once(&head).expect("the PoP is there");
            let (rest, below) = after.split_once('\n').expect("its block");
            format!(
                "{before}{head}{rest}\n    capacity: 1000\n    load: {{ file: {pop}.load, every: 1s, target: \
                 {target}, limit: 99%, stale_after: 1d }}\n{below}"
            )
        });
    }
    let served = deployment.serve(&[]);
    let Some(mut browser) = open(&served, "#pop=fra", (1440, 900)) else { return };
    browser.until(IS_DRAWN);
    let class = |pop: &str| format!("{}.className", cell(pop, 5));
    browser.until(&format!("{}.includes('near')", class("fra")));
    browser.until(&format!("{}.textContent === '82 %'", cell("nrt", 5)));
    assert_eq!(browser.evaluate(&class("nrt")), "number");
    let arc =
        |pop: &str| format!("document.querySelector('.pop[aria-label^={pop}] .load').classList.value.trim()");
    assert_eq!(browser.evaluate(&arc("fra")), "load near");
    assert_eq!(browser.evaluate(&arc("nrt")), "load");
    assert_eq!(browser.evaluate(&why("fra")), "load is above its target of 80 %");
    browser.until("/824 of 1,000 \\(82 %\\)/.test(document.querySelector('#pop-more').textContent)");
}
