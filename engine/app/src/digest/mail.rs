//! A report by mail, for a scheduler to call. Refuses to send through anything but a configured mail channel, and to call it
//! done before every address has taken it.

use std::{io::Write as _, sync::Arc};

use anyhow::{Context as _, bail};
use tocsin_bus::{Clock, SystemClock};
use tocsin_escalate::{
    Delivery,
    channel::{Channel, Document, Kind, Registry},
    report::{Report, csv::Table},
};
use tocsin_rules::{Language, Rulebook};

use crate::{cli, config::Config, parts};

/// Sends it to every address, and says what became of each.
pub(super) async fn send(
    options: &cli::Report,
    report: &Report,
    rulebook: &Rulebook,
    language: Language,
) -> anyhow::Result<()> {
    let config = Config::load(options.config.as_deref().context("--config is missing")?)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let renderer = parts::renderer(&config, &rulebook.time_zone, None)?;
    let channels = parts::channels(&config, &renderer, &clock)?;
    let channel = mail_channel(&channels, options.channel.as_deref())?;
    let mut refused = 0;
    for address in &options.mail {
        let document = document(report, rulebook, language, address, clock.now());
        let said = match channel.send_document(&document).await {
            Delivery::Delivered { .. } => "delivered".to_owned(),
            other => {
                refused += 1;
                format!("not delivered: {other:?}")
            }
        };
        // a reader that has seen enough (`| head`) is no fault
        let _ = writeln!(std::io::stdout(), "{address}: {said}");
    }
    match refused {
        0 => Ok(()),
        _ => bail!("{refused} of {} addresses did not get the report", options.mail.len()),
    }
}

fn document(
    report: &Report,
    rulebook: &Rulebook,
    language: Language,
    address: &str,
    now: jiff::Timestamp,
) -> Document {
    let title = report.title(language);
    let key = format!("{} {} {}", report.period.kind.as_str(), report.period.first, address);
    Document {
        to: address.to_owned(),
        subject: title.clone(),
        text: format!("{title}\n\n{}", report.csv(Table::Incidents)),
        html: report.document(rulebook, language),
        id: format!("report.{}", &blake3::hash(key.as_bytes()).to_hex()[..16]),
        at: now,
    }
}

/// The one that is named, or the only one there is.
fn mail_channel<'c>(channels: &'c Registry, id: Option<&str>) -> anyhow::Result<&'c Arc<dyn Channel>> {
    let mut mail = channels
        .iter()
        .filter(|(name, channel)| channel.kind() == Kind::Email && id.is_none_or(|id| id == *name));
    match (mail.next(), mail.next(), id) {
        (Some((_, channel)), None, _) => Ok(channel),
        (None, _, Some(id)) => bail!("no mail channel `{id}` in the configuration"),
        (None, ..) => bail!("no channel of kind `email` in the configuration"),
        _ => bail!("several mail channels: name one with --channel"),
    }
}
