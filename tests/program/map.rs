//! `meridian map`: pictures of files and of the running server, and refusals.

use meridian::testing::server::Engine;
use std::fs;
use support::deployment::Deployment;

/// Titles of countries and all words of a picture, one a line; the paths of the outlines are left
/// out.
fn words(svg: &str) -> String {
    let mut found = String::new();
    for line in svg.lines() {
        for element in ["<title>", "<text "] {
            let Some((_, rest)) = line.split_once(element) else { continue };
            let end = rest.find("</").expect("the element ends");
            found.push_str(&format!("{element}{}\n", &rest[..end]));
        }
    }
    found
}

fn drawn(deployment: &Deployment, arguments: &[&str]) -> String {
    let target = deployment.path("map.svg");
    let output = ["map", "--policy", "web", "-o", target.to_str().expect("text")];
    let (status, stdout, stderr) = deployment.run(&[&output[..], arguments].concat());
    assert_eq!(status, 0, "{stdout}{stderr}");
    let svg = fs::read_to_string(&target).expect("the picture");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert!(!svg.contains(deployment.path("").to_str().expect("text")), "no path of this machine");
    svg
}

/// Words, places of labels and answers of the sample with a PoP down.
/// `MERIDIAN_WRITE=1 cargo test --test program map` writes the file.
#[test]
fn the_sample_is_drawn_as_before() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let svg = drawn(&deployment, &["--files", "--down", "fra"]);
    assert_eq!(svg, drawn(&deployment, &["--files", "--down", "fra"]), "equal states give equal files");
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/map.txt");
    if std::env::var_os("MERIDIAN_WRITE").is_some() {
        fs::write(golden, words(&svg)).expect("the golden file");
    }
    let written = fs::read_to_string(golden).expect("the golden file");
    assert_eq!(words(&svg), written, "run `MERIDIAN_WRITE=1 cargo test --test program map`");
}

/// The server draws the same answers as its files while nothing is overridden, and supposes a PoP
/// down without changing its state.
#[test]
fn the_server_is_drawn() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let _served = deployment.start(Engine::Fast);
    let titles = |svg: &str| {
        let of = words(svg);
        of.lines().filter(|line| line.starts_with("<title>")).skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = titles(&drawn(&deployment, &[]));
    assert_eq!(before.len(), 249, "every country but Antarctica");
    assert_eq!(before, titles(&drawn(&deployment, &["--files"])));
    let down = titles(&drawn(&deployment, &["--down", "fra"]));
    assert!(down.iter().any(|title| title.starts_with("<title>DE: ") && title.contains("before: fra")));
    assert_eq!(down, titles(&drawn(&deployment, &["--files", "--down", "fra"])));
    assert_eq!(before, titles(&drawn(&deployment, &[])));
    // The server gives no shares, and the picture says so; without a change it has no need to.
    let words = ">shares of clients are not known here<";
    assert!(drawn(&deployment, &["--down", "fra"]).contains(words));
    assert!(!drawn(&deployment, &[]).contains(words));
    assert!(!drawn(&deployment, &["--files", "--down", "fra"]).contains(words));
}

/// Two deployments: the countries that move, and none if nothing changed.
#[test]
fn a_difference_is_drawn() {
    let [old, new] = [(); 2].map(|()| Deployment::sample(&["127.0.0.1:0"]));
    new.edit("pops.yaml", |text| text.replace("weight: 50 ", "weight: 500 "));
    let (old_path, new_path) = (old.config(), new.config());
    let path = |path: &std::path::Path| path.to_str().expect("text").to_owned();
    let target = path(&old.path("map.svg"));
    let svg = |new: &str| {
        let asked = ["map", "--policy", "web", "-o", &target, "--diff", &path(&old_path), new];
        let (status, _, stderr) = crate::process::run(&asked);
        assert_eq!(status, 0, "{stderr}");
        fs::read_to_string(&target).expect("the picture")
    };
    assert!(svg(&path(&old_path)).contains(">no client moves</text>"));
    let moved = svg(&path(&new_path));
    assert!(moved.contains(">fra \u{2192} ams: ") && moved.contains("; before: fra "), "{}", words(&moved));
}

/// Unknown names, a server that does not run, and a target that is no file.
#[test]
fn refusals_have_a_way_out() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let svg = deployment.path("x.svg");
    let (svg, folder) = (svg.to_str().expect("text"), deployment.path(""));
    let folder = folder.to_str().expect("text");
    for (arguments, status, words) in [
        (["--policy", "wob", "--files", "-o", svg], 1, "there is no policy `wob`; there are nearest web"),
        (["--policy", "web", "--down=fro", "--files", "-o"], 2, "a value is required"),
        (["--policy", "web", "--files", "-o", folder], 1, "cannot write"),
        (["--policy", "web", "--down=fra", "-o", svg], 2, "add --files"),
    ] {
        let (is, stdout, stderr) = deployment.run(&[&["map"][..], &arguments].concat());
        assert_eq!(is, status, "{arguments:?}: {stdout}{stderr}");
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
    }
    let asked = ["map", "--policy", "web", "--down", "fro", "--files", "-o", svg];
    let (is, _, stderr) = deployment.run(&asked);
    assert!(is == 1 && stderr.contains("`fro` is not a PoP; there are ams bom"), "{stderr}");
    assert!(!deployment.path("x.svg").exists());
    let _served = deployment.start(Engine::Fast);
    let (is, _, stderr) = deployment.run(&["map", "--policy", "wob", "-o", svg]);
    assert!(is == 1 && stderr.contains("`meridian policy list`"), "{stderr}");
}

/// An explanation is drawn alike by the server and from its files; an answer that no policy decided
/// has no picture.
#[test]
fn an_explanation_is_drawn() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let _served = deployment.start(Engine::Fast);
    let target = deployment.path("explained.svg");
    let target = target.to_str().expect("text");
    let explain = |name: &str, arguments: &[&str]| {
        let asked = ["explain", name, "--ecs", "198.51.100.0/24", "--map", target];
        deployment.run(&[&asked[..], arguments].concat())
    };
    let lines = |arguments: &[&str]| {
        let (status, stdout, stderr) = explain("www.shop.example", arguments);
        assert_eq!(status, 0, "{stdout}{stderr}");
        let svg = fs::read_to_string(target).expect("the picture");
        let chosen = stdout.lines().rfind(|line| line.starts_with("chosen ")).expect("a choice");
        let chosen = chosen.trim_start_matches("chosen").trim().to_owned();
        assert!(svg.contains(&format!("<title>www.shop.example. A: {chosen}</title>")), "{stdout}");
        let rays = |line: &&str| line.contains("dasharray") || line.contains("stroke-width=\"3\"");
        let rays: Vec<String> = svg.lines().filter(rays).map(str::to_owned).collect();
        assert_eq!(rays.len(), 2);
        (chosen, rays)
    };
    let (chosen, rays) = lines(&[]);
    assert_eq!((chosen.clone(), rays.clone()), lines(&["--files"]));
    let without = lines(&["--down", &chosen]);
    assert_ne!(without.0, chosen);
    assert_eq!(without, lines(&["--files", "--down", &chosen]));
    // PoPs stand in the state that is supposed of them: their words, and the crosses of those out.
    let site = |arguments: &[&str]| {
        lines(arguments);
        let svg = fs::read_to_string(target).expect("the picture");
        let name = format!("font-weight=\"bold\">{chosen}</text>");
        let words = svg.lines().skip_while(|line| !line.ends_with(&name)).nth(1).expect("its words");
        (words.to_owned(), svg.matches("M-4-4L4 4").count())
    };
    let crosses = site(&[]).1;
    let rows = [
        ("--drain", ">supposed drained,", 1),
        ("--down", ">auto, supposed down,", 1),
        ("--up", ">auto, supposed up,", 0),
    ];
    for (supposition, words, more) in rows {
        for files in [&[][..], &["--files"]] {
            let (of, out) = site(&[&[supposition, &chosen], files].concat());
            assert!(of.contains(words) && out == crosses + more, "{supposition} {files:?}: {of} {out}");
        }
    }
    fs::remove_file(target).expect("the picture");
    let (status, _, stderr) = explain("shop.example", &["SOA"]);
    assert_eq!(status, 1, "{stderr}");
    assert!(stderr.contains("no policy decided this answer"), "{stderr}");
    assert!(fs::metadata(target).is_err(), "no picture is written");
}
