//! Certificates that webpki refuses under names of its own, and what a probe says of them.

use super::secure::{DAY, V1, V1_KEY, asked, authority, self_signed, showing, showing_chain, signing};
use meridian::testing::health::spec::Verify;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What webpki refuses under names of its own is told in an operator's words. Where the line says
/// that `ca` would trust the certificate, it does.
#[test]
fn refusals_are_in_words() {
    let ours = authority("ours");
    let pinned = |pem: &[u8]| Verify::Pinned(pem.into());
    type Change = fn(&mut CertificateParams);
    let no_change: Change = |_| {};
    // Changes of the server's certificate, of an issuer between it and `ours`, and the refusal.
    let rows: [(Change, Option<Change>, &str, bool); 8] = [
        (no_change, Some(|issuer| issuer.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)), "", false),
        (
            |own| own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
            None,
            "it is that of an authority (CA:TRUE), not of a server: `ca` trusts it by a file that holds \
            itself, not only its issuer",
            true,
        ),
        (
            |own| own.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth],
            None,
            "it, or one of its issuers, is not for servers (extended key usage)",
            false,
        ),
        (
            |own| {
                let mut odd = rcgen::CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 9], vec![5, 0]);
                odd.set_criticality(true);
                own.custom_extensions = vec![odd];
            },
            None,
            "it, or one of its issuers, has a critical extension that is not known here",
            false,
        ),
        (
            no_change,
            Some(|issuer| issuer.is_ca = IsCa::ExplicitNoCa),
            "the certificate of an issuer is not that of an authority (CA:TRUE)",
            false,
        ),
        (
            no_change,
            Some(|issuer| {
                issuer.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                issuer.name_constraints = Some(rcgen::NameConstraints {
                    permitted_subtrees: vec![rcgen::GeneralSubtree::DnsName("else.example".to_owned())],
                    excluded_subtrees: Vec::new(),
                });
            }),
            "an issuer is not allowed to sign for its names (name constraints)",
            false,
        ),
        (
            no_change,
            Some(|issuer| {
                issuer.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                issuer.not_after = date_time_ymd(2020, 1, 1);
            }),
            "an issuer of it has expired",
            false,
        ),
        (
            no_change,
            Some(|issuer| {
                issuer.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                issuer.not_before = date_time_ymd(4000, 1, 1);
            }),
            "an issuer of it is not valid yet (see the clocks of both)",
            false,
        ),
    ];
    for (change, between, wanted, is_trusted_itself) in rows {
        let mut params = CertificateParams::new(vec!["www.example".to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "www.example");
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let (certificate, chain) = match between {
            None => {
                let certificate = params.signed_by(&key, &ours.issuer).unwrap();
                let chain = vec![certificate.der().clone()];
                (certificate, chain)
            }
            Some(change) => {
                let mut issuer = CertificateParams::new(Vec::new()).unwrap();
                issuer.distinguished_name.push(DnType::CommonName, "between");
                change(&mut issuer);
                let issuer_key = KeyPair::generate().unwrap();
                let shown = issuer.signed_by(&issuer_key, &ours.issuer).unwrap();
                let certificate = params.signed_by(&key, &Issuer::new(issuer, issuer_key)).unwrap();
                let chain = vec![certificate.der().clone(), shown.der().clone()];
                (certificate, chain)
            }
        };
        let server = showing_chain(chain, signing(&key.serialize_der()), false);
        let wanted = if wanted.is_empty() { String::new() } else { format!("certificate: {wanted}") };
        assert_eq!(asked(server, "www.example", pinned(&ours.pem)), wanted);
        if is_trusted_itself {
            assert_eq!(asked(server, "www.example", pinned(certificate.pem().as_bytes())), "", "{wanted}");
        }
    }
    // Version 1, by another file than its own: `a_pinned_certificate_of_version_1_is_trusted`.
    let der = CertificateDer::from_pem_slice(V1).unwrap();
    let key = rustls::crypto::ring::sign::any_supported_type(&PrivateKeyDer::from_pem_slice(V1_KEY).unwrap());
    let server = showing(&der, key.unwrap(), false);
    assert_eq!(
        asked(server, "www.example", pinned(&ours.pem)),
        "certificate: it, or one of its issuers, is not of X.509 version 3: `ca` trusts it by a file that \
        holds itself, not only its issuer"
    );
    // By the system's roots, signed by itself: the way out is `ca`.
    for is_ca in [true, false] {
        let (certificate, key) = self_signed(is_ca, true, 30 * DAY);
        let server = showing(certificate.der(), signing(&key.serialize_der()), false);
        let said = asked(server, "www.example", Verify::System);
        assert!(
            said == "certificate: it is signed by itself: not among the system's roots; `ca` trusts it by a \
                file that holds it"
                || said.starts_with("this system has no root certificates"),
            "{said}"
        );
    }
}
