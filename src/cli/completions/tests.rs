//! Tests of `cli::completions`.

use super::*;

/// Command lines; true if the next word is a PoP.
#[test]
fn a_pop_is_asked_for_where_one_fits() {
    let rows = [
        ("", false),
        ("pop", false),
        ("pop list", false),
        ("pop list --tag", false),
        ("pop show", true),
        ("pop show fra", false),
        ("pop drain", true),
        ("pop drain fra", true),
        ("pop drain fra --for", false),
        ("pop drain fra --for 2h", true),
        ("pop drain --yes", true),
        ("pop drain -y", true),
        ("pop drain -c", false),
        ("pop weight", true),
        ("pop weight fra", false),
        ("pop load", true),
        ("pop load fra", false),
        ("explain", false),
        ("explain www.shop.example", false),
        ("explain www.shop.example --down", true),
        ("explain www.shop.example --down =", true),
        ("explain www.shop.example --down iad", false),
        ("policy show", false),
        ("nonsense", false),
    ];
    for (words, expected) in rows {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        assert_eq!(Line::read(&words).asks_for_pop, expected, "{words:?}");
    }
}

#[test]
fn the_server_file_of_the_line_counts() {
    let all = [
        "pop drain --config a.yaml",
        "pop -c a.yaml",
        "pop show --config=a.yaml",
        "pop show --config = a.yaml",
        "pop show -ca.yaml",
        "pop show -c=a.yaml",
        "pop -ca.yaml",
    ];
    for words in all {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        let config = Line::read(&words).config;
        let is_option_here = !words[1].starts_with("-c");
        assert_eq!(config, is_option_here.then(|| "a.yaml".into()), "{words:?}");
    }
}

/// If only a shell could expand the named server file, no other server file takes its place.
#[test]
fn no_other_deployment_is_asked() {
    let words = ["pop", "drain", "-c", "$STAGING/m.yaml"].map(str::to_owned);
    let line = Line::read(&words);
    assert!(line.asks_for_pop);
    assert_eq!(line.server_file(), None);
}

/// Words as they were typed, and the paths that a shell makes of them.
#[test]
fn paths_are_read_as_a_shell_would() {
    let home = std::env::var("HOME").unwrap_or_default();
    let rows = [
        ("a.yaml", Some("a.yaml")),
        ("'my cdn'/a.yaml", Some("my cdn/a.yaml")),
        (r#""my cdn"/a.yaml"#, Some("my cdn/a.yaml")),
        (r"my\ cdn/a.yaml", Some("my cdn/a.yaml")),
        (r#""it\"s""#, Some("it\"s")),
        (r#""a\b""#, Some(r"a\b")),
        (r"'a\b$c'", Some(r"a\b$c")),
        ("/a/~b", Some("/a/~b")),
        ("$HOME/a.yaml", None),
        ("`id`", None),
        (r#""$(id)""#, None),
        ("a*.yaml", None),
        ("{a,b}.yaml", None),
        ("'a*'.yaml", Some("a*.yaml")),
        ("~other/a.yaml", None),
    ];
    for (word, expected) in rows {
        assert_eq!(path_of(word), expected.map(PathBuf::from), "{word}");
    }
    if !home.is_empty() {
        assert_eq!(path_of("~/my\\ cdn.yaml"), Some(PathBuf::from(home).join("my cdn.yaml")));
    }
}

/// clap_complete makes the scripts; each of them still asks the program for PoPs.
#[test]
fn the_scripts_ask_for_pops() {
    assert!(script(Shell::Bash).contains("_meridian() {\n    _meridian_pops \"$1\" && return 0\n"));
    assert!(script(Shell::Zsh).contains("_meridian() {\n    _meridian_pops && return 0\n"));
    assert!(script(Shell::Zsh).starts_with("#compdef meridian\n"));
    assert!(script(Shell::Fish).contains("function __fish_meridian_pops\n"));
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        assert_eq!(script(shell).matches("pop-names -- ").count(), 1, "{shell}");
    }
}
