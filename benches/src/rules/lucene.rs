//! Lucene Monitor in a Java process of its own that obeys line by line, so that it takes turns with the others:
//! `benches/lucene/LuceneMonitor.java`. Refuses to measure what was not warmed up.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::Context as _;
use tocsin_rules::normal::is_word;

use super::{draw::Drawn, table::Built};

/// Jars and compiled class.
#[derive(Debug)]
pub struct Install {
    class_path: String,
}

/// One registered set of queries.
#[derive(Debug)]
pub struct Lucene {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    folder: tempfile::TempDir,
    /// What registering took. The heap is that of queries and index, after a collection.
    pub built: Built,
    /// Seconds to make Lucene's queries from words.
    pub made: f64,
}

/// How the peer is set up.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Of `MultipassTermFilteredPresearcher`; 0: `TermFilteredPresearcher`.
    pub passes: usize,
    /// Texts matched at a time.
    pub batch: usize,
    /// Seconds of matching before the first round.
    pub warm_up: f64,
}

/// A token of the analyzer: position and term.
pub type Tokens = Vec<(i64, String)>;

impl Install {
    /// Fetches the jars, once, and compiles.
    ///
    /// # Errors
    /// No Java, no Maven, no network, in words of their own.
    pub fn new() -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let script = root.join("../deploy/lucene/fetch.sh");
        let home = output(&mut Command::new(&script)).context("fetch the jars of Lucene")?;
        let home = PathBuf::from(home.trim());
        let classes = home.join("classes");
        let class_path = format!("{}/*:{}", home.join("libs").display(), classes.display());
        let mut compile = Command::new("javac");
        compile
            .arg("-cp")
            .arg(&class_path)
            .arg("-d")
            .arg(&classes)
            .arg(root.join("lucene/LuceneMonitor.java"));
        output(&mut compile).context("compile LuceneMonitor.java")?;
        Ok(Self { class_path })
    }

    /// Starts a peer: registers and warms up.
    ///
    /// # Errors
    /// A peer that dies, with the last it said.
    pub fn start(&self, texts: &[&str], queries: &[Drawn], setting: Setting) -> anyhow::Result<Lucene> {
        let folder = tempfile::tempdir()?;
        let (of_texts, of_queries) = (folder.path().join("texts"), folder.path().join("queries"));
        write_lines(&of_texts, texts.iter().copied())?;
        write_lines(&of_queries, queries.iter().map(line))?;
        let mut child = Command::new("java")
            .args(["-Xmx3g", "-XX:+UseSerialGC", "-cp", &self.class_path, "LuceneMonitor"])
            .args([of_texts, of_queries])
            .args([setting.passes, setting.batch].map(|n| n.to_string()))
            .arg(setting.warm_up.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("start java")?;
        let orders = child.stdin.take().context("no pipe to java")?;
        let answers = BufReader::new(child.stdout.take().context("no pipe from java")?);
        let built = Built { seconds: 0.0, live: 0, peak: None };
        let mut lucene = Lucene { child, orders, answers, folder, built, made: 0.0 };
        let figures = lucene.answer("built", 3)?;
        lucene.made = figures[0];
        lucene.built = Built { seconds: figures[1], live: figures[2] as usize, peak: None };
        lucene.answer("ready", 0)?;
        Ok(lucene)
    }
}

impl Lucene {
    /// Matches every text once; returns how many texts, and the peer's own seconds.
    ///
    /// # Errors
    /// A peer that died.
    pub fn round(&mut self) -> anyhow::Result<(usize, f64)> {
        self.order("round")?;
        let figures = self.answer("round", 3)?;
        Ok((figures[0] as usize, figures[1]))
    }

    /// Every (text, query) that matches, ascending.
    ///
    /// # Errors
    /// A peer that died.
    pub fn matches(&mut self) -> anyhow::Result<Vec<(u32, u32)>> {
        let file = self.folder.path().join("matches");
        self.order(&format!("matches {}", file.display()))?;
        self.answer("round", 3)?;
        let content = std::fs::read_to_string(file)?;
        let pair = |line: &str| {
            let (text, query) = line.split_once(' ').context("a pair")?;
            Ok((text.parse()?, query.parse()?))
        };
        let mut all = content.lines().map(pair).collect::<anyhow::Result<Vec<_>>>()?;
        all.sort_unstable();
        Ok(all)
    }

    /// What the analyzer makes of each text.
    ///
    /// # Errors
    /// A peer that died.
    pub fn tokens<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) -> anyhow::Result<Vec<Tokens>> {
        let (from, to) = (self.folder.path().join("from"), self.folder.path().join("to"));
        write_lines(&from, texts)?;
        self.order(&format!("tokens {} {}", from.display(), to.display()))?;
        self.answer("tokens", 1)?;
        let token = |token: &str| {
            let (position, term) = token.split_once(':').context("a token")?;
            Ok((position.parse()?, term.to_owned()))
        };
        let of_line = |line: &str| line.split('\t').filter(|part| !part.is_empty()).map(token).collect();
        std::fs::read_to_string(to)?.split_terminator('\n').map(of_line).collect()
    }

    fn order(&mut self, order: &str) -> anyhow::Result<()> {
        writeln!(self.orders, "{order}").and_then(|()| self.orders.flush()).context("java is gone")
    }

    /// The numbers behind the expected word.
    fn answer(&mut self, word: &str, numbers: usize) -> anyhow::Result<Vec<f64>> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let mut parts = line.split_whitespace();
        anyhow::ensure!(parts.next() == Some(word), "java said {line:?} in place of `{word}`");
        let figures: Vec<f64> = parts.map(str::parse).collect::<Result<_, _>>()?;
        anyhow::ensure!(figures.len() == numbers, "java said {line:?}");
        Ok(figures)
    }
}

impl Drop for Lucene {
    fn drop(&mut self) {
        // it holds nothing worth saving
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Largest distance as Lucene counts it. Its tokens of Han are pairs of characters that overlap, so between two words of
/// Han in one run there is one more.
pub fn slop(distance: u32, one: &str, other: &str) -> u32 {
    let han = |word: &str| !word.chars().all(is_word);
    distance + u32::from(han(one) && han(other))
}

fn line(query: &Drawn) -> String {
    let mut clauses: Vec<String> = match (query.near, query.must.as_slice()) {
        (Some(distance), [one, other]) => {
            vec![format!("~{}|{}|{}", slop(distance, &one[0], &other[0]), one[0], other[0])]
        }
        (_, groups) => groups.iter().map(|group| format!("+{}", group.join("|"))).collect(),
    };
    clauses.extend(query.not.iter().map(|word| format!("-{word}")));
    clauses.join("\t")
}

fn write_lines<S: AsRef<str>>(file: &Path, lines: impl IntoIterator<Item = S>) -> anyhow::Result<()> {
    let mut content = String::new();
    for line in lines {
        content.push_str(line.as_ref());
        content.push('\n');
    }
    Ok(std::fs::write(file, content)?)
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let done = command.stderr(Stdio::inherit()).output()?;
    anyhow::ensure!(done.status.success(), "{}", done.status);
    Ok(String::from_utf8(done.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_handed_over_as_clauses() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).into()).collect::<Vec<Box<str>>>();
        let plain = Drawn {
            must: vec![words(&["tea*"]), words(&["中毒", "leak"])],
            not: words(&["梗", "x"]),
            near: None,
        };
        assert_eq!(line(&plain), "+tea*\t+中毒|leak\t-梗\t-x");
        let near =
            |one, other| Drawn { must: vec![words(&[one]), words(&[other])], not: vec![], near: Some(3) };
        assert_eq!(line(&near("奶茶", "中毒")), "~4|奶茶|中毒");
        assert_eq!(line(&near("tea", "中毒")), "~3|tea|中毒");
    }
}
