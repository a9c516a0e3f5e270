//! Figures of the page: answers by policy and PoP, expected shares, and the forecast of a
//! supposition, which is that of the dry run.

use super::{IS_DRAWN, open};
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
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let served = deployment.serve(&[]);
    let Some(mut browser) = open(&served, "#policy=nearest&pop=nrt", (1440, 900)) else { return };
    browser.until(IS_DRAWN);
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
    // A policy of the table is chosen as one of the list is.
    browser.evaluate(
        "[...document.querySelectorAll('#policy-rows button')].find((one) => one.textContent === \
         'web').click()",
    );
    browser.until("document.querySelector('#policy-head').textContent === 'Policy web'");
    assert_eq!(browser.evaluate("document.querySelector('#policy').value"), "web");
}

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
        "[...document.querySelectorAll('#gain-rows tr')].map((row) => [...row.children].slice(0, 4).map(\
         (cell) => cell.textContent).join()).sort()",
    );
    let of_policy = entry(&dry_run["policies"], "policy", "nearest");
    // One PoP is supposed down, so each answer is in one move.
    let told = browser.evaluate(&format!(
        "(() => {{ const tenths = (share) => share === null ? '–' : `${{(share * 100).toFixed(1)}} %`; \
         const rows = (name, moves) => moves.map((of) => [name, of.to, tenths(of.cells), \
         tenths(of.queries)].join()); \
         return [...rows('all', {}), ...rows('nearest', {})].sort(); }})()",
        dry_run["moves"], of_policy["moves"]
    ));
    assert_eq!(shown, told);
    // Every counted query of `jnb` goes to `nbo`, and with it the load.
    let load = entry(&dry_run["load"], "pop", "nbo");
    assert_eq!((&load["load"], &load["added"]), (&85.0.into(), &90.0.into()), "{dry_run}");
    assert_eq!(browser.evaluate("document.querySelector('#over').textContent"), "Over capacity: nbo 175 %");
    let cell = "[...document.querySelectorAll('#gain-rows tr')].find((row) => row.children[1].textContent \
                === 'nbo').children[4]";
    assert_eq!(browser.evaluate(&format!("{cell}.textContent.trim()")), "85 % → 175 % over capacity");
    assert_eq!(browser.evaluate(&format!("{cell}.classList.contains('bad')")), true);
    browser.evaluate("document.querySelector('#clear').click()");
    browser.until("document.querySelector('#what-if').hidden");
}
