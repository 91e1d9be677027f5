//! Brandwatch's `name:value`: which have a counterpart, and what to do about those that have none. Refuses to guess a
//! value: a location code is not the name a platform shows.

use super::{
    Parser, clip,
    lexer::{Kind, Token},
};
use crate::{
    mention,
    query::{Comparison, Field, Query},
    spelling::hint,
};

/// Fields that are carried over, in small letters.
const KNOWN: [&str; 23] = [
    "title",
    "raw",
    "author",
    "site",
    "topleveldomain",
    "url",
    "language",
    "lang",
    "continent",
    "country",
    "region",
    "city",
    "hashtags",
    "at_mentions",
    "authorfollowers",
    "reach",
    "reachmin",
    "reachmax",
    "authorverified",
    "authorverifiedtype",
    "engagementtype",
    "followers",
    "state",
];

/// Fields without a counterpart, and what comes near.
const WITHOUT: [(&[&str], &str); 12] = [
    (&["links"], "links within a post are not searched; `url:` is the post's own link"),
    (&["latitude", "longitude"], "posts carry no coordinates; `region:` is what the platform shows"),
    (&["authorgender"], "nothing is known of an author's gender"),
    (
        &[
            "engagingwith",
            "engagingwithguid",
            "guid",
            "parentpostid",
            "rootpostid",
            "parentblogname",
            "rootblogname",
        ],
        "ids of other products mean nothing here; `thread:` is a whole conversation",
    ),
    (
        &[
            "subreddit",
            "redditauthorflair",
            "redditpostflair",
            "redditspoiler",
            "subredditnsfw",
            "subreddittopics",
        ],
        "write `url:reddit.com/r/NAME` for a subreddit; flairs and topics are not known",
    ),
    (
        &["blogname", "weblogtitle", "channelid", "publication"],
        "write `author:` or `url:` with the name here",
    ),
    (
        &["brandids", "objects", "imagetype", "publishersubtype", "pubtype"],
        "images and media types are not searched",
    ),
    (&["rating", "itemreview"], "ratings are not known; `kind:review` finds reviews"),
    (&["minuteofday"], "a query knows no time of day"),
    (&["sensitivecontent"], "whether content is flagged is not known"),
    (&["tags"], "tags beside a text are not known; `#tag` is one written in it"),
    (&["http", "https"], "to search for a link, write `url:` and part of it"),
];

/// Words that say where, in the values of location fields.
const LOCATIONS: [&str; 5] = ["continent", "country", "region", "city", "state"];

impl Parser<'_> {
    /// `name:value`, `name:"value"`, `name:(a OR b)`.
    pub(super) fn field(&mut self, name: &str, value: &str, token: &Token) -> Option<Query> {
        let lower = name.to_ascii_lowercase();
        let without = WITHOUT.iter().find(|(names, _)| names.contains(&lower.as_str()));
        let refusal = match without {
            Some((_, why)) => Some(format!("`{}:` has no counterpart: {why}", clip(name))),
            None if KNOWN.contains(&lower.as_str()) => None,
            None => Some(format!("`{}:` is no operator known here{}", clip(name), hint(&lower, KNOWN))),
        };
        if lower == "title" && value.is_empty() {
            // A title is asked for anything a query can say.
            if matches!(self.peek(), None | Some(Kind::And | Kind::Or | Kind::Not | Kind::Close)) {
                return self.lose(token.start, "`title:` takes a term or a bracket");
            }
            let part = self.deeper(token.start, Self::primary)?;
            return self.sound_part(Query::Title(Box::new(part)), token.start);
        }
        let values = self.values(value, token);
        if let Some(message) = refusal {
            return self.lose(token.start, message);
        }
        let Some(values) = values else {
            let message = format!("`{}:` takes a value, or a bracket of values joined by OR", clip(name));
            return self.lose(token.start, message);
        };
        let mut parts = Vec::new();
        for (value, at) in &values {
            match self.one(&lower, value, token) {
                Some(Ok(query)) => parts.extend(self.sound_part(query, *at)),
                Some(Err(message)) => {
                    self.lose::<()>(*at, format!("`{}:{}`: {message}", clip(name), clip(value)));
                }
                None => {}
            }
        }
        (!parts.is_empty()).then(|| Query::any(parts))
    }

    /// The values of a field with their places; what is read is a word, a phrase or a bracket of them.
    fn values(&mut self, value: &str, token: &Token) -> Option<Vec<(String, usize)>> {
        if !value.is_empty() {
            return Some(vec![(value.to_owned(), token.start)]);
        }
        let next = self.tokens.get(self.at)?;
        match &next.kind {
            Kind::Phrase(text) | Kind::Word(text) => {
                self.at += 1;
                Some(vec![(text.clone(), next.start)])
            }
            Kind::Open => {
                self.at += 1;
                let mut values = Vec::new();
                let mut sound = true;
                let mut depth = 1;
                while let Some(next) = self.tokens.get(self.at) {
                    self.at += 1;
                    match &next.kind {
                        Kind::Phrase(text) | Kind::Word(text) => values.push((text.clone(), next.start)),
                        Kind::Or => {}
                        Kind::Open => depth += 1,
                        Kind::Close => depth -= 1,
                        _ => sound = false,
                    }
                    if depth == 0 {
                        break;
                    }
                }
                (sound && depth == 0 && !values.is_empty()).then_some(values)
            }
            _ => None,
        }
    }

    /// One value; none when its loss is noted already.
    fn one(&mut self, name: &str, value: &str, token: &Token) -> Option<Result<Query, String>> {
        let value = value.trim();
        let field = |field| Query::Field(field, value.to_owned());
        if value.contains(['*', '?']) && !matches!(name, "title" | "url") && !value.starts_with('[') {
            return Some(Err("a value has no wildcards here".to_owned()));
        }
        Some(Ok(match name {
            "title" => Query::Title(Box::new(self.bare(value, token)?)),
            "raw" => Query::Cased(value.to_owned()),
            "author" => field(Field::Author),
            "site" | "topleveldomain" => {
                let site = value.to_ascii_lowercase();
                return Some(parsed(&Query::Field(
                    Field::Site,
                    site.strip_prefix("www.").unwrap_or(&site).to_owned(),
                )));
            }
            "url" => Query::Field(Field::Url, value.trim_matches('*').to_owned()),
            "language" | "lang" => return Some(parsed(&Query::Lang(value.to_ascii_lowercase()))),
            "hashtags" => Query::Tag(value.trim_matches('#').to_owned()),
            "at_mentions" => Query::Name(value.trim_start_matches('@').to_owned()),
            name if LOCATIONS.contains(&name) => return Some(location(value)),
            "authorverified" | "authorverifiedtype" => return Some(verified(value)),
            "engagementtype" => return Some(engagement(value)),
            "reachmin" => return Some(number(value).map(|n| Query::Followers(Comparison::AtLeast, n))),
            "reachmax" => return Some(number(value).map(|n| Query::Followers(Comparison::AtMost, n))),
            _ => return Some(range(value)),
        }))
    }
}

/// The query as it is read back, so that a value of no use is told with our own reason.
fn parsed(query: &Query) -> Result<Query, String> {
    Query::parse(&query.to_string())
        .map_err(|faults| faults.into_iter().next().map(|fault| fault.message).unwrap_or_default())
}

/// A name such as 广东 or Florida; codes such as `gbr` and `usa.fl` are none.
fn location(value: &str) -> Result<Query, String> {
    let code = value.split('.').next().is_some_and(|front| {
        (2..=3).contains(&front.len()) && front.bytes().all(|b| b.is_ascii_alphabetic())
    });
    if code {
        return Err(
            "a location code is not what posts carry; write the region as the platform shows it, as in `region:广东`"
                .to_owned(),
        );
    }
    Ok(Query::Field(Field::Region, value.to_owned()))
}

fn verified(value: &str) -> Result<Query, String> {
    use mention::Verified;
    match value {
        "true" => {
            let badges = Verified::ALL.iter().filter(|badge| **badge != Verified::None);
            Ok(Query::Or(badges.map(|badge| Query::Verified(*badge)).collect()))
        }
        "false" => Ok(Query::Verified(Verified::None)),
        "business" => Ok(Query::Verified(Verified::Enterprise)),
        "government" => Ok(Query::Verified(Verified::Government)),
        _ => Err("badges here are none, person, media, government, enterprise, organisation".to_owned()),
    }
}

fn engagement(value: &str) -> Result<Query, String> {
    match value {
        "COMMENT" | "REPLY" => Ok(Query::Kind(mention::Kind::Comment)),
        _ => Err("reposts and quotes are no kind of post here; `kind:comment` finds comments and replies"
            .to_owned()),
    }
}

fn number(value: &str) -> Result<u64, String> {
    value
        .parse()
        .ok()
        .filter(|_| value.bytes().all(|b| b.is_ascii_digit()))
        .ok_or_else(|| "this takes a whole number".to_owned())
}

/// `[500 TO 100000]`; either end may be `*`.
fn range(value: &str) -> Result<Query, String> {
    let wrong = || "this takes a range, as in `[500 TO 100000]`".to_owned();
    let inner = value.strip_prefix('[').and_then(|value| value.strip_suffix(']'));
    let Some(inner) = inner else {
        return number(value).map(|n| Query::Followers(Comparison::Equal, n)).map_err(|_| wrong());
    };
    let (least, most) = inner.split_once("TO").ok_or_else(wrong)?;
    match (least.trim(), most.trim()) {
        ("*", "*") => Err("an open range says nothing".to_owned()),
        ("*", most) => Ok(Query::Followers(Comparison::AtMost, number(most).map_err(|_| wrong())?)),
        (least, "*") => Ok(Query::Followers(Comparison::AtLeast, number(least).map_err(|_| wrong())?)),
        (least, most) => {
            let (least, most) = (number(least).map_err(|_| wrong())?, number(most).map_err(|_| wrong())?);
            if least > most {
                return Err("this range is empty".to_owned());
            }
            Ok(Query::FollowersBetween(least, most))
        }
    }
}
