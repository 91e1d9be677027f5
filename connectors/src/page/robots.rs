//! The robots.txt of the hosts a source visits, fetched once a day each.

use std::{collections::HashMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::robots_file::{LONGEST, Robots};
use crate::{Error, Parts, http};

/// How long a file is believed; shorter for one that could not be had.
const BELIEVED: SignedDuration = SignedDuration::from_hours(24);
const MISSED: SignedDuration = SignedDuration::from_mins(10);

/// By origin.
#[derive(Debug, Default)]
pub(super) struct Permissions {
    known: HashMap<String, (Robots, Timestamp)>,
    /// The operator has the site's leave (it is their own).
    ignored: bool,
}

impl Permissions {
    /// Nothing asked yet.
    pub(super) fn new(ignored: bool) -> Self {
        Self { ignored, ..Self::default() }
    }

    /// Whether an address may be asked for; how long to wait before it.
    pub(super) async fn check(
        &mut self,
        parts: &Parts,
        url: &Url,
        now: Timestamp,
    ) -> Result<Duration, Error> {
        if self.ignored {
            return Ok(Duration::ZERO);
        }
        let origin = url.origin().ascii_serialization();
        let current = self.known.get(&origin).filter(|(_, until)| *until > now);
        let robots = match current {
            Some((robots, _)) => robots.clone(),
            None => {
                let (robots, kept) = ask(parts, url, now).await?;
                self.known.insert(origin, (robots.clone(), now.saturating_add(kept).unwrap_or(now)));
                robots
            }
        };
        if robots.allows(url) {
            Ok(robots.delay.unwrap_or_default())
        } else if robots.is_unreachable() {
            Err(Error::transient(format!("{}: robots.txt cannot be had for now", http::redacted(url))))
        } else {
            Err(Error::Robots(http::redacted(url)))
        }
    }
}

/// As RFC 9309, 2.3.1: a client error means that there are no rules, a server error that nothing is allowed for now.
async fn ask(parts: &Parts, url: &Url, now: Timestamp) -> Result<(Robots, SignedDuration), Error> {
    let address = url.join("/robots.txt").map_err(|_| Error::options("an address without a host"))?;
    // Read to the cap and no further: a longer file binds us as far as we read.
    let answer = parts.http.capped_at(LONGEST).send_any(parts.http.get(address)).await;
    Ok(match answer {
        Ok(answer) if answer.status.is_success() => (Robots::parse(&answer.body), BELIEVED),
        Ok(answer) if answer.status.as_u16() == 429 => return Err(http::status_error(&answer, now)),
        Ok(answer) if answer.status.is_client_error() => (Robots::absent(), BELIEVED),
        Ok(_) | Err(_) => (Robots::unreachable(), MISSED),
    })
}
