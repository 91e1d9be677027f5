//! Entries of word lists: one term each, written as in a query. Refuses operators and fields: a list is words, a query
//! joins them.

use super::{Query, QueryFault, lexer, sound};

const ONE_TERM: &str = "an entry of a word list is one term: a word, a phrase, `recall*`, `#tag`, `@name`, `case:\"…\"` or `fuzzy:…`; to search for it as it stands, quote it, as in '\"…\"'";

impl Query {
    /// Parses an entry of a word list: one term of any kind. Words without quotes are one phrase, where a query would
    /// ask for each.
    ///
    /// # Errors
    /// Every fault found, in order of place.
    pub fn parse_entry(text: &str) -> Result<Self, Vec<QueryFault>> {
        let length = text.chars().count();
        let fault = |message: &str| vec![QueryFault { start: 0, end: length, message: message.to_owned() }];
        let mut unclosed = Vec::new();
        let tokens = lexer::tokens(text, &mut unclosed);
        let words = tokens.iter().all(|token| matches!(token.kind, lexer::TokenKind::Word(_)));
        if unclosed.is_empty() && words && tokens.len() > 1 {
            for part in text.split_whitespace() {
                // A sign alone, as in `A & B`, is fine within a phrase.
                let plain = part.chars().all(|c| !c.is_alphanumeric() && !matches!(c, '#' | '@' | '*'))
                    || is_plain(part);
                if !plain {
                    return Err(fault(ONE_TERM));
                }
            }
            return Self::checked(Self::Term(text.trim().to_owned())).map_err(fault);
        }
        match Self::parse_unanchored(text) {
            Ok(query) if query.is_term() => Self::checked(query).map_err(fault),
            Ok(_) => Err(fault(ONE_TERM)),
            Err(faults) => Err(faults),
        }
    }

    /// What a match of this term is called: its text as written where that is all there is to it, else the term as a
    /// query.
    pub fn label(&self) -> String {
        match self {
            Self::Term(text) | Self::Cased(text) => text.clone(),
            query => query.to_string(),
        }
    }

    fn is_term(&self) -> bool {
        !matches!(self, Self::Or(_) | Self::List(_)) && self.terms().is_some()
    }

    fn checked(self) -> Result<Self, &'static str> {
        if let Self::Term(text) | Self::Cased(text) | Self::Prefix(text) = &self {
            sound::check_term(text)?;
        }
        Ok(self)
    }
}

/// Whether a word means itself in a query.
fn is_plain(word: &str) -> bool {
    matches!(Query::parse_unanchored(word), Ok(Query::Term(term)) if term == word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::query::tests::queries;

    #[test]
    fn entries_are_one_term_each() {
        let term = |text: &str| Query::Term(text.to_owned());
        for (text, expected) in [
            ("漏水", term("漏水")),
            ("12315", term("12315")),
            ("food poisoning", term("food poisoning")),
            ("terms and conditions", term("terms and conditions")),
            ("Marks & Spencer", term("Marks & Spencer")),
            ("C++", term("C++")),
            ("10:30", term("10:30")),
            ("💩", term("💩")),
            ("C 语言", term("C 语言")),
            ("\"AND\"", term("AND")),
            ("「不退 款」", term("不退 款")),
            ("\"recall* now\"", term("recall* now")),
            ("recall*", Query::Prefix("recall".to_owned())),
            ("\"food poison\"*", Query::Prefix("food poison".to_owned())),
            ("#召回#", Query::Tag("召回".to_owned())),
            ("#茶", Query::Tag("茶".to_owned())),
            ("@acme", Query::Name("acme".to_owned())),
            ("case:US", Query::Cased("US".to_owned())),
            ("case:\"Air Tag\"", Query::Cased("Air Tag".to_owned())),
        ] {
            let entry = Query::parse_entry(text);
            assert_eq!(entry.as_ref(), Ok(&expected), "{text}");
            assert_eq!(Query::parse_entry(&expected.to_string()), entry, "{text}");
        }
    }

    #[test]
    fn what_is_no_term_is_refused_with_its_place() {
        let mut shown = String::new();
        for text in [
            "",
            "茶",
            "case:C",
            "a*",
            "!!!",
            "aa OR bb",
            "tea AND poison",
            "NOT tea",
            "tea NEAR/3 poison",
            "退款{3}",
            "list:other",
            "platform:weibo",
            "followers>=10",
            "platfrom:weibo",
            "(tea)",
            "iPhone (2nd)",
            "say \"no\"",
            "\"tea",
            "recall* now",
            "tea #recall",
            "奶茶*",
            "title:tea",
            "AND",
        ] {
            // A bracket around one term changes nothing, in a query as here.
            match Query::parse_entry(text) {
                Ok(query) => shown.push_str(&format!("{text:?}\n  is {query}\n")),
                Err(faults) => {
                    shown.push_str(&format!("{text:?}\n"));
                    for fault in &faults {
                        assert!(
                            fault.start <= fault.end && fault.end <= text.chars().count(),
                            "{text}: {fault:?}"
                        );
                        shown.push_str(&format!("  {}..{} {}\n", fault.start, fault.end, fault.message));
                    }
                }
            }
        }
        insta::assert_snapshot!(shown);
    }

    proptest! {
        #[test]
        fn printing_and_parsing_give_the_same_entry(query in queries()) {
            let text = query.to_string();
            match Query::parse_entry(&text) {
                // in a list, plain words side by side are one phrase
                Ok(entry) if matches!(query, Query::And(_)) => prop_assert_eq!(entry, Query::Term(text)),
                Ok(entry) => prop_assert_eq!(entry, query, "{}", text),
                Err(_) => {
                    let one = !matches!(query, Query::Or(_) | Query::List(_)) && query.terms().is_some();
                    prop_assert!(!one || query.clone().checked().is_err(), "{}", text);
                }
            }
        }

        #[test]
        fn any_entry_is_judged_without_panic(text in "\\PC{0,20}|([ a茶#@*:\"()]|case:|NEAR/2|OR| ){0,9}") {
            if let Ok(entry) = Query::parse_entry(&text) {
                prop_assert_eq!(Query::parse_entry(&entry.to_string()), Ok(entry));
            }
        }
    }
}
