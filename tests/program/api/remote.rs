//! Commands of another host: `--server` with a token or a certificate.

use super::{Authority, secured};
use support::deployment::Deployment;
use support::program;

/// Runs `meridian` against an admin address, in the folder of a deployment.
fn run(deployment: &Deployment, url: &str, arguments: &[&str]) -> (i32, String, String) {
    let mut command = program::meridian(arguments);
    command.args(["--server", url]).current_dir(deployment.path(""));
    program::run(command)
}

/// Every command that asks a server works against a remote one, and its refusals have a way out.
#[test]
fn commands_work_against_a_remote_server() {
    let authority = Authority::new();
    let deployment = secured(&authority);
    let served = deployment.serve(&[]);
    let url = format!("https://{}", served.admin());
    let token = ["--ca", "ca.pem", "--token-file", "token"];
    let certificate = ["--ca", "ca.pem", "--certificate", "client.pem", "--key", "client.key"];
    for proof in [&token[..], &certificate] {
        for command in [
            &["pop", "list"][..],
            &["pop", "show", "fra"],
            &["pop", "drain", "fra", "--reason", "r", "--yes"],
            &["pop", "auto", "fra", "--yes"],
            &["policy", "list"],
            &["reload", "--status"],
            &["reload"],
            &["explain", "www.shop.example", "--client", "192.0.2.7"],
        ] {
            let (status, told, errors) = run(&deployment, &url, &[command, proof].concat());
            assert_eq!(status, 0, "{command:?}: {told}{errors}");
        }
    }
    for (arguments, status, words) in [
        (&["pop", "list", "--ca", "ca.pem"][..], 0, ""),
        (&["reload", "--status", "--ca", "ca.pem"], 1, "help: send `Authorization: Bearer TOKEN`"),
        (
            &["reload", "--status", "--ca", "ca.pem", "--token-file", "wrong"],
            1,
            "the token of the request is not valid",
        ),
        (&["reload", "--ca", "ca.pem"], 1, "refused (unauthorized): the request has no token\nhelp: send "),
        (&["pop", "auto", "fra", "--yes", "--ca", "ca.pem"], 1, "refused (unauthorized): "),
        (&["reload", "--token-file", "token"], 2, "TLS: "),
        (&["reload", "--ca", "ca.pem", "--token-file", "none"], 2, "`none` cannot be read"),
    ] {
        let (code, told, errors) = run(&deployment, &url, arguments);
        assert_eq!(code, status, "{arguments:?}: {told}{errors}");
        assert!(errors.contains(words), "{arguments:?}: {errors}");
    }
    // Others can read the file of the token.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(deployment.path("token"), open).expect("ours");
    let (_, _, errors) = run(&deployment, &url, &[&["pop", "list"][..], &token].concat());
    assert!(errors.contains("note: every user of this machine may read or write `token`"), "{errors}");
    // A check is of the files here, which no other host has.
    let (code, _, errors) = run(&deployment, &url, &["check", "--diff"]);
    assert!(code == 2 && errors.contains("--server"), "{errors}");
    for (url, words) in [
        (format!("http://{}", served.admin()), "over https alone"),
        ("ftp://localhost".to_owned(), "is not a URL"),
        ("https://localhost/v1".to_owned(), "is not a URL"),
        ("https://user@localhost".to_owned(), "is not a URL"),
    ] {
        let (code, _, errors) = run(&deployment, &url, &["reload", "--token-file", "token"]);
        assert_eq!(code, 2, "{errors}");
        assert!(errors.contains(words), "{url}: {errors}");
    }
}

/// What only reads works over plain HTTP, without any proof.
#[test]
fn plain_http_lists_pops() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let served = deployment.serve(&[]);
    let url = format!("http://{}", served.admin());
    let (status, told, errors) = run(&deployment, &url, &["pop", "list"]);
    assert_eq!(status, 0, "{errors}");
    assert!(told.contains("fra"), "{told}");
    let explain = ["explain", "www.shop.example", "--ecs", "198.51.100.0/24", "--down", "fra"];
    let (status, told, errors) = run(&deployment, &url, &explain);
    assert_eq!(status, 0, "{errors}");
    let (_, by_socket, _) = deployment.run(&explain);
    // The draw for the order of addresses and the time may differ, but no step.
    let steps = |text: &str| {
        let lines = text.lines().skip(1).map(str::to_owned);
        lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>()
    };
    assert_eq!(steps(&told), steps(&by_socket));
    assert!(told.contains("supposed   down by probes: fra"), "{told}");
    let (status, _, errors) = run(&deployment, &url, &["reload", "--status"]);
    assert_eq!(status, 1, "{errors}");
    assert!(errors.contains("over TLS only"), "{errors}");
}
