//! `tocsin report`: a report out of a running console as HTML, CSV or JSON, with volumes, mood and share of voice counted
//! from recorded mentions where there are any. Refuses to count a mention twice, or one outside the period.

mod mail;

use std::{collections::BTreeMap, collections::BTreeSet, io::Write as _, sync::Arc};

use anyhow::Context as _;
use reqwest::Method;
use tocsin_connectors::Item;
use tocsin_escalate::report::{Kind, Period, Report, Voice, csv::Table};
use tocsin_rules::{Label, Language, Op, Rulebook};

use crate::{
    api::{Console, answer, query},
    cli::{self, Form, Lang, Which},
    replay, rules,
    sentiment::Judges,
};

/// Asks, counts, writes.
pub async fn run(options: cli::Report) -> anyhow::Result<()> {
    let rulebook = Arc::new(rules::load_files(&options.rulebook)?);
    let kind = match options.period {
        cli::Period::Day => Kind::Day,
        cli::Period::Week => Kind::Week,
        cli::Period::Month => Kind::Month,
        cli::Period::Quarter => Kind::Quarter,
    };
    let mut asked = vec![("period", kind.as_str().to_owned())];
    asked.extend(options.date.map(|date| ("date", date.to_string())));
    let path = format!("/api/v1/reports{}", query(&asked));
    let response = answer(Console::open(&options.reach)?.request(Method::GET, &path)).await?;
    let mut report: Report = response.json().await.map_err(reqwest::Error::without_url)?;
    if !options.mentions.is_empty() {
        let voices = voices(&options, rulebook.clone(), &report.period)?;
        report = report.with_voices(voices);
    }
    let language = match options.lang {
        Lang::Zh => Language::Zh,
        Lang::En => Language::En,
    };
    if !options.mail.is_empty() {
        return mail::send(&options, &report, &rulebook, language).await;
    }
    let text = match options.format {
        Form::Html => report.document(&rulebook, language),
        Form::Json => format!("{}\n", serde_json::to_string(&report)?),
        Form::Csv => report.csv(match options.table {
            Which::Incidents => Table::Incidents,
            Which::Posts => Table::Posts,
            Which::Monitors => Table::Monitors,
        }),
    };
    match &options.out {
        Some(path) => std::fs::write(path, text).with_context(|| path.display().to_string()),
        None => Ok(std::io::stdout().write_all(text.as_bytes())?),
    }
}

/// What recorded mentions say of every monitor, judged by `linear` as the engine judges by default.
fn voices(options: &cli::Report, rulebook: Arc<Rulebook>, period: &Period) -> anyhow::Result<Vec<Voice>> {
    let items = replay::read_files(&options.mentions, options.mentions_format, options.map.as_deref())?;
    let mut mentions = Vec::new();
    for item in items {
        match item? {
            Item::Mention(mention) => mentions.push(*mention),
            Item::Rejected(rejected) => tracing::warn!(record = %rejected, "record refused"),
        }
    }
    count(&mentions, rulebook, period)
}

fn count(
    mentions: &[tocsin_rules::Mention],
    rulebook: Arc<Rulebook>,
    period: &Period,
) -> anyhow::Result<Vec<Voice>> {
    let mut counts: BTreeMap<&str, Voice> = BTreeMap::new();
    for monitor in &rulebook.monitors {
        let (id, name) = (monitor.id.clone(), monitor.name.clone());
        let voice = Voice { monitor: id, name, mentions: 0, negative: 0, positive: 0, share_of_voice: 0.0 };
        counts.insert(&monitor.id, voice);
    }
    let mut scorer = Judges::default().scorer(rulebook.clone())?;
    let mut seen = BTreeSet::new();
    let counted = mentions.iter().filter(|mention| {
        period.holds(mention.published_at) && mention.op == Op::Create && seen.insert(mention.id.as_str())
    });
    for mention in counted {
        let scored = scorer.score_whole(mention);
        let mood = scored.sentiment.as_ref().map(|sentiment| sentiment.label);
        for (monitor, _) in &scored.monitors {
            let Some(voice) = counts.get_mut(&**monitor) else { continue };
            voice.mentions += 1;
            voice.negative += u64::from(mood == Some(Label::Negative));
            voice.positive += u64::from(mood == Some(Label::Positive));
        }
    }
    Ok(counts.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tocsin_rules::rulebook::CONSUMER_BRAND;

    #[test]
    fn mentions_of_the_period_are_counted_once_for_each_monitor() {
        let rulebook = Arc::new(Rulebook::load(&[("pack", CONSUMER_BRAND)]).unwrap());
        let start = "2026-09-10T01:00:00Z".parse().unwrap();
        let mut mentions = crate::demo::scenario::mentions(start);
        let again = mentions.clone();
        mentions.extend(again);
        let date = jiff::civil::date(2026, 9, 10);
        let of = |date| Period::holding(Kind::Day, date, "Asia/Shanghai").unwrap();
        let voices = count(&mentions, rulebook.clone(), &of(date)).unwrap();
        let brand = voices.iter().find(|voice| voice.monitor == "qinghe").unwrap();
        assert!(brand.mentions > 40 && brand.mentions <= mentions.len() as u64 / 2, "{brand:?}");
        assert!(brand.negative > brand.positive, "{brand:?}");
        let quiet = count(&mentions, rulebook, &of(date.tomorrow().unwrap())).unwrap();
        assert!(quiet.iter().all(|voice| voice.mentions == 0));
    }
}
