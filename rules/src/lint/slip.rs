//! Terms that look like an operator of another notation: `or` in small letters, `茶|咖啡`, `-广告`. They are searched for as
//! they stand, which is hardly ever meant. Refuses to judge long phrases, in which such signs are at home.

use super::{Code, Found, brief};
use crate::query::Query;

/// Signs that other products put between alternatives.
const BETWEEN: [char; 5] = ['|', '｜', '、', '，', ','];
/// Most characters between two of them: more is a sentence.
const LONGEST: usize = 8;

/// Every such term of a query.
pub(super) fn slips(query: &Query) -> Vec<Found> {
    let mut found = Vec::new();
    query.visit(&mut |part| {
        if let Query::Term(text) = part
            && let Some(fix) = meant(text)
        {
            let message = format!("{} is searched for as it stands, as a word of the post", brief_term(part));
            found.push(Found::new(Code::OperatorAsText, message, fix));
        }
    });
    found
}

fn brief_term(part: &Query) -> String {
    format!("`{}`", brief(part).trim_matches('"'))
}

/// What was probably meant.
fn meant(text: &str) -> Option<String> {
    // In capitals it was quoted, so meant.
    let operator = text.to_uppercase();
    if operator != text && matches!(&*operator, "AND" | "OR" | "NOT") {
        return Some(format!("for the operator write `{operator}` in capitals"));
    }
    if let Some((name @ ("NEAR" | "ONEAR"), digits)) = operator.split_once('/')
        && operator != text
        && digits.bytes().all(|b| b.is_ascii_digit())
    {
        return Some(format!("for the operator write `{name}/{digits}` in capitals"));
    }
    match text {
        "或" | "或者" => return Some("for either of two write `OR`".to_owned()),
        "和" | "与" | "且" | "并且" => return Some("for both write `AND`, or only a blank".to_owned()),
        "非" | "不含" => return Some("for posts without it write `NOT`".to_owned()),
        _ => {}
    }
    if let Some(rest) = text.strip_prefix(['-', '－', '!', '！'])
        && rest.starts_with(char::is_alphabetic)
    {
        return Some(format!("for posts without it write `NOT {}`", Query::Term(rest.to_owned())));
    }
    let parts: Vec<&str> = text.split(BETWEEN).collect();
    let word = |part: &&str| {
        part.chars().count() <= LONGEST
            && part.chars().any(char::is_alphabetic)
            && !part.contains(char::is_whitespace)
    };
    (parts.len() > 1 && parts.iter().all(word)).then(|| {
        let parts = parts.iter().map(|part| Query::Term((*part).to_owned())).collect();
        format!("for any of them write `{}`", brief(&Query::any(parts)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_an_operator_is_named_with_what_was_meant() {
        for (query, fix) in [
            ("青禾 or 漏水", "for the operator write `OR` in capitals"),
            ("not 青禾", "for the operator write `NOT` in capitals"),
            ("青禾 near/5 漏水", "for the operator write `NEAR/5` in capitals"),
            ("青禾 或 漏水", "for either of two write `OR`"),
            ("青禾 !漏水", "for posts without it write `NOT 漏水`"),
            ("(青禾 -广告) OR 起火", "for posts without it write `NOT 广告`"),
            ("青禾|漏水", "for any of them write `青禾 OR 漏水`"),
            ("起火 NOT 青禾、漏水、Tea", "for any of them write `青禾 OR 漏水 OR Tea`"),
            ("青禾，漏水", "for any of them write `青禾 OR 漏水`"),
        ] {
            let found = slips(&Query::parse(query).expect("valid"));
            let fixes: Vec<&str> = found.iter().map(|found| found.fix.as_str()).collect();
            assert_eq!(fixes, [fix], "{query}");
        }
        for query in [
            "青禾 OR 漏水",
            "\"OR\" 青禾",
            "10,000元",
            "\"Hello, world\"",
            "e-bike -18度",
            "#or 青禾",
            "AT&T",
            "“非常好，下次还会再来光顾这家店”",
        ] {
            assert!(slips(&Query::parse(query).expect("valid")).is_empty(), "{query}");
        }
    }
}
