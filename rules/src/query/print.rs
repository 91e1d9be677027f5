//! Prints a query so that parsing it gives the same query back. Refuses to remember brackets and quotes that change
//! nothing.

use std::fmt::{Display, Formatter, Result, Write};

use super::Query;

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::And(parts) => join(f, parts, " "),
            Self::Or(parts) => join(f, parts, " OR "),
            Self::Not(part) => {
                f.write_str("NOT ")?;
                operand(f, part)
            }
            Self::Term(term) => self::term(f, term),
            Self::Prefix(stem) => {
                self::term(f, stem)?;
                f.write_char('*')
            }
            Self::Tag(tag) => {
                f.write_char('#')?;
                self::term(f, tag)
            }
            Self::Name(name) => {
                f.write_char('@')?;
                self::term(f, name)
            }
            Self::Cased(text) => {
                f.write_str("case:")?;
                self::term(f, text)
            }
            Self::Fuzzy(text) => {
                f.write_str("fuzzy:")?;
                self::term(f, text)
            }
            Self::Near { ordered, distance, sides } => {
                operand(f, &sides[0])?;
                write!(f, " {}NEAR/{distance} ", if *ordered { "O" } else { "" })?;
                operand(f, &sides[1])
            }
            Self::Count(least, part) => {
                operand(f, part)?;
                write!(f, "{{{least}}}")
            }
            Self::Title(part) => write!(f, "title:({part})"),
            Self::FollowersBetween(least, most) => write!(f, "followers:{least}..{most}"),
            Self::Field(field, value) => {
                write!(f, "{}:", field.as_str())?;
                let plain = |c: char| c.is_alphanumeric() || "-_+./:*@&?=%".contains(c);
                if value.chars().all(plain) { f.write_str(value) } else { quoted(f, value) }
            }
            Self::List(name) => write!(f, "list:{name}"),
            Self::Platform(platform) => write!(f, "platform:{platform}"),
            Self::Lang(lang) => write!(f, "lang:{lang}"),
            Self::Kind(kind) => write!(f, "kind:{kind}"),
            Self::Verified(verified) => write!(f, "verified:{verified}"),
            Self::Followers(comparison, limit) => write!(f, "followers{}{limit}", comparison.as_str()),
        }
    }
}

fn join(f: &mut Formatter<'_>, parts: &[Query], between: &str) -> Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        operand(f, part)?;
    }
    Ok(())
}

fn operand(f: &mut Formatter<'_>, part: &Query) -> Result {
    if matches!(part, Query::And(_) | Query::Or(_) | Query::Near { .. }) {
        write!(f, "({part})")
    } else {
        part.fmt(f)
    }
}

/// Bare when it is plainly one word, else quoted.
fn term(f: &mut Formatter<'_>, term: &str) -> Result {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '+' | '.');
    let operator = matches!(term, "AND" | "OR" | "NOT" | "NEAR" | "ONEAR");
    if !term.is_empty() && term.chars().all(plain) && !operator {
        return f.write_str(term);
    }
    quoted(f, term)
}

fn quoted(f: &mut Formatter<'_>, term: &str) -> Result {
    f.write_char('"')?;
    for c in term.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}
