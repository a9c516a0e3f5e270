//! Tests of `tls`.

use super::*;
use rcgen::{CertificateParams, KeyPair, SignatureAlgorithm, date_time_ymd};
use std::sync::LazyLock;

/// Certificate and key in PEM, of any algorithm.
fn issue(algorithm: &'static SignatureAlgorithm) -> (String, String) {
    let key = KeyPair::generate_for(algorithm).expect("a key");
    let mut params = CertificateParams::new(vec!["dns.example".to_owned()]).expect("a name");
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2040, 1, 2));
    (params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
}

/// Certificate and key of P-256 in PEM, valid from 2020-01-01 to 2040-01-02.
pub(crate) static PAIR: LazyLock<(String, String)> = LazyLock::new(|| issue(&rcgen::PKCS_ECDSA_P256_SHA256));

/// A pair that ends at this time, without regard to the certificate.
pub(crate) fn valid_between(not_before: i64, not_after: i64) -> Pair {
    let (certificate, key) = &*PAIR;
    let pair = Pair::read(certificate.as_bytes(), key.as_bytes()).expect("a pair");
    Pair { not_before, not_after, ..pair }
}

#[test]
fn pairs_are_read() {
    for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519] {
        let (certificate, key) = issue(algorithm);
        let pair = Pair::read(certificate.as_bytes(), key.as_bytes()).expect("a pair");
        assert_eq!((pair.not_before, pair.not_after), (1_577_836_800, 2_209_075_200), "{algorithm:?}");
        assert!(!pair.is_valid_at(1_577_836_799) && pair.is_valid_at(1_577_836_800), "{algorithm:?}");
        assert!(pair.is_valid_at(2_209_075_199) && !pair.is_valid_at(2_209_075_200), "{algorithm:?}");
        // Both in one file, in any order, behind a byte order mark.
        for both in [format!("{key}{certificate}"), format!("\u{feff}{certificate}\r\n{key}")] {
            let read = Pair::read(both.as_bytes(), both.as_bytes()).expect("a pair");
            assert!(read.is_like(&pair), "{algorithm:?}");
        }
    }
}

#[test]
fn faults_are_told_apart() {
    let (certificate, key) = &*PAIR;
    let (other, other_key) = issue(&rcgen::PKCS_ECDSA_P256_SHA256);
    let cut = key.replacen("MIG", "!", 1);
    let chain = format!("{other}{certificate}");
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let rows: [(&str, &str, &str, &str); 9] = [
        ("no certificate", "", key, "Certificate(\"holds no certificate\")"),
        ("a key for a certificate", key, key, "Certificate(\"holds no certificate but a PRIVATE KEY\")"),
        ("no key", certificate, "", "Key(\"holds no private key in PEM\")"),
        ("a certificate for a key", certificate, certificate, "Key(\"holds no private key in PEM\")"),
        ("a damaged key", certificate, &cut, "Key(\"has a private key that cannot be read\")"),
        ("a passphrase", certificate, &encrypted, "Key(\"has a private key that is encrypted with a "),
        ("the key of another", certificate, &other_key, "Mismatch { is_out_of_order: false }"),
        ("another order", &chain, key, "Mismatch { is_out_of_order: true }"),
        ("a damaged chain", &certificate[..200], key, "Certificate(\"has a certificate without an end"),
    ];
    for (what, certificate, key, fault) in rows {
        let read = Pair::read(certificate.as_bytes(), key.as_bytes()).expect_err(what);
        assert!(format!("{read:?}").starts_with(fault), "{what}: {read:?}");
    }
}

/// A pair shows its certificate in a log, and never its key.
#[test]
fn the_key_is_not_shown() {
    let (certificate, key) = &*PAIR;
    let shown = format!("{:?}", Pair::read(certificate.as_bytes(), key.as_bytes()).expect("a pair"));
    let PrivateKeyDer::Pkcs8(der) = private_key(key.as_bytes()).expect("a key") else { panic!("PKCS #8") };
    // The private scalar of P-256 in PKCS #8, as rcgen writes it.
    let scalar = &der.secret_pkcs8_der()[36..68];
    let list = scalar.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
    let hex: String = scalar.iter().map(|octet| format!("{octet:02x}")).collect();
    assert!(!shown.contains(&list) && !shown.contains(&hex), "{shown}");
}
