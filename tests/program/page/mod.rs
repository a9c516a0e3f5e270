//! The page at `/` in a browser: it shows what the API and the commands say, asks no other host,
//! has labels and contrast, and says so if the server is gone.

mod choices;
mod chromium;
mod figures;
mod looks;
mod trouble;

use chromium::Browser;
use serde_json::Value;
use support::deployment::Deployment;
use support::program::Served;

/// Octets of the files of the page, at most.
const OCTETS_MAX: f64 = 300_000.0;

/// The page is whole once every PoP has a mark and a country has a colour.
const IS_DRAWN: &str = "document.querySelectorAll('.pop[aria-label]').length === 14 && \
                        [...document.querySelectorAll('.land')].filter((land) => land.style.fill || \
                        /k\\d/.test(land.getAttribute('class'))).length > 150";

/// Opens the page of a server, at an address that may end in a fragment.
fn open(served: &Served, fragment: &str, size: (u32, u32)) -> Option<Browser> {
    let mut browser = Browser::start(size, "light")?;
    let url = format!("http://{}/{fragment}", served.admin());
    browser.call("Page.navigate", serde_json::json!({ "url": url }));
    Some(browser)
}

/// The sample, a server of it, and its page once all PoPs and countries are drawn; `None` without a
/// browser.
fn drawn(fragment: &str, size: (u32, u32)) -> Option<(Deployment, Served, Browser)> {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let served = deployment.serve(&[]);
    let mut browser = open(&served, fragment, size)?;
    browser.until(IS_DRAWN);
    Some((deployment, served, browser))
}

/// The page and its files have a strict policy; a file that is none is refused. No browser needed.
#[test]
fn files_have_a_policy() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let served = deployment.serve(&[]);
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/page/page.css", "text/css; charset=utf-8"),
        ("/page/page.js", "text/javascript; charset=utf-8"),
        ("/page/outlines.txt", "text/plain; charset=utf-8"),
    ] {
        let page = support::pages::admin(served.admin(), path);
        assert_eq!(page.status, 200, "{path}");
        assert!(page.head.contains(&format!("content-type: {kind}")), "{}", page.head);
        for words in ["content-security-policy: default-src 'none'; script-src 'self'", "nosniff"] {
            assert!(page.head.contains(words), "{path}: {}", page.head);
        }
    }
    assert_eq!(support::pages::admin(served.admin(), "/page/other").status, 404);
}

/// The page asks this server alone, and the browser has nothing to complain about.
#[test]
fn the_page_asks_no_other_host() {
    let Some((_deployment, served, mut browser)) = drawn("", (1440, 900)) else { return };
    browser.until("document.querySelector('#link').textContent === 'Live'");
    browser.until("document.querySelector('#event-rows li') !== null");
    let own = format!("http://{}/", served.admin());
    let (mut octets, mut files) = (0.0, Vec::new());
    let events = std::mem::take(&mut browser.events);
    for event in &events {
        let params = &event["params"];
        match event["method"].as_str().unwrap_or_default() {
            "Network.requestWillBeSent" => {
                let url = params["request"]["url"].as_str().expect("an address");
                assert!(url.starts_with(&own) || url.starts_with("data:"), "{url}");
                let path = url.trim_start_matches(&own);
                if path.is_empty() || path.starts_with("page/") {
                    files.push(params["requestId"].clone());
                }
            }
            "Network.loadingFinished" if files.contains(&params["requestId"]) => {
                octets += params["encodedDataLength"].as_f64().expect("a number");
            }
            "Log.entryAdded" | "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" => panic!("{params}"),
            _ => {}
        }
    }
    assert!(octets > 10_000.0 && octets <= OCTETS_MAX, "{octets} octets");
    let paint = browser.evaluate("performance.getEntriesByType('paint')[0].startTime");
    println!("first paint after {paint} ms, {octets} octets");
}

/// Explanations on the page are those of the API and of the command.
#[test]
fn explanations_agree() {
    let Some((deployment, served, mut browser)) = drawn("", (1440, 900)) else { return };
    for (name, rtype, client, ecs, down) in [
        ("www.shop.example", "A", "", "192.0.2.0/24", ""),
        ("global.edge.cdn.example", "AAAA", "192.0.2.7", "", ""),
        ("www.shop.example", "A", "198.51.100.7", "192.0.2.0/24", "fra"),
        ("none.cdn.example", "A", "192.0.2.7", "", ""),
    ] {
        let fill = |id: &str, value: &str| format!("document.querySelector('#{id}').value = '{value}';");
        let fields =
            [("name", name), ("type", rtype), ("client", client), ("ecs", ecs)].map(|(id, of)| fill(id, of));
        let boxes = "document.querySelectorAll('#rows input').forEach((box) => { if (box.checked !== \
                     (box.getAttribute('aria-label') === 'Suppose DOWN down')) box.click(); });";
        let submit = "document.querySelector('#steps').replaceChildren(); \
                      document.querySelector('#ask').requestSubmit();";
        browser.evaluate(&format!("{}{}{submit}", boxes.replace("DOWN", down), fields.concat()));
        browser.until("document.querySelector('#steps').children.length > 0");
        let shown = browser.evaluate(
            "[[...document.querySelectorAll('#steps li')].map((step) => [...step.children].map((part) => \
             part.textContent)), document.querySelector('#answer').textContent]",
        );
        let mut arguments = vec!["explain", name, rtype, "--format", "json"];
        for (flag, value) in [("--client", client), ("--ecs", ecs), ("--down", down)] {
            if !value.is_empty() {
                arguments.extend([flag, value]);
            }
        }
        let (status, printed, errors) = deployment.run(&arguments);
        assert_eq!(status, 0, "{errors}");
        let printed: Value = serde_json::from_str(&printed).expect("JSON");
        assert_eq!(shown, serde_json::json!([printed["lines"], printed["answer"]]), "{name} {client} {ecs}");
        let query = [("client", client), ("ecs", ecs), ("down", down)];
        let query: String =
            query.iter().filter(|(_, of)| !of.is_empty()).map(|(key, of)| format!("&{key}={of}")).collect();
        let path = format!("/v1/explain?name={name}&type={rtype}{query}");
        let given = support::pages::admin(served.admin(), &path).json();
        assert_eq!((&given["lines"], &given["answer"]), (&printed["lines"], &printed["answer"]), "{path}");
    }
    // The last name is not steered; one that is has its way on the map.
    browser.evaluate("document.querySelector('#name').value = 'www.shop.example'");
    browser.evaluate("document.querySelector('#ask').requestSubmit()");
    browser.until("document.querySelectorAll('.ray.chosen').length === 1");
    assert_eq!(browser.evaluate("document.querySelectorAll('.client').length"), 1);
    // A refusal is shown.
    browser.evaluate(
        "document.querySelector('#client').value = 'x'; document.querySelector('#ask').requestSubmit()",
    );
    browser.until("document.querySelector('#refusal').textContent !== ''");
}

/// A supposition shows the countries that move by the API, and changes nothing.
#[test]
fn suppositions_change_nothing() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let served = deployment.serve(&[]);
    let ask = |path: &str| support::pages::admin(served.admin(), path).json();
    let before = ask("/v1/status")["digest"].clone();
    let Some(mut browser) = open(&served, "#policy=nearest&down=jnb", (1440, 900)) else { return };
    let (now, then) = (ask("/v1/map?policy=nearest"), ask("/v1/map?policy=nearest&down=jnb"));
    let answers = |map: &Value| map["countries"].as_array().expect("countries").clone();
    let pairs = answers(&now).into_iter().zip(answers(&then));
    let moved: Vec<Value> =
        pairs.filter(|(a, b)| a["answers"] != b["answers"]).map(|(a, _)| a["country"].clone()).collect();
    assert!(moved.contains(&"ZA".into()) && !moved.contains(&"DE".into()), "{moved:?}");
    browser.until("document.querySelectorAll('#moves li').length > 0");
    let shown = browser.evaluate(
        "[...document.querySelectorAll('#moves li')].map((line) => line.textContent.split(':')[0])",
    );
    assert_eq!(shown, Value::from(moved));
    browser.until("document.querySelector('.land[data-country=ZA]').classList.contains('moved')");
    assert_eq!(ask("/v1/status")["digest"], before);
}

/// A keyboard alone opens a PoP; its panel has what the API says, and who takes its clients.
#[test]
fn a_keyboard_suffices() {
    let Some((_deployment, _served, mut browser)) = drawn("", (1440, 900)) else { return };
    // Tab reaches the map: skip link, theme, policy, three buttons, the first PoP.
    let is_on_map = "document.activeElement.classList.contains('pop')";
    let mut presses = 0;
    while browser.evaluate(is_on_map) != true {
        browser.press("Tab");
        presses += 1;
        assert!(presses < 20, "the map is not reached");
    }
    let first = browser.evaluate("document.activeElement.getAttribute('aria-label')");
    browser.press("ArrowRight");
    let second = browser.evaluate("document.activeElement.getAttribute('aria-label')");
    assert_ne!(first, second);
    browser.press("Enter");
    let name = second.as_str().expect("a label").split(',').next().expect("a name").to_owned();
    browser.until(&format!("document.querySelector('#pop-head').textContent === 'PoP {name}'"));
    browser.until("/If it is down/.test(document.querySelector('#pop-body').textContent)");
    // One stop of the map for any number of PoPs.
    assert_eq!(browser.evaluate("document.querySelectorAll('.pop[tabindex=\"0\"]').length"), 1);
}

/// An event of the server is shown at once. If the server is gone, the page says so, and a choice
/// changes nothing; once it is back, the page is live again, and words of the fault are gone.
#[test]
fn a_lost_server_is_shown() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let mut served = deployment.serve(&[]);
    let Some(mut browser) = open(&served, "", (1440, 900)) else { return };
    browser.until(IS_DRAWN);
    browser.until("document.querySelector('#event-rows li') !== null");
    let body = r#"{"pops":["syd"],"state":"drain","reason":"a new switch"}"#;
    let socket = deployment.path("state/control.sock");
    assert_eq!(support::pages::send(&socket, "POST", "/v1/overrides", body).status, 200);
    browser.until("/override_set/.test(document.querySelector('#event-rows').textContent)");
    browser.until("document.querySelector('.pop[aria-label^=syd]').classList.contains('drained')");
    let admin = served.admin().to_string();
    served.process.kill();
    browser.until(
        "!document.querySelector('#lost').hidden && document.documentElement.classList.contains('stale')",
    );
    // The page no longer claims that the state is still read.
    browser.until("/^No answer from the server: /.test(document.querySelector('#lost').textContent)");
    let shown = "[...document.querySelectorAll('#policy, #pop-head, #supposed, .pop.chosen, .land')].map(\
                 (of) => [of.value, of.tagName === 'H2' && of.textContent, of.getAttribute('class')])";
    let before = browser.evaluate(shown);
    browser.evaluate(
        "{ const policy = document.querySelector('#policy'); \
         policy.value = [...policy.options].find((one) => one.value !== policy.value).value; \
         policy.dispatchEvent(new Event('change')); }",
    );
    browser.evaluate("document.querySelector('.pop[aria-label^=fra]').dispatchEvent(new Event('click'))");
    browser.evaluate("document.querySelector('#name').value = 'www.shop.example'");
    browser.evaluate("document.querySelector('#ask').requestSubmit()");
    browser.until("document.querySelector('#refusal').textContent !== ''");
    assert_eq!(browser.evaluate(shown), before);
    deployment
        .edit("meridian.yaml", |text| text.replace("admin: \"127.0.0.1:0\"", &format!("admin: \"{admin}\"")));
    let _served = deployment.serve(&[]);
    browser.until(
        "document.querySelector('#lost').hidden && document.querySelector('#link').textContent === 'Live'",
    );
    browser.until("document.querySelector('#refusal').textContent === ''");
    // The run is another one, so the page learns that events are lost.
    browser.until("/lost/.test(document.querySelector('#event-rows').textContent)");
}
