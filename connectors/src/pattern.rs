//! Which files a source follows: a path whose parts may hold `*` and `?`, so that a new day's file or a new platform's
//! folder joins by itself. Refuses to walk below what the pattern names.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

/// Files matching a pattern, sorted.
///
/// # Errors
/// When a folder exists but cannot be listed. A folder that is not there yet has no files.
pub(crate) fn files(pattern: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        found = match part {
            Component::Normal(name) if name.to_string_lossy().contains(['*', '?']) => {
                let name = name.to_string_lossy().into_owned();
                let mut matching = Vec::new();
                for folder in found {
                    list(&folder, &name, &mut matching)?;
                }
                matching
            }
            plain => found.into_iter().map(|path| path.join(plain)).collect(),
        };
    }
    found.retain(|path| path.is_file());
    found.sort();
    Ok(found)
}

fn list(folder: &Path, name: &str, into: &mut Vec<PathBuf>) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let entry_name = entry.file_name();
        if entry_name.to_str().is_some_and(|found| matches(name, found)) {
            into.push(folder.join(entry_name));
        }
    }
    Ok(())
}

/// Whether a name fits `*` (any run) and `?` (any one character). A leading dot is never matched by a wildcard.
fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, name, fits) in [
            ("*.jsonl", "a.jsonl", true),
            ("*.jsonl", "a.jsonl.gz", false),
            ("*.jsonl", ".a.jsonl", false),
            ("search_*_2026-0?-*.jsonl", "search_contents_2026-09-10.jsonl", true),
            ("search_*_2026-0?-*.jsonl", "search_contents_2026-10-10.jsonl", false),
            ("*a*b*", "xxaxxaxb", true),
            ("*a*b", "xxaxxaxbx", false),
            ("微博?", "微博1", true),
            ("**", "", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn finds_across_folders_in_order_and_forgives_missing_ones() {
        let root = tempfile::tempdir().expect("a folder");
        for name in ["wb/jsonl/b.jsonl", "wb/jsonl/a.jsonl", "xhs/jsonl/c.jsonl", "xhs/csv/d.csv"] {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("mkdir");
            fs::write(path, "").expect("write");
        }
        let found = files(&root.path().join("*/jsonl/*.jsonl")).expect("files");
        let names: Vec<_> = found.iter().map(|p| p.strip_prefix(root.path()).expect("inside")).collect();
        assert_eq!(
            names,
            [Path::new("wb/jsonl/a.jsonl"), Path::new("wb/jsonl/b.jsonl"), Path::new("xhs/jsonl/c.jsonl")]
        );
        assert_eq!(files(&root.path().join("nowhere/*.jsonl")).expect("files"), Vec::<PathBuf>::new());
    }
}
