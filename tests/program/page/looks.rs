//! How the page looks: contrast in both themes, labels, a narrow screen, and many PoPs.

use super::{drawn, open};
use serde_json::{Value, json};
use std::fmt::Write as _;
use support::deployment::Deployment;

/// Ratio that text needs (WCAG 2.2, success criterion 1.4.3).
const CONTRAST: f64 = 4.5;

/// Text, its colour and that of its ground, for each element that has text of its own. A name on
/// the map stands on its halo.
const COLOURS: &str = "(() => {
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const of = node.parentElement;
    const isHidden = of.closest('noscript, title') || of.getClientRects().length === 0;
    if (!node.textContent.trim() || isHidden) continue;
    const style = getComputedStyle(of);
    if (of.closest('svg')) { found.push([node.textContent, style.fill, style.stroke]); continue; }
    let ground = of;
    const isClear = (at) => getComputedStyle(at).backgroundColor === 'rgba(0, 0, 0, 0)';
    while (ground && isClear(ground)) ground = ground.parentElement;
    found.push([node.textContent, style.color, getComputedStyle(ground).backgroundColor]);
  }
  for (const field of document.querySelectorAll('input[placeholder]')) {
    const style = getComputedStyle(field);
    found.push([field.placeholder, getComputedStyle(field, '::placeholder').color, style.backgroundColor]);
  }
  return found;
})()";

/// Relative luminance of `rgb(r, g, b)` (WCAG 2.2).
fn luminance(colour: &Value) -> f64 {
    let text = colour.as_str().expect("a colour");
    let inner = text.strip_prefix("rgb(").and_then(|text| text.strip_suffix(')'));
    let parts = inner.unwrap_or_else(|| panic!("an opaque colour: {text}")).split(", ");
    let linear = |part: &str| {
        let part = part.parse::<f64>().expect("a number") / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    let parts: Vec<f64> = parts.map(linear).collect();
    0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
}

fn contrast(one: &Value, other: &Value) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn contrast_is_computed() {
    assert!((contrast(&"rgb(0, 0, 0)".into(), &"rgb(255, 255, 255)".into()) - 21.0).abs() < 0.01);
    assert!((contrast(&"rgb(119, 119, 119)".into(), &"rgb(255, 255, 255)".into()) - 4.48).abs() < 0.01);
}

/// Text has contrast in both themes of the system and of the switch.
#[test]
fn text_has_contrast() {
    let Some((_deployment, _served, mut browser)) = drawn("#pop=fra&down=jnb", (1440, 900)) else { return };
    browser.until(
        "document.querySelectorAll('#moves li').length > 0 && !document.querySelector('#pop-suppose').hidden",
    );
    browser.evaluate("document.querySelector('details').open = true");
    for (system, switch, ground) in
        [("light", "", "light"), ("dark", "", "dark"), ("dark", "light", "light"), ("light", "dark", "dark")]
    {
        browser.set_theme(system);
        let set = format!(
            "const t = document.querySelector('#theme'); t.value = '{switch}'; \
             t.dispatchEvent(new Event('change'))"
        );
        browser.evaluate(&format!("{{ {set} }}"));
        let colours = browser.evaluate(COLOURS);
        let colours = colours.as_array().expect("a list");
        assert!(colours.len() > 100, "{} texts", colours.len());
        for found in colours {
            let ratio = contrast(&found[1], &found[2]);
            assert!(ratio >= CONTRAST, "{system} {switch}: {ratio:.2} {found}");
        }
        let body = browser.evaluate("getComputedStyle(document.body).backgroundColor");
        assert_eq!(luminance(&body) < 0.2, ground == "dark", "{system} {switch}: {body}");
    }
}

/// Every control has a name for readers of the screen.
#[test]
fn controls_have_labels() {
    let Some((_deployment, _served, mut browser)) = drawn("#pop=fra&down=jnb", (1440, 900)) else { return };
    let tree = browser.call("Accessibility.getFullAXTree", json!({}));
    let mut count = 0;
    for node in tree["nodes"].as_array().expect("nodes") {
        let role = node["role"]["value"].as_str().unwrap_or_default();
        let is_control =
            ["button", "checkbox", "combobox", "link", "searchbox", "textbox", "region"].contains(&role);
        if is_control && node["ignored"] != true {
            count += 1;
            assert!(node["name"]["value"].as_str().is_some_and(|name| !name.trim().is_empty()), "{node}");
        }
    }
    assert!(count > 40, "{count} controls");
}

/// Widths of the tables that scroll sideways.
pub(super) const TOO_WIDE: &str = "[...document.querySelectorAll('.scroll')].filter((of) => of.scrollWidth > \
                        of.clientWidth).map((of) => [of.innerText, of.scrollWidth, of.clientWidth])";

/// On a wide screen no table scrolls sideways.
#[test]
fn tables_fit_a_wide_screen() {
    let Some((_deployment, _served, mut browser)) = drawn("#pop=fra&down=jnb", (1440, 900)) else { return };
    browser.until("document.querySelectorAll('#gain-rows tr, #pop-policy-rows tr').length > 6");
    browser.evaluate("document.querySelector('details').open = true");
    browser.until("document.querySelectorAll('#country-rows tr').length > 150");
    assert_eq!(browser.evaluate(TOO_WIDE), json!([]));
}

/// On a narrow screen nothing stands beside it.
#[test]
fn a_narrow_screen_suffices() {
    let Some((_deployment, _served, mut browser)) = drawn("#pop=fra&down=jnb", (390, 844)) else { return };
    assert_eq!(browser.evaluate("[innerWidth, document.documentElement.scrollWidth]"), json!([390, 390]));
    let heads = "[...document.querySelectorAll('#list th[scope=col]')].filter((head) => \
                 head.offsetParent).map((head) => head.textContent)";
    let shown = browser.evaluate(heads);
    for head in ["PoP", "Load", "Answers/s", "If down"] {
        assert!(shown.as_array().is_some_and(|heads| heads.contains(&head.into())), "{head}: {shown}");
    }
    browser.until("document.querySelectorAll('#gain-rows tr, #pop-policy-rows tr').length > 6");
    browser.evaluate("document.querySelector('details').open = true");
    browser.until("document.querySelectorAll('#country-rows tr').length > 150");
    assert_eq!(browser.evaluate(TOO_WIDE), json!([]), "no table scrolls sideways");
}

/// Three hundred PoPs are all there, and no name on the map covers another. Their marks are small
/// until the map is near, and the buttons bring the chosen PoP into the middle.
#[test]
fn names_do_not_overlap() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let mut pops = "pops:\n".to_owned();
    for index in 0..300 {
        let (lat, lon) = (f64::from(index * 37 % 120) - 55.0, f64::from(index * 101 % 340) - 170.0);
        let _ =
            writeln!(pops, "  p{index:03}: {{ at: {{ lat: {lat}, lon: {lon} }}, addresses: [192.0.2.7] }}");
    }
    deployment.write("pops.yaml", &pops);
    deployment.write("policies.yaml", "policies:\n  nearest: { pops: all }\n");
    for zone in ["media.example", "shop.example"] {
        std::fs::remove_file(deployment.path(&format!("zones/{zone}.yaml"))).expect("a zone");
    }
    deployment.write(
        "zones/cdn.example.yaml",
        "zone: cdn.example.\nttl: 300\nsoa: { mname: ns1, rname: hostmaster }\nrecords:\n  \"@\": { NS: \
         [ns1], steer: nearest }\n  ns1: { A: 203.0.113.53 }\n",
    );
    deployment.edit("meridian.yaml", |text| {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("site:"));
        let lines = lines.map(|line| if line.trim_start().starts_with("networks:") { "" } else { line });
        lines.collect::<Vec<_>>().join("\n") + "\n"
    });
    let served = deployment.serve(&[]);
    let Some(mut browser) = open(&served, "", (1440, 900)) else { return };
    browser.until("document.querySelectorAll('.pop[aria-label]').length === 300");
    browser.until("document.querySelectorAll('.tag').length > 0");
    let boxes = browser.evaluate(
        "[...document.querySelectorAll('.tag')].map((tag) => { const { x, y, width, height } = \
         tag.getBBox(); \
         return [x, y + 2, x + width, y + height - 2]; })",
    );
    let boxes: Vec<Vec<f64>> = serde_json::from_value(boxes).expect("boxes");
    assert!(boxes.len() > 30, "{} names", boxes.len());
    for (index, one) in boxes.iter().enumerate() {
        for other in &boxes[index + 1..] {
            let apart = one[0] >= other[2] || other[0] >= one[2] || one[1] >= other[3] || other[1] >= one[3];
            assert!(apart, "{one:?} {other:?}");
        }
    }
    assert_eq!(browser.evaluate("document.querySelectorAll('#rows tr').length"), 300);
    assert_eq!(browser.evaluate("document.querySelector('#repeat').hidden"), false);
    let small = "document.querySelectorAll('.pop.small').length";
    assert_eq!(browser.evaluate(small), 300);
    browser.evaluate("document.querySelector('.pop[aria-label^=p123]').dispatchEvent(new Event('click'))");
    browser.until("document.querySelector('#pop-head').textContent === 'PoP p123'");
    assert_eq!(browser.evaluate(small), 299, "the chosen one is large");
    browser.evaluate("for (let times = 0; times < 4; times++) document.querySelector('#in').click()");
    assert_eq!(browser.evaluate(small), 0);
    let off = browser.evaluate(
        "(() => { const [map, mark] = ['#map', '.pop.chosen .mark'].map((of) => \
         document.querySelector(of).getBoundingClientRect()); \
         return Math.hypot(mark.x + mark.width / 2 - map.x - map.width / 2, \
         mark.y + mark.height / 2 - map.y - map.height / 2); })()",
    );
    assert!(off.as_f64().is_some_and(|off| off < 5.0), "{off}");
}
