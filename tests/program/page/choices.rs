//! Choices on the page: where their results stand, and the address of the window.

use super::{IS_DRAWN, drawn, open};
use serde_json::json;
use support::deployment::Deployment;

/// Ticks `If down` of a PoP.
fn suppose(pop: &str) -> String {
    format!("document.querySelector('#rows input[aria-label=\"Suppose {pop} down\"]').click()")
}

const IS_SUPPOSED: &str =
    "!document.querySelector('#supposing').hidden && document.querySelectorAll('#gain-rows tr').length > 0";

/// Top and foot of an element in the window.
fn box_of(selector: &str) -> String {
    format!(
        "(() => {{ const {{ top, bottom }} = document.querySelector('{selector}').getBoundingClientRect(); \
         return [top, bottom]; }})()"
    )
}

/// A supposition moves no row of the table, and its result is in the window at once; the panel of a
/// PoP that is chosen in the table comes into view.
#[test]
fn results_are_in_view() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let served = deployment.serve(&[]);
    for size in [(1440, 900), (390, 844)] {
        let Some(mut browser) = open(&served, "#policy=nearest", size) else { return };
        browser.until(IS_DRAWN);
        browser.until("document.querySelector('#answers-over').textContent.startsWith('over')");
        browser.evaluate("document.querySelector('#rows').scrollIntoView()");
        let before = browser.evaluate(&box_of("#rows"));
        browser.evaluate(&suppose("jnb"));
        browser.until(IS_SUPPOSED);
        assert_eq!(browser.evaluate(&box_of("#rows")), before, "{size:?}");
        let words = "document.querySelector('#supposing-words').textContent";
        browser.until(&format!("/^Supposed down: jnb\\. .* countries get other answers/.test({words})"));
        let foot = browser.evaluate(&box_of("#supposing"));
        assert_eq!(foot[1], size.1, "the line stands at the foot of the window");
        // The whole of it is behind the table.
        let of_list = browser.evaluate(&box_of("#list"))[1].as_f64();
        assert!(browser.evaluate(&box_of("#what-if"))[0].as_f64() > of_list, "{size:?}");
        browser.evaluate("document.querySelector('#supposing-more').click()");
        browser.until(&format!("(([top]) => top >= 0 && top < innerHeight)({})", box_of("#supposed")));

        browser.evaluate("document.querySelector('#rows').scrollIntoView()");
        browser.evaluate(
            "[...document.querySelectorAll('#rows button')].find((of) => of.textContent === 'syd').click()",
        );
        browser.until("document.querySelector('#pop-head').textContent === 'PoP syd'");
        browser.until(&format!(
            "(([top, bottom]) => top >= 0 && bottom <= innerHeight)({})",
            box_of("#pop-head")
        ));
        browser.evaluate("document.querySelector('#clear').click()");
        browser.until("document.querySelector('#supposing').hidden");
    }
}

/// An address that is changed in an open tab is a choice; what does not exist is left out, and the
/// link to a section changes nothing.
#[test]
fn an_address_is_followed() {
    let Some((_deployment, _served, mut browser)) = drawn("#policy=nearest&pop=fra", (1440, 900)) else {
        return;
    };
    browser.until("document.querySelector('#pop-head').textContent === 'PoP fra'");
    browser.evaluate("location.hash = '#policy=video&pop=syd&down=jnb,none'");
    browser.until("document.querySelector('#policy-head').textContent === 'Policy video'");
    let shown = "[document.querySelector('#pop-head').textContent, \
                 document.querySelector('#supposing-words').textContent.split('.')[0], location.hash]";
    let all = json!(["PoP syd", "Supposed down: jnb", "#policy=video&pop=syd&down=jnb"]);
    browser.until(&format!("JSON.stringify({shown}) === JSON.stringify({all})"));
    browser.evaluate("location.hash = '#explain'");
    browser.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
    assert_eq!(browser.evaluate(shown)[1], all[1]);
    browser.evaluate("location.hash = '#policy=video'");
    browser.until("document.querySelector('#pop-head').textContent === 'PoP'");
    browser.until("document.querySelector('#supposing').hidden");
    assert_eq!(browser.evaluate("document.querySelector('#pop-none').hidden"), false);
}

/// Refusals of an explanation name the fields of the form; events have their time in UTC; the hint
/// about countries is always there.
#[test]
fn words_are_those_of_the_page() {
    let Some((_deployment, _served, mut browser)) = drawn("", (1440, 900)) else { return };
    let refusal = "document.querySelector('#refusal').textContent";
    for (client, ecs, words) in [
        ("", "", "“Resolver address” or “Client subnet” is required"),
        ("ecs", "", "“Resolver address” must be an IP address, not `ecs`"),
        ("", "x", "“Client subnet” must have the form `address/length`"),
    ] {
        browser.evaluate(&format!(
            "document.querySelector('#name').value = 'www.shop.example'; \
             document.querySelector('#client').value = '{client}'; \
             document.querySelector('#ecs').value = '{ecs}'; document.querySelector('#ask').requestSubmit()"
        ));
        browser.until(&format!("{refusal}.startsWith('{words}')"));
    }
    browser.until(
        "/^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d.*Z$/.test(\
         document.querySelector('#event-rows time')?.textContent)",
    );
    assert_eq!(
        browser.evaluate("/Point at a country/.test(document.querySelector('#hint').innerText)"),
        true
    );
}

/// No word of a policy's name breaks on a narrow screen.
#[test]
fn names_are_whole_on_a_narrow_screen() {
    let Some((_deployment, _served, mut browser)) = drawn("#policy=nearest&pop=fra&down=jnb", (390, 844))
    else {
        return;
    };
    browser.until("document.querySelectorAll('#policy-rows button, #pop-policy-rows button').length > 8");
    browser.until(IS_SUPPOSED);
    // A name may break behind a dot, a dash and a slash: its parts are texts of their own.
    let broken = "[...document.querySelectorAll('#policy-rows button, #pop-policy-rows button, \
                  #gain-rows .name')].flatMap((of) => [...of.childNodes]).flatMap((part) => { \
                  const range = document.createRange(); \
                  return [...part.textContent.matchAll(/\\S+/g)].filter(({ 0: word, index }) => { \
                  range.setStart(part, index); range.setEnd(part, index + word.length); \
                  return range.getClientRects().length > 1; }).map(([word]) => word); })";
    assert_eq!(browser.evaluate(broken), json!([]));
}
