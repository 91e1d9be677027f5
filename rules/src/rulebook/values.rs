//! Values with a spelling of their own: durations, numbers, dates, zones, wordings, queries. Refuses what is almost
//! right, and says which forms are.

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};

use super::{
    cursor::{Cursor, Reader, clip},
    names::{Name, NameKind},
    yaml::{Place, Value, place_within},
};
use crate::{
    query::Query,
    wording::{Language, Wording},
};

/// Longest duration, seconds: a year.
const LONGEST: u64 = 366 * 86_400;

impl<'n> Cursor<'n> {
    /// `30s`, `5m`, `1h`, `1d`, in seconds; `0s` is allowed.
    pub(super) fn duration(&self, r: &mut Reader<'_>) -> Option<u64> {
        let text = self.text(r)?;
        let seconds = parse_duration(text);
        if seconds.is_none() {
            self.fault(
                r,
                format!("`{}` is no duration; write a whole number with a unit: 30s 5m 1h 1d", clip(text)),
            );
        }
        seconds
    }

    /// A duration above zero.
    pub(super) fn span(&self, r: &mut Reader<'_>) -> Option<u64> {
        let seconds = self.duration(r)?;
        if seconds == 0 {
            self.fault(r, "must be longer than zero");
            return None;
        }
        Some(seconds)
    }

    /// A whole number within bounds; `10_000` is 10000.
    pub(super) fn count(&self, r: &mut Reader<'_>, least: u64, most: u64) -> Option<u64> {
        let text = self.text(r)?;
        let number = text
            .replace('_', "")
            .parse::<u64>()
            .ok()
            .filter(|_| text.starts_with(|c: char| c.is_ascii_digit()));
        match number {
            Some(number) if (least..=most).contains(&number) => Some(number),
            Some(_) => {
                self.fault(r, format!("{} is out of range: {least} to {most}", clip(text)));
                None
            }
            None => {
                self.fault(r, format!("expected a whole number, found `{}`", clip(text)));
                None
            }
        }
    }

    /// As [`Self::count`], for small fields.
    pub(super) fn small(&self, r: &mut Reader<'_>, least: u32, most: u32) -> Option<u32> {
        self.count(r, u64::from(least), u64::from(most)).and_then(|number| u32::try_from(number).ok())
    }

    /// A number within bounds; `60%` is 0.6.
    pub(super) fn number(&self, r: &mut Reader<'_>, least: f64, most: f64) -> Option<f64> {
        let text = self.text(r)?;
        let parsed = match text.strip_suffix('%') {
            Some(percent) => percent.trim().parse::<f64>().ok().map(|number| number / 100.0),
            None => text.replace('_', "").parse::<f64>().ok(),
        };
        match parsed.filter(|number| number.is_finite()) {
            Some(number) if (least..=most).contains(&number) => Some(number),
            Some(_) => {
                self.fault(r, format!("{} is out of range: {least} to {most}", clip(text)));
                None
            }
            None => {
                self.fault(r, format!("expected a number, found `{}`", clip(text)));
                None
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, r: &mut Reader<'_>) -> Option<bool> {
        match self.text(r)? {
            "true" => Some(true),
            "false" => Some(false),
            other => {
                self.fault(r, format!("expected true or false, found `{}`", clip(other)));
                None
            }
        }
    }

    /// A plain text for both languages, or `{zh: …, en: …}`.
    pub(super) fn wording(&self, r: &mut Reader<'_>) -> Option<Wording> {
        if matches!(self.node.value, Value::Scalar { .. }) {
            return self.text(r).map(|text| Wording::same(text.trim()));
        }
        let fields = self.fields(r, &["zh", "en"])?;
        let zh = fields.need(r, "zh").and_then(|field| field.text(r).map(str::trim));
        let en = fields.need(r, "en").and_then(|field| field.text(r).map(str::trim));
        Some(Wording { zh: zh?.to_owned(), en: en?.to_owned() })
    }

    /// `zh` or `en`.
    pub(super) fn reader_language(&self, r: &mut Reader<'_>) -> Option<Language> {
        self.word(r, "language", &[Language::Zh, Language::En], |language| match language {
            Language::Zh => "zh",
            Language::En => "en",
        })
    }

    /// An IANA time zone.
    pub(super) fn zone(&self, r: &mut Reader<'_>) -> Option<String> {
        let text = self.text(r)?;
        if TimeZone::get(text).is_err() {
            self.fault(
                r,
                format!("unknown time zone `{}`; write an IANA name such as `Asia/Shanghai`", clip(text)),
            );
            return None;
        }
        Some(text.to_owned())
    }

    /// `09:00`
    pub(super) fn time(&self, r: &mut Reader<'_>) -> Option<Time> {
        let text = self.text(r)?;
        let parts = text.split_once(':').filter(|(hour, minute)| hour.len() <= 2 && minute.len() == 2);
        let time =
            parts.and_then(|(hour, minute)| Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok());
        if time.is_none() {
            self.fault(r, format!("`{}` is no time of day; write 09:00", clip(text)));
        }
        time
    }

    /// `2026-09-10`
    pub(super) fn date(&self, r: &mut Reader<'_>) -> Option<Date> {
        let text = self.text(r)?;
        let date = text.parse::<Date>().ok().filter(|date| (1990..=2100).contains(&date.year()));
        if date.is_none() {
            self.fault(r, format!("`{}` is no date; write 2026-09-10", clip(text)));
        }
        date
    }

    /// `2026-09-10T08:00:00+08:00`
    pub(super) fn instant(&self, r: &mut Reader<'_>) -> Option<Timestamp> {
        let text = self.text(r)?;
        let instant = text.parse::<Timestamp>().ok();
        if instant.is_none() {
            let message = format!(
                "`{}` is no instant; write it with its offset: 2026-09-10T08:00:00+08:00",
                clip(text)
            );
            self.fault(r, message);
        }
        instant
    }

    /// A query; every fault is placed inside the text, and the lists it names are noted.
    pub(super) fn query(&self, r: &mut Reader<'_>) -> Option<Query> {
        let text = self.text(r)?;
        let within = |r: &Reader<'_>, offset: usize| self.within(r, offset);
        match Query::parse(text) {
            Ok(query) => {
                for list in query.lists() {
                    let place = within(r, offset_of_list(text, list));
                    r.names.refer(Name {
                        kind: NameKind::List,
                        id: list.to_owned(),
                        place,
                        path: self.path.clone(),
                    });
                }
                Some(query)
            }
            Err(faults) => {
                for fault in faults {
                    r.fault(within(r, fault.start), &self.path, fault.message);
                }
                None
            }
        }
    }

    /// An entry of a word list; every fault is placed inside the text.
    pub(super) fn entry(&self, r: &mut Reader<'_>) -> Option<Query> {
        let entry = Query::parse_entry(self.text(r)?);
        for fault in entry.as_ref().err().into_iter().flatten() {
            r.fault(self.within(r, fault.start), &self.path, fault.message.clone());
        }
        entry.ok()
    }

    /// The place of a character of the text.
    fn within(&self, r: &Reader<'_>, offset: usize) -> Place {
        let source = r.texts.get(self.node.place.file);
        source.map_or(self.node.place, |source| place_within(source, self.node, offset))
    }
}

/// Seconds of `30s`, `5m`, `1h`, `1d`; at most a year.
pub(super) fn parse_duration(text: &str) -> Option<u64> {
    let unit = text.chars().last()?;
    let digits = &text[..text.len() - unit.len_utf8()];
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(factor).filter(|seconds| *seconds <= LONGEST)
}

/// Character offset of `list:NAME` in a query, as near as its text shows it.
pub(super) fn offset_of_list(text: &str, name: &str) -> usize {
    let needle = format!("list:{name}");
    text.find(&needle).map_or(0, |at| text[..at].chars().count())
}
