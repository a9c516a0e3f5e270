//! Figures of the page: answers by policy and PoP, expected shares, and the forecast of a
//! supposition, which is that of the dry run.

use super::{IS_DRAWN, drawn, open};
use serde_json::{Value, json};
use support::deployment::{Deployment, ask_udp, query, with_subnet};
use support::pages::admin;
use support::program::{Served, until_so};

/// Networks of the sample's GeoIP database, whose nearest PoPs are `nrt`, `iad` and `jnb`.
const TOKYO: [u8; 3] = [203, 0, 113];
const NEW_YORK: [u8; 3] = [198, 51, 100];
const JOHANNESBURG: [u8; 3] = [146, 141, 7];

/// Asks for the address of a name of the policy `nearest`, as clients of a network.
fn ask(served: &Served, network: [u8; 3], times: usize) {
    for _ in 0..times {
        let reply = ask_udp(served.dns, &with_subnet(query(7, "a.edge.cdn.example", 1), network));
        assert_eq!((reply[3] & 15, reply[7] > 0), (0, true), "it has an answer");
    }
}

/// Entry of a list by its name.
fn entry<'v>(list: &'v Value, key: &str, name: &str) -> &'v Value {
    let all = list.as_array().expect("a list");
    all.iter().find(|one| one[key] == name).unwrap_or_else(|| panic!("no {name} in {list}"))
}

/// Each answer is counted once for its policy, its PoP and the pair, in every view of the policies.
#[test]
fn counts_are_exact() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let served = deployment.serve(&[]);
    let get = |path: &str| admin(served.admin(), path).json();
    ask(&served, TOKYO, 3);
    ask(&served, NEW_YORK, 1);
    // A worker counts behind its answer.
    until_so("all answers are counted", || get("/v1/policies/nearest")["answered"] == 4);
    let whole = get("/v1/policies/nearest");
    let count = |of: &Value| (of["answered"].clone(), of["expected"].clone());
    assert_eq!(count(entry(&whole["members"], "pop", "nrt")), (3.into(), Value::Null));
    assert_eq!(count(entry(&whole["members"], "pop", "iad")), (1.into(), Value::Null));
    assert_eq!(count(entry(&whole["members"], "pop", "fra")), (0.into(), Value::Null));
    let all = get("/v1/policies");
    assert_eq!(entry(&all["policies"], "name", "nearest"), &whole);
    assert_eq!(entry(&all["policies"], "name", "web")["answered"], 0);
    assert_eq!(entry(&all["pops"], "pop", "nrt"), &json!({ "pop": "nrt", "answered": 3 }));

    let brief = get("/v1/policies?brief=true");
    assert_eq!(brief["pops"], all["pops"]);
    let policies = |page: &Value| page["policies"].as_array().expect("policies").clone();
    for (short, mut long) in policies(&brief).into_iter().zip(policies(&all)) {
        for key in ["candidates", "rules", "members"] {
            long[key] = json!([]);
        }
        assert_eq!(short, long);
    }

    let of_pop = get("/v1/policies?pop=nrt&expected=true");
    let nearest = entry(&of_pop["policies"], "name", "nearest");
    assert_eq!((&nearest["answered"], &nearest["members"][0]["answered"]), (&4.into(), &3.into()));
    for policy in of_pop["policies"].as_array().expect("policies") {
        assert_eq!(policy["members"].as_array().map(Vec::len), Some(1), "{policy}");
        assert_eq!(policy["members"][0]["pop"], "nrt");
    }
    assert!(of_pop["policies"].as_array().is_some_and(|all| all.iter().all(|one| one["name"] != "failover")));
    assert_eq!(get("/v1/policies?pop=none")["policies"], json!([]));
    let refused = admin(served.admin(), "/v1/policies?expected=true");
    assert_eq!((refused.status, &refused.json()["code"]), (400, &"bad_request".into()));

    let expected = get("/v1/policies/nearest?expected=true");
    let shares = expected["members"].as_array().into_iter().flatten().map(|of| of["expected"].as_f64());
    let sum: f64 = shares.map(|share| share.expect("a share")).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    assert_eq!(nearest["members"][0], *entry(&expected["members"], "pop", "nrt"));
}

/// Figures of a row of a table: the texts behind the name.
fn row(table: &str, name: &str) -> String {
    format!(
        "[...document.querySelectorAll('#{table} tr')].filter((row) => \
         row.querySelector('th').textContent === '{name}').map((row) => \
         [...row.querySelectorAll('td')].map((cell) => cell.textContent))[0]"
    )
}

/// Once queries are asked, the figures of their policy and PoP change, and no others do.
#[test]
fn figures_follow_queries() {
    let Some((_deployment, served, mut browser)) = drawn("#policy=nearest&pop=nrt", (1440, 900)) else {
        return;
    };
    // The second reading of the counters.
    for (table, name) in [("member-rows", "nrt"), ("pop-policy-rows", "nearest"), ("policy-rows", "nearest")]
    {
        browser.until(&format!("{}?.[0] === '0.0'", row(table, name)));
    }
    browser.until(&format!("{}[6] === '0.0'", row("rows", "nrt")));
    ask(&served, TOKYO, 300);
    for (table, name) in [("member-rows", "nrt"), ("pop-policy-rows", "nearest")] {
        browser.until(&format!("Number({0}[0]) > 1 && {0}[1] === '100 %'", row(table, name)));
    }
    browser.until(&format!("Number({}[0]) > 1", row("policy-rows", "nearest")));
    browser.until(&format!("Number({}[6]) > 1", row("rows", "nrt")));
    browser.until("/, [1-9][0-9.]* answers.s, /.test(document.querySelector('#member-facts').textContent)");
    assert_eq!(browser.evaluate(&row("member-rows", "iad"))[0], "0.0");
    assert_eq!(browser.evaluate(&row("policy-rows", "web"))[0], "0.0");
    let member = entry(
        &admin(served.admin(), "/v1/policies/nearest?expected=true").json()["members"],
        "pop",
        "nrt",
    )["expected"]
        .clone();
    let shown = browser.evaluate(&row("member-rows", "nrt"))[2].clone();
    assert_eq!(shown, browser.evaluate(&format!("`${{({member} * 100).toFixed(1)}} %`")));
    // The order is that of the answers, though `nrt` has a small part of the address space.
    assert_eq!(browser.evaluate("document.querySelector('#member-rows th').textContent"), "nrt");
    let heads = "[...document.querySelectorAll('#members thead th, #pop-policies thead th')].map((head) => \
                 head.textContent).filter((text) => text === 'By address space').length";
    assert_eq!(browser.evaluate(heads), 2);
    // A policy of the table is chosen as one of the list is.
    browser.evaluate(
        "[...document.querySelectorAll('#policy-rows button')].find((one) => one.textContent === \
         'web').click()",
    );
    browser.until("document.querySelector('#policy-head').textContent === 'Policy web'");
    assert_eq!(browser.evaluate("document.querySelector('#policy').value"), "web");
}

/// No rate is shown before its readings are seconds apart, also after a choice; a share of few
/// answers says of how many.
#[test]
fn rates_need_seconds() {
    let Some((_deployment, served, mut browser)) = drawn("#policy=web", (1440, 900)) else { return };
    browser.until(&format!("{}?.[0] === '0.0'", row("member-rows", "nrt")));
    let millis = browser.evaluate(&format!(
        "new Promise((done) => {{ const begun = performance.now(); \
         const policy = document.querySelector('#policy'); policy.value = 'nearest'; \
         policy.dispatchEvent(new Event('change')); let waits = 0; \
         const timer = setInterval(() => {{ \
           if (document.querySelector('#policy-head').textContent !== 'Policy nearest') return; \
           const [shown] = {}; \
           if (shown === '–') return void (waits += /few seconds/.test(\
             document.querySelector('#member-over').textContent)); \
           clearInterval(timer); done(waits > 0 ? performance.now() - begun : 0); }}, 20); }})",
        row("member-rows", "nrt")
    ));
    assert!(millis.as_f64().is_some_and(|millis| millis >= 4000.0), "a rate after {millis} ms");
    ask(&served, TOKYO, 7);
    browser.until(&format!("{}[1] === '100 % of 7'", row("member-rows", "nrt")));
    browser.until("/^over the last \\d+ s$/.test(document.querySelector('#member-over').textContent)");
}

/// The count of a name that comes back, or that was not counted before, is no increase; a count
/// that falls begins anew.
#[test]
fn a_name_that_comes_back_has_no_rate() {
    let Some((_deployment, _served, mut browser)) = drawn("", (1440, 900)) else { return };
    let rates = browser.evaluate(
        "import('/page/rates.js').then(({ Readings }) => { \
         const rates = (...readings) => { const of = new Readings(); \
         readings.forEach((counts, index) => of.add(Object.entries(counts), index * 5000)); \
         return [of.rate('a') ?? null, of.rate('b') ?? null, of.share('b', 'a')?.share ?? null]; }; \
         return [rates({ a: 10, b: 5 }, { a: 20 }, { a: 60, b: 9 }), \
         rates({ a: 10 }, { a: 20 }, { a: 60, b: 9000 }), \
         rates({ a: 10 }, { a: 20, b: 9000 }, { a: 60, b: 9010 }), \
         rates({ a: 10, b: null }, { a: 20, b: null }, { a: 60, b: 7e6 }), \
         rates({ a: 10, b: 8 }, { a: 20 }, { a: 30, b: 1 })]; })",
    );
    let expected =
        json!([[5.0, 0.4, 0.08], [5.0, null, null], [5.0, 2.0, 0.25], [5.0, null, null], [null, null, null]]);
    assert_eq!(rates.to_string().replace(".0", ""), expected.to_string().replace(".0", ""));
}

/// Each country of a PoP is counted once among the answers that take it over.
#[test]
fn heirs_count_a_country_once() {
    let Some((_deployment, _served, mut browser)) = drawn("#policy=nearest&pop=jnb", (1440, 900)) else {
        return;
    };
    let heirs = browser.evaluate(
        "import('/page/panels.js').then(({ heirs }) => { \
         const of = (country, answers) => ({ country, answers: Object.entries(answers).map(([answer, share]) \
         => ({ pop: answer, answer, share })) }); \
         return heirs('a', \
         [of('DE', { a: 1 }), of('FR', { a: 0.6, b: 0.4 }), of('US', { c: 1 }), of('IT', { a: 1 })], \
         [of('DE', { b: 1 }), of('FR', { b: 0.8, c: 0.2 }), of('US', { c: 1 }), \
         of('IT', { c: 0.7, b: 0.3 })]); \
         })",
    );
    let expected = json!([
        { "answer": "b", "whole": ["DE"], "most": ["FR"], "some": ["IT"] },
        { "answer": "c", "whole": [], "most": ["IT"], "some": ["FR"] },
    ]);
    assert_eq!(heirs, expected);
    let panel = "document.querySelector('#pop-more').textContent";
    browser.until(&format!(
        "/If it is down \\(policy nearest\\).*nbo: \\d+\\.\\d % of its clients/.test({panel})"
    ));
    browser.until(&format!("/Over all policies, by address space: .*nbo \\d+\\.\\d %/.test({panel})"));
}

/// Row of the answer that takes all queries of `jnb`, three of four of the whole.
const PART: &str = "all,nbo,100.0 %,75.0 %,";

/// The shares and the load of a supposition are those of the dry run, on the page and in the API.
#[test]
fn a_forecast_is_that_of_the_dry_run() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    for (pop, load) in [("jnb", "90"), ("nbo", "85")] {
        deployment.write(&format!("{pop}.load"), load);
        let head = format!("\n  {pop}: ");
        deployment.edit("pops.yaml", |text| {
            let (before, after) = text.split_once(&head).expect("the PoP is there");
            let (rest, below) = after.split_once('\n').expect("its block");
            format!(
                "{before}{head}{rest}\n    capacity: 100\n    load: {{ file: {pop}.load, every: 1s, target: \
                 95%, limit: 99%, stale_after: 1d }}\n{below}"
            )
        });
    }
    let served = deployment.serve(&[]);
    let get = |path: &str| admin(served.admin(), path).json();
    ask(&served, JOHANNESBURG, 30);
    ask(&served, TOKYO, 10);
    until_so("all is measured", || {
        let map = get("/v1/map");
        let load = |pop: &str| entry(&map["pops"], "name", pop)["utilisation"].as_f64();
        let is_loaded = load("jnb") == Some(0.9) && load("nbo") == Some(0.85);
        is_loaded && get("/v1/policies/nearest")["answered"] == 40
    });
    let drain = ["pop", "drain", "jnb", "--dry-run", "--reason", "a test", "--format", "json"];
    let (status, printed, errors) = deployment.run(&drain);
    assert_eq!(status, 0, "{errors}");
    let dry_run = serde_json::from_str::<Value>(&printed).expect("JSON")["forecast"].clone();
    let mut forecast = get("/v1/forecast?down=jnb");
    forecast.as_object_mut().expect("an object").remove("sequence").expect("a number");
    assert_eq!(forecast, dry_run);
    assert_eq!(get("/v1/forecast")["moves"], json!([]));
    let refused = admin(served.admin(), "/v1/forecast?down=nowhere");
    assert_eq!((refused.status, &refused.json()["code"]), (400, &"bad_request".into()));

    let Some(mut browser) = open(&served, "#policy=nearest&down=jnb", (1440, 900)) else { return };
    browser.until(IS_DRAWN);
    browser.until("document.querySelectorAll('#gain-rows tr').length > 0");
    let shown = browser.evaluate(
        "[...document.querySelectorAll('#gain-rows tr')].map((row) => [...row.children].slice(0, 5).map(\
         (cell) => cell.textContent).join()).sort()",
    );
    let of_policy = entry(&dry_run["policies"], "policy", "nearest");
    // One PoP is supposed down, so each answer is in one move. Every moving client had `jnb`, whose
    // queries were counted, so their parts are those of the queries.
    let words = browser.evaluate(&format!(
        "(() => {{ const tenths = (share) => `${{(share * 100).toFixed(1)}} %`; \
         const rows = (name, moves) => moves.map((of) => [name, of.to, tenths(of.queries / \
         moves.reduce((sum, of) => sum + of.queries, 0)), tenths(of.queries), tenths(of.cells)]).filter(\
         (row) => row.slice(2).some((text) => text !== '0.0 %')).map((row) => row.join()); \
         return [...rows('all', {}), ...rows('nearest', {})].sort(); }})()",
        dry_run["moves"], of_policy["moves"]
    ));
    let nbo = words
        .as_array()
        .into_iter()
        .flatten()
        .find(|row| row.as_str().is_some_and(|row| row.starts_with(PART)));
    assert!(nbo.is_some(), "{PART} is not in {words}");
    assert_eq!(shown, words);
    // Every counted query of `jnb` goes to `nbo`, and with it the load.
    let load = entry(&dry_run["load"], "pop", "nbo");
    assert_eq!((&load["load"], &load["added"]), (&85.0.into(), &90.0.into()), "{dry_run}");
    assert_eq!(browser.evaluate("document.querySelector('#over').textContent"), "Over capacity: nbo 175 %");
    let cell = "[...document.querySelectorAll('#gain-rows tr')].find((row) => row.children[1].textContent \
                === 'nbo').children[5]";
    assert_eq!(browser.evaluate(&format!("{cell}.textContent.trim()")), "85 % → 175 % over capacity");
    assert_eq!(browser.evaluate(&format!("{cell}.classList.contains('bad')")), true);
    browser.evaluate("document.querySelector('#clear').click()");
    browser.until("document.querySelector('#what-if').hidden");
}
