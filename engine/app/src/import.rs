//! `tocsin import`: rules of another product as a rulebook. Exit 2 when something did not carry over, unless `--partial`.
//! Refuses to write `--out` then: a file that is there is complete, or was asked for incomplete.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    path::Path,
};

use anyhow::Context as _;
use tocsin_rules::import::{Import, Origin, import};

use crate::{cli, config::Invalid, rules};

/// What a rulebook stands on that has no teams of its own.
const PACK: &str = "consumer-brand";
/// Most bytes read: more than any rulebook file may have, so that the refusal is the import's own.
const MAX_BYTES: u64 = 5 << 20;

/// Reads, converts, prints, and says what is missing.
#[expect(clippy::print_stderr, reason = "what is missing is this command's output too")]
pub fn run(options: &cli::Import) -> anyhow::Result<()> {
    let origin = match options.from {
        cli::Origin::TrendRadar => Origin::TrendRadar,
        cli::Origin::SubjectEvent => Origin::SubjectEvent,
        cli::Origin::Brandwatch => Origin::Brandwatch,
    };
    let stdin = options.file.as_os_str() == "-";
    let shown = if stdin { "stdin".to_owned() } else { options.file.display().to_string() };
    let text = read(&options.file, stdin, &shown)?;
    let stem = options.file.file_stem().filter(|_| !stdin).map(|stem| stem.to_string_lossy().into_owned());
    let name = options.name.clone().or(stem).unwrap_or_else(|| "imported".to_owned());
    let owner = match &options.owner {
        Some(owner) => owner.clone(),
        None => rules::load_files(&[])?.teams.first().context("the ready pack has no team")?.id.clone(),
    };
    let import = import(origin, &text, &name, &owner);
    let remarks: Vec<String> = import.remarks.iter().map(|remark| format!("{shown}:{remark}")).collect();
    let yaml = import.to_yaml(options.owner.is_none().then_some(PACK));
    let done = import.is_whole() || (options.partial && !import.monitors.is_empty());
    match &options.out {
        Some(out) if done => std::fs::write(out, yaml).with_context(|| out.display().to_string())?,
        Some(_) => {}
        None if import.monitors.is_empty() => {}
        None => std::io::stdout().write_all(yaml.as_bytes()).context("stdout")?,
    }
    if done {
        remarks.iter().for_each(|remark| eprintln!("{remark}"));
        return Ok(());
    }
    Err(Invalid(remarks.into_iter().chain([verdict(&import, options)]).collect()).into())
}

/// The file's text.
fn read(path: &Path, stdin: bool, shown: &str) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    if stdin {
        std::io::stdin().lock().take(MAX_BYTES).read_to_end(&mut bytes).context("stdin")?;
    } else {
        let file = File::open(path).with_context(|| shown.to_owned())?;
        file.take(MAX_BYTES).read_to_end(&mut bytes).with_context(|| shown.to_owned())?;
    }
    String::from_utf8(bytes).map_err(|fault| {
        let at = fault.utf8_error().valid_up_to();
        let line = fault.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        let message = format!("{shown}:{line}: not UTF-8; save it as UTF-8 (in Excel: CSV UTF-8)");
        Invalid(vec![message]).into()
    })
}

/// The last line: what that means and what to do.
fn verdict(import: &Import, options: &cli::Import) -> String {
    let lost = import.remarks.iter().filter(|remark| remark.lost).count();
    let kept = import.monitors.len();
    match &options.out {
        _ if kept == 0 => "nothing was carried over".to_owned(),
        Some(out) => format!(
            "{lost} not carried over, {kept} monitors are; {} is not written; to write it nevertheless, add --partial",
            out.display()
        ),
        None => format!("{lost} not carried over, {kept} monitors are; if that is well, add --partial"),
    }
}
