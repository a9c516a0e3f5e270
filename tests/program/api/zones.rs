//! `/v1/zones` while a zone is served from its last good texts.

use serde_json::Value;
use support::deployment::Deployment;
use support::pages;

/// A zone whose file has a fault keeps its texts. A user of the control socket reads the fault with
/// its place, and anyone over the admin address that there is one.
#[test]
fn a_faulty_zone_is_kept() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let served = deployment.serve(&[]);
    let known = |path: &str| pages::control(&deployment.path("state/control.sock"), path).json();
    let anyone = |path: &str| pages::admin(served.admin(), path).json();
    let before = known("/v1/zones/shop.example");
    assert_eq!((&before["standing"], &before["why"]), (&"current".into(), &"".into()), "{before}");
    assert!(before["digest"].as_str().is_some_and(|digest| !digest.is_empty()), "{before}");
    assert_eq!(anyone("/v1/zones/shop.example"), before);
    deployment.edit("zones/shop.example.yaml", |text| text.replace("soa:", "sooa:"));
    deployment.run(&["reload"]);
    let kept = known("/v1/zones/shop.example");
    assert_eq!((&kept["standing"], &kept["digest"]), (&"kept".into(), &before["digest"]), "{kept}");
    let why = kept["why"].as_str().unwrap_or_default();
    assert!(why.contains("shop.example.yaml:") && why.contains("SOA"), "{why}");
    let public = anyone("/v1/zones/shop.example");
    assert_eq!((&public["standing"], &public["digest"]), (&"kept".into(), &before["digest"]), "{public}");
    assert_eq!(public["why"], "its files have faults");
    for (list, zone) in [(known("/v1/zones"), &kept), (anyone("/v1/zones"), &public)] {
        let zones = list["zones"].as_array().expect("zones");
        assert_eq!(zones.iter().filter(|of| of["standing"] == "kept").collect::<Vec<_>>(), [zone]);
        let others: Vec<&Value> = zones.iter().filter(|of| of["standing"] == "current").collect();
        assert_eq!(others.len(), zones.len() - 1, "{list}");
    }
}
