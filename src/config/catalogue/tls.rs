//! Keys of `meridian.yaml` about TLS: the certificate of encrypted transports, and that of the
//! admin address with the tokens and client certificates that permit changes over it.

use super::*;

/// Certificate and key.
pub(super) static TLS: KeySection = KeySection {
    id: "tls",
    title: "",
    about: "Keys of `tls`:",
    block: "",
    entries: &[
        entry(
            "certificate",
            &PATH,
            REQUIRED,
            "a file in PEM with the certificate of this server, then those of its issuers",
            "tls/fullchain.pem",
        ),
        entry(
            "key",
            &PATH,
            REQUIRED,
            "a file in PEM with the private key of the certificate, without a passphrase: P-256, P-384, \
             Ed25519, or RSA of 2048 bits or more",
            "tls/privkey.pem",
        ),
    ],
    others: Others::None,
    notes: "Both files are read at every reload, and new connections then get the new certificate. \
        A pair that cannot be used refuses the reload, and the old pair stays in service. \
        [operate.md](operate.md#dns-over-tls) explains how to renew certificates.",
};

/// Access to the admin address.
pub(super) static ADMIN: KeySection = KeySection {
    id: "admin",
    title: "",
    about: "Keys of `admin`:",
    block: "",
    entries: &[
        entry(
            "tls",
            &Shape::Map(&TLS),
            REQUIRED,
            "the certificate of the admin address, which may be that of `tls`",
            "{ certificate: tls/fullchain.pem, key: tls/privkey.pem }",
        ),
        entry(
            "tokens",
            &PATH,
            NONE,
            "a file with up to 64 tokens that permit changes: on each line the name of the holder, which \
             becomes the author of overrides, and a token of 32 characters or more; `#` begins a comment",
            "tls/admin.tokens",
        ),
        entry(
            "client_ca",
            &PATH,
            NONE,
            "a file in PEM with the authority whose client certificates permit changes",
            "tls/admin-ca.pem",
        ),
    ],
    others: Others::None,
    notes: "The files are read at every reload, and new connections then get the new certificate, tokens \
        and authority. No token is ever logged or shown. [control.md](control.md#remote-control) explains \
        remote control.",
};
