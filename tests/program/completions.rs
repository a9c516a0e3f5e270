//! The script for bash, run by bash.

use std::path::Path;
use std::process::Command;
use support::program;

/// What bash offers for the word behind `words`, which begins with `word`, in a folder.
fn offered(folder: &Path, words: &[&str], word: &str) -> Option<String> {
    let script = r#"
        source <("$1" completions bash)
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        _meridian "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        echo "${COMPREPLY[@]}"
    "#;
    if !program::has("bash", "--version") {
        println!("skipped: no bash here");
        return None;
    }
    let mut bash = Command::new("bash");
    bash.args(["-c", script, "bash"]).arg(program::path()).args(words).arg(word);
    bash.current_dir(folder).env_remove("MERIDIAN_CONFIG");
    let (_, stdout, stderr) = program::run(bash);
    assert_eq!(stderr, "", "{words:?}");
    Some(stdout.trim().to_owned())
}

#[test]
fn bash_completes_pop_names() {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sample = tree.join("meridian.yaml").display().to_string();
    let rows: [(&Path, &[&str], &str, &str); 7] = [
        (tree, &["pop", "drain"], "l", "lhr lax"),
        (tree, &["pop", "drain", "fra"], "n", "nbo nrt"),
        (tree, &["pop", "show"], "gr", "gru"),
        (tree, &["explain", "www.shop.example", "--down"], "ia", "iad"),
        (tree, &["explain", "www.shop.example", "--down", "="], "ia", "iad"),
        (tree, &["pop", "drain"], "--dry", "--dry-run"),
        (Path::new("/"), &["pop", "show", "--config", &sample], "gr", "gru"),
    ];
    for (folder, words, word, expected) in rows {
        let Some(found) = offered(folder, words, word) else { return };
        assert_eq!(found, expected, "{words:?} {word}");
    }
}

/// No deployment, a broken one, and one without PoPs: nothing is offered, and nothing is told.
#[test]
fn without_names_nothing_is_told() {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["missing.yaml", "pops.yaml", "zones", "README.md", "geoip/places.mmdb"];
    for file in files {
        let config = tree.join(file).display().to_string();
        let Some(found) = offered(tree, &["pop", "show", "--config", &config], "fr") else { return };
        assert_eq!(found, "", "{file}");
    }
}

/// A name that a shell would run is not offered, and not run.
#[test]
fn names_are_never_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let mark = folder.path().join("ran");
    let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).expect("ours");
    write("meridian.yaml", "pops: pops.yaml\n");
    write(
        "pops.yaml",
        &format!("pops: {{ fra: {{}}, \"$(touch {})\": {{}}, \"f*\": {{}} }}\n", mark.display()),
    );
    let Some(found) = offered(folder.path(), &["pop", "drain"], "") else { return };
    assert!(
        found.split(' ').any(|name| name == "fra") && !found.contains('$') && !found.contains('*'),
        "{found}"
    );
    assert!(!mark.exists(), "a name was run");
}
