//! Tests of `cli::completions`.

use super::*;

/// The line of each row, and whether its next word is a PoP.
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
    ];
    for words in all {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        let config = Line::read(&words).config;
        let is_option_here = words[1] != "-c";
        assert_eq!(config, is_option_here.then(|| "a.yaml".into()), "{words:?}");
    }
}

/// The scripts are made by another hand; the place where PoPs come in is still there.
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
