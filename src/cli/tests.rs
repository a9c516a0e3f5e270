//! Tests of `cli`.

use super::*;
use clap::CommandFactory;

/// The option wins over the variable, the variable over the usual places, and the current folder
/// over the installed file.
#[test]
fn the_server_file_is_looked_for_in_order() {
    let config = |words: &[&str]| {
        let words = ["meridian", "check"].iter().chain(words).map(OsString::from);
        match Arguments::try_parse_from(words).expect("sound arguments").command {
            CliCommand::Check(check) => check.config.path(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(config(&["--config", "a.yaml"]), Path::new("a.yaml"));
    assert_eq!(config(&["-c", "b.yaml"]), Path::new("b.yaml"));
    assert_eq!(named_by(Some("c.yaml".into())), Some("c.yaml".into()));
    assert_eq!(named_by(Some("".into())), None);
    assert_eq!(named_by(None), None);
    let rows: [(&[&str], Option<&str>); 4] = [
        (&[HERE, INSTALLED], Some(HERE)),
        (&[HERE], Some(HERE)),
        (&[INSTALLED], Some(INSTALLED)),
        (&[], None),
    ];
    for (there, expected) in rows {
        let first = found(|place| there.iter().any(|path| Path::new(path) == place));
        assert_eq!(first, expected.map(PathBuf::from), "{there:?}");
    }
}

/// The tree of commands is one that clap accepts, and every command has its help with an
/// example.
#[test]
fn the_tree_is_sound() {
    Arguments::command().debug_assert();
    for command in Arguments::command().get_subcommands() {
        assert!(command.get_about().is_some(), "{} has no help", command.get_name());
        let after = command
            .get_after_help()
            .or(command.get_after_long_help())
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(after.contains("Example"), "{} has no example", command.get_name());
    }
}
