//! `tocsin check`: configuration and rulebook compiled, every fault printed at once. Exit 2 when there is one.
//! Refuses to contact anything: it works where the engine does not run.

use std::{path::PathBuf, sync::Arc};

use tocsin_rules::Faults;
use tocsin_score::RuleSet;

use crate::{
    cli,
    config::{Config, Invalid, secret_from},
    rules,
};

/// Checks and says what would run.
#[expect(clippy::print_stdout, reason = "the result is this command's output")]
pub fn run(options: &cli::Check) -> anyhow::Result<()> {
    let mut faults = Vec::new();
    let mut files: Vec<PathBuf> = options.rulebook.clone();
    let mut channels = None;
    if let Some(path) = &options.config {
        match Config::load(path) {
            Ok(config) => {
                faults.extend(secrets(&config));
                if let Err(fault) = config.console.validate() {
                    faults.push(fault.to_string());
                }
                if files.is_empty() {
                    files.clone_from(&config.rulebook.files);
                }
                channels = Some(config.channels);
            }
            Err(Invalid(more)) => faults.extend(more),
        }
    }
    let mut summary = None;
    match rules::load_files(&files) {
        Ok(book) => {
            if let Some(channels) = &channels {
                faults.extend(rules::unreachable(&book, channels));
            }
            summary = Some(format!(
                "{}: {} monitors, {} categories, {} thresholds, {} plans, {} teams; version {}",
                book.name.en,
                book.monitors.len(),
                book.categories.len(),
                book.detection.thresholds.len(),
                book.plans.len(),
                book.teams.len(),
                book.version,
            ));
            if let Err(fault) = RuleSet::compile(Arc::new(book)) {
                faults.push(fault.to_string());
            }
        }
        Err(error) => match error.downcast::<Faults>() {
            Ok(Faults(found)) => faults.extend(found.iter().map(ToString::to_string)),
            Err(other) => faults.push(format!("{other:#}")),
        },
    }
    if !faults.is_empty() {
        return Err(Invalid(faults).into());
    }
    println!("ok: {}", summary.unwrap_or_default());
    Ok(())
}

/// Files of secrets that cannot be read.
fn secrets(config: &Config) -> Vec<String> {
    let mut faults = Vec::new();
    let mut look = |setting: &str, path: &PathBuf| {
        if let Err(Invalid(more)) = secret_from(setting, path) {
            faults.extend(more);
        }
    };
    if let Some(path) = &config.store.redis.url_file {
        look("store.redis.url_file", path);
    }
    for (i, path) in config.http.link_key_files.iter().enumerate() {
        look(&format!("http.link_key_files[{i}]"), path);
    }
    for (i, path) in config.ingest.secret_files.iter().enumerate() {
        look(&format!("ingest.secret_files[{i}]"), path);
    }
    let read = |path: &std::path::Path| std::fs::read_to_string(path);
    if let Err(fault) = config.console.clone().read_secrets(&read) {
        faults.push(fault.to_string());
    }
    for (id, channel) in &config.channels {
        if let Err(fault) = channel.clone().read_secrets(id, &read) {
            faults.push(fault.to_string());
        }
    }
    faults
}
