//! Reads rulebook files from disk and hands them to `tocsin-rules`. Refuses to soften a fault: callers exit with 2.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context as _, bail};
use tocsin_escalate::channel;
use tocsin_rules::{
    Rulebook, Sensitivity,
    rulebook::{CONSUMER_BRAND, Places},
};

use crate::{cli, config::Invalid};

/// Loads the given files as one rulebook; the ready pack when there are none.
pub fn load_files(files: &[PathBuf]) -> anyhow::Result<Rulebook> {
    Ok(load_with_places(files)?.0)
}

/// As [`load_files`], with the places of what the files write.
pub fn load_with_places(files: &[PathBuf]) -> anyhow::Result<(Rulebook, Places)> {
    if files.is_empty() {
        return Ok(Rulebook::load_with_places(&[("consumer-brand.yaml", CONSUMER_BRAND)])?);
    }
    let mut read = Vec::new();
    for path in files {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(|| format!("rulebook {name}"))?;
        read.push((name, text));
    }
    let named: Vec<(&str, &str)> = read.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Ok(Rulebook::load_with_places(&named)?)
}

/// The rulebook a one-off command asks for: files or pack, monitors of its own, sensitivity.
pub fn load(options: &cli::Rules) -> anyhow::Result<Rulebook> {
    let sensitivity = match options.sensitivity {
        cli::Sensitivity::Calm => Sensitivity::Calm,
        cli::Sensitivity::Balanced => Sensitivity::Balanced,
        cli::Sensitivity::Alert => Sensitivity::Alert,
    };
    let mut monitors = Vec::new();
    for given in &options.monitor {
        match given.split_once('=') {
            Some((name, query)) if !name.trim().is_empty() && !query.trim().is_empty() => {
                monitors.push((name.trim().to_owned(), query.trim().to_owned()));
            }
            _ => bail!(
                "--monitor `{given}`: say NAME=QUERY, e.g. --monitor 'Airline=(delta OR united) delayed'"
            ),
        }
    }
    let book = load_files(&options.rulebook)?.with_sensitivity(sensitivity);
    if monitors.is_empty() {
        return Ok(book);
    }
    let mut own = Rulebook::from_pack(&monitors, sensitivity)?.monitors;
    let owner = &book.teams.first().context("the rulebook has no team to own the monitors")?.id;
    for monitor in &mut own {
        monitor.owner.clone_from(owner);
    }
    Ok(book.with_monitors(own))
}

/// People who name a channel that is not configured: they would never be reached through it.
pub fn unreachable(book: &Rulebook, channels: &BTreeMap<String, channel::Config>) -> Vec<String> {
    let people = book.teams.iter().flat_map(|team| &team.people);
    people
        .flat_map(|person| person.contacts.iter().map(move |contact| (person, contact)))
        .filter(|(_, contact)| !channels.contains_key(&contact.channel))
        .map(|(person, contact)| {
            format!(
                "channels: person `{}` is reached through `{}`, which is not configured",
                person.id, contact.channel
            )
        })
        .collect()
}

/// Refuses a rulebook of which somebody could not be reached.
///
/// # Errors
/// Everybody concerned, at once.
pub fn check_reachable(book: &Rulebook, channels: &BTreeMap<String, channel::Config>) -> Result<(), Invalid> {
    let faults = unreachable(book, channels);
    if faults.is_empty() { Ok(()) } else { Err(Invalid(faults)) }
}
