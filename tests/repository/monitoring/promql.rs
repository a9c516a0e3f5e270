//! Names in PromQL: the metrics of an expression, the labels beside each, and the labels of its
//! groupings. Only as much of the language is read as that needs.

/// Words with a meaning of their own, which are no metrics.
const KEYWORDS: [&str; 5] = ["and", "or", "unless", "bool", "offset"];
/// Words before a list of labels.
const GROUPINGS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

/// Names in an expression.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Metrics, each with the labels of its matchers.
    pub metrics: Vec<(String, Vec<String>)>,
    /// Labels of groupings.
    pub grouped: Vec<String>,
}

/// Reads the names of an expression, or of a query of a dashboard's variable.
pub fn names(expression: &str) -> Names {
    let tokens = tokens(expression);
    let (mut names, mut at) = (Names::default(), 0);
    while let Some(token) = tokens.get(at) {
        at += 1;
        let Token::Word(word) = token else { continue };
        let next = tokens.get(at);
        if GROUPINGS.contains(&word.as_str()) {
            names.grouped.extend(list(&tokens, &mut at, ')'));
        } else if next == Some(&Token::Sign('{')) {
            names.metrics.push((word.clone(), list(&tokens, &mut at, '}')));
        } else if word == "label_values" {
            variable(&tokens, &mut at, &mut names);
        } else if !is_function(next) && !KEYWORDS.contains(&word.as_str()) {
            names.metrics.push((word.clone(), Vec::new()));
        }
    }
    names
}

/// True if the word before is a function, or an aggregation with its labels first.
fn is_function(next: Option<&Token>) -> bool {
    match next {
        Some(Token::Sign(sign)) => *sign == '(',
        Some(Token::Word(word)) => word == "by" || word == "without",
        None => false,
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Sign(char),
}

/// Words and signs, without strings, numbers, durations and variables of the dashboard.
fn tokens(expression: &str) -> Vec<Token> {
    let is_of_word = |c: &char| c.is_ascii_alphanumeric() || *c == '_' || *c == ':';
    let mut chars = expression.chars().peekable();
    let mut found = Vec::new();
    while let Some(first) = chars.next() {
        match first {
            '"' | '\'' => while chars.next().is_some_and(|c| c != first) {},
            '$' | '0'..='9' => while chars.next_if(is_of_word).is_some() {},
            c if c.is_whitespace() => {}
            c if is_of_word(&c) => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(is_of_word) {
                    word.push(c);
                }
                found.push(Token::Word(word));
            }
            sign => found.push(Token::Sign(sign)),
        }
    }
    found
}

/// Words up to a closing sign.
fn list(tokens: &[Token], at: &mut usize, end: char) -> Vec<String> {
    let mut words = Vec::new();
    while let Some(token) = tokens.get(*at) {
        *at += 1;
        match token {
            Token::Sign(sign) if *sign == end => break,
            Token::Word(word) => words.push(word.clone()),
            Token::Sign(_) => {}
        }
    }
    words
}

/// `label_values(metric{matchers}, label)`: the label is one of the metric.
fn variable(tokens: &[Token], at: &mut usize, names: &mut Names) {
    let words = list(tokens, at, ')');
    if let [metric, labels @ ..] = words.as_slice() {
        names.metrics.push((metric.clone(), labels.to_vec()));
    }
}

#[test]
fn names_are_found() {
    let read = |expression: &str| {
        let Names { metrics, grouped } = names(expression);
        let metrics = metrics.into_iter().map(|(name, labels)| format!("{name}{labels:?}"));
        (metrics.collect::<Vec<_>>().join(" "), grouped.join(" "))
    };
    for (expression, metrics, grouped) in [
        ("a == 0", "a[]", ""),
        ("sum by (x, le) (rate(a{b=\"c d\", e=~'f'}[5m])) > 0.05 * b", r#"a["b", "e"] b[]"#, "x le"),
        ("count(count by (d) (a)) > 1 or vector(0)", "a[]", "d"),
        ("a - time() < 14 * 86400", "a[]", ""),
        ("a * on (x) group_left (y) b offset 1h", "a[] b[]", "x y"),
        ("rate(a{b=~\"$job\"}[$__rate_interval])", r#"a["b"]"#, ""),
        ("label_values(a{b=\"c\"}, d)", r#"a["b", "d"]"#, ""),
        ("label_values(a, d)", r#"a["d"]"#, ""),
    ] {
        assert_eq!(read(expression), (metrics.to_owned(), grouped.to_owned()), "{expression}");
    }
}
