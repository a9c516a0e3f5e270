//! Tests of `pem`.

use super::*;

const V1: &str = include_str!("../../../tests/program/probes/certificates/v1.pem");
const P521: &str = include_str!("../../../tests/program/probes/certificates/p521.pem");

/// Files, with the number of certificates or the error.
#[test]
fn files_of_certificates() {
    let lines: Vec<&str> = V1.lines().collect();
    let body = lines[1..lines.len() - 1].join("\n");
    let labelled =
        |label: &str, body: &str| format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
    let rows: Vec<(Vec<u8>, Result<usize, &str>)> = vec![
        (V1.into(), Ok(1)),
        (format!("{V1}{P521}").into(), Ok(2)),
        (format!("\u{feff}{V1}").into(), Ok(1)),
        (format!("{V1}\u{feff}{P521}").into(), Ok(2)),
        (V1.replace('\n', "\r\n").into(), Ok(1)),
        (V1.replace('\n', "\r").into(), Ok(1)),
        (format!("subject=CN = x\n  {}  \n", V1.replace('\n', "  \n  ")).into(), Ok(1)),
        (labelled("X509 CERTIFICATE", &body).into(), Ok(1)),
        (labelled("CERTIFICATE", &body.replace('\n', "")).into(), Ok(1)),
        (format!("{}{V1}", labelled("PRIVATE KEY", "MA==")).into(), Ok(1)),
        ("".into(), Err("holds no certificate")),
        ("hello\n".into(), Err("holds no certificate")),
        (labelled("PRIVATE KEY", "MA==").into(), Err("holds no certificate but a PRIVATE KEY")),
        (b"\x30\x82\x01\x02".to_vec(), Err("holds no certificate in PEM but binary data, perhaps DER")),
        (b"\xff\xfe-\0".to_vec(), Err("holds no certificate that can be read: it is UTF-16 text")),
        (labelled("CERTIFICATE", "MA==").into(), Err("has a certificate that cannot be read (line 1)")),
        (labelled("CERTIFICATE", "!!").into(), Err("has a certificate with broken Base64 (line 1)")),
        (labelled("CERTIFICATE", &body[1..]).into(), Err("has a certificate with broken Base64 (line 1)")),
        (format!("{}{V1}", V1.trim_end()).into(), Err("has more behind the end of a certificate (line 8)")),
        (V1[..V1.len() - 30].into(), Err("has a certificate without an end (line 1)")),
        (format!("{}\n{V1}", &V1[..60]).into(), Err("has a certificate without an end (line 1)")),
    ];
    for (text, wanted) in rows {
        let read = certificates(&text).map(|found| found.len());
        assert_eq!(read, wanted.map_err(str::to_owned), "{}", text.escape_ascii());
    }
    assert!(has_private_key(labelled("EC PRIVATE KEY", "MA==").as_bytes()));
    assert!(!has_private_key(V1.as_bytes()));
}
