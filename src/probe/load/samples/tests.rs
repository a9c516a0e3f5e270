//! Pages of metrics in the text format of Prometheus, sound and broken.

use super::*;

/// Sum of `load` over some labels, of a page in pieces of `piece` octets.
fn sum_in(page: &[u8], labels: &[(&str, &str)], piece: usize) -> Result<f64, String> {
    let labels: Vec<(Arc<str>, Arc<str>)> =
        labels.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let mut samples = Samples::new("load", &labels);
    for octets in page.chunks(piece) {
        assert!(!samples.take(octets)?);
    }
    samples.end()?;
    samples.sum()
}

fn sum_of(page: &str, labels: &[(&str, &str)]) -> Result<f64, String> {
    let whole = sum_in(page.as_bytes(), labels, usize::MAX);
    for piece in [1, 7] {
        assert_eq!(sum_in(page.as_bytes(), labels, piece), whole, "{page:?} in pieces of {piece}");
    }
    whole
}

/// Pages, wanted labels, and the sum or the error.
#[test]
fn pages() {
    let several = "# HELP load Requests \\ per second.\n# TYPE load gauge\nload{host=\"a\",code=\"200\"} 10\n\
                   load{host=\"a\",code=\"500\"} 1 1395066363000\nother{host=\"a\"} 1e9\n\nload{ host = \
                   \"b\" , code=\"200\", } +2.5e1 \r\n";
    type Row<'r> = (&'r str, &'r [(&'r str, &'r str)], Result<f64, &'r str>);
    let rows: Vec<Row<'_>> = vec![
        ("load 417\n", &[], Ok(417.0)),
        ("  load\t417\n", &[], Ok(417.0)),
        ("load{} 417\n", &[], Ok(417.0)),
        ("load 417 # {trace=\"x\"} 1\n", &[], Ok(417.0)),
        ("load -0\n", &[], Ok(0.0)),
        (several, &[], Ok(36.0)),
        (several, &[("host", "a")], Ok(11.0)),
        (several, &[("code", "200")], Ok(35.0)),
        (several, &[("host", "a"), ("code", "200")], Ok(10.0)),
        (several, &[("host", "c")], Err("none of the 3 samples of \"load\" has these labels")),
        ("load 1\nload{host=\"a\"} 2\n", &[("host", "")], Ok(1.0)),
        // Escapes, and values that look like the end of the labels.
        ("load{a=\"x\\\\y\\\"z\\n\"} 1\n", &[("a", "x\\y\"z\n")], Ok(1.0)),
        ("load{a=\"} 9 #,\",b=\"{\"} 1\n", &[("b", "{")], Ok(1.0)),
        ("load{a=\"\u{e9}\"} 1\n", &[("a", "\u{e9}")], Ok(1.0)),
        // Other metrics, well formed or not.
        ("load_total 5\nloads 6\nloa 7\n# load 8\nload:x 9\nload 1\n", &[], Ok(1.0)),
        ("garbage {{{\n\u{0}\nload 1\n", &[], Ok(1.0)),
        ("load_total 5\n", &[], Err("the page has no metric \"load\"")),
        ("", &[], Err("the page has no metric \"load\"")),
        // A byte order mark, and values that are no load.
        ("\u{feff}load 41\r\n", &[], Ok(41.0)),
        ("load NaN\n", &[], Err("a sample of \"load\" is not a number (NaN)")),
        ("load +Inf\n", &[], Err("a sample of \"load\" is infinite or too large (over 1.7e308)")),
        ("load 1e308\nload 1e308\n", &[], Err("the sum of \"load\" is infinite or too large (over 1.7e308)")),
        ("load -1\n", &[], Err("a sample of \"load\" is negative")),
        ("load\n", &[], Err("a sample of \"load\" has no value")),
        ("load{a=\"b\"}\n", &[], Err("a sample of \"load\" has no value")),
        ("load many\n", &[], Err("a sample of \"load\" has the value \"many\", which is no number")),
        ("load 1 soon\n", &[], Err("a sample of \"load\" has \"soon\" behind its value")),
        // A sample with other labels may have any value.
        ("load{a=\"b\"} NaN\nload{a=\"c\"} 1\n", &[("a", "c")], Ok(1.0)),
        // Malformed labels.
        ("load{a=\"b} 1\n", &[], Err("a sample of \"load\" has labels that cannot be read")),
        ("load{a=b} 1\n", &[], Err("a sample of \"load\" has labels that cannot be read")),
        ("load{=\"b\"} 1\n", &[], Err("a sample of \"load\" has labels that cannot be read")),
        ("load{a=\"b\"c=\"d\"} 1\n", &[], Err("a sample of \"load\" has labels that cannot be read")),
        ("load{a=\"\\t\"} 1\n", &[], Err("a sample of \"load\" has labels that cannot be read")),
        ("load{,} 1\n", &[], Err("a sample of \"load\" has labels that cannot be read")),
        ("load{\n", &[], Err("a sample of \"load\" has labels that cannot be read")),
        ("load{a=\"b\",a=\"c\"} 1\n", &[("a", "b")], Err("a sample of \"load\" has the label \"a\" twice")),
        // Unwanted labels and values are not examined.
        ("load{a=\"b\",a=\"c\"} 1\n", &[], Ok(1.0)),
        ("load{a=\"b\"} many\nload{a=\"c\"} 1\n", &[("a", "c")], Ok(1.0)),
        ("load 0x10\n", &[], Err("a sample of \"load\" has the value \"0x10\", which is no number")),
        ("load 1e3\n", &[], Ok(1_000.0)),
        ("load 1e999\n", &[], Err("a sample of \"load\" is infinite or too large (over 1.7e308)")),
        // A truncated page.
        ("load 1\nload 41", &[], Err("the page ends within a sample of \"load\"")),
        ("load 1\nlo", &[], Err("the page ends within a sample of \"load\"")),
        ("load 1\nother 41", &[], Ok(1.0)),
        ("load 1\n# EOF", &[], Ok(1.0)),
    ];
    for (page, labels, wanted) in rows {
        assert_eq!(sum_of(page, labels), wanted.map_err(str::to_owned), "{page:?} {labels:?}");
    }
}

/// Long lines and long pages cost no more memory than short ones.
#[test]
fn lengths_are_bounded() {
    let long = "x".repeat(FEED_LINE_OCTETS_MAX);
    assert_eq!(sum_of(&format!("other{{a=\"{long}\"}} 5\nload 1\n"), &[]), Ok(1.0));
    assert_eq!(
        sum_of(&format!("load{{a=\"{long}\"}} 5\n"), &[]),
        Err("a sample of \"load\" has more than 16 KiB".into())
    );
    let mut samples = Samples::new("load", &[]);
    let line = format!("{long}\n");
    let taken = (0..).map(|_| samples.take(line.as_bytes())).find_map(Result::err).unwrap();
    assert_eq!(taken, "the page has more than 8 MiB");
    assert!(samples.line.capacity() <= 2 * FEED_LINE_OCTETS_MAX);
}

/// Each label is looked up once, and the number of added values is limited.
#[test]
fn the_work_is_linear() {
    let wanted: Vec<(Arc<str>, Arc<str>)> =
        (0..64).map(|label| (format!("a{label}").into(), "".into())).collect();
    let mut samples = Samples::new("load", &wanted);
    let labels: String = (0..1_500).map(|label| format!("b{label}=\"\",")).collect();
    let page = format!("load{{{labels}}} 1\n").repeat(100);
    samples.take(page.as_bytes()).unwrap();
    assert_eq!(samples.looked_up, 100 * 1_500, "once each");
    assert_eq!(samples.sum(), Ok(100.0));
    let many = "load 1\n".repeat(FEED_SAMPLES_MAX + 1);
    assert_eq!(sum_of(&many, &[]), Err("a sample of \"load\" is one of more than 10000".into()));
    let long = format!("load 1{}\n", "0".repeat(64));
    assert_eq!(sum_of(&long, &[]), Err("a sample of \"load\" has a value of more than 64 octets".into()));
}
