//! A picture of monitors over time as SVG: mentions of the last hour with what is usual, negative share, level. Plain text
//! in, the same bytes out. Refuses scripts, fonts and anything fetched.

use std::fmt::Write as _;

use jiff::Timestamp;
use tocsin_detect::Overview;
use tocsin_rules::Level;

/// Monitors drawn, those with most mentions.
const SHOWN: usize = 12;
const WIDTH: f64 = 1_000.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
/// Heights of a panel's parts.
const TITLE: f64 = 34.0;
const VOLUME: f64 = 110.0;
const SHARE: f64 = 56.0;
const LEVEL: f64 = 14.0;
const GAP: f64 = 8.0;
const PANEL: f64 = TITLE + VOLUME + GAP + SHARE + GAP + LEVEL + 38.0;
/// Columns; more samples than this share one, which then shows the largest.
const COLUMNS: usize = 920;

type Points = Vec<(Timestamp, Overview)>;

/// One panel a monitor, busiest first.
pub(super) fn svg(mut panels: Vec<(String, Points)>, step: i64) -> String {
    panels.retain(|(_, points)| !points.is_empty());
    // stable: monitors of equal peaks stay in the order of their ids
    panels.sort_by_key(|(_, points)| std::cmp::Reverse(peak(points)));
    let left_out = panels.len().saturating_sub(SHOWN);
    panels.truncate(SHOWN);
    let start = panels.iter().filter_map(|(_, p)| p.first()).map(|(at, _)| at.as_second()).min().unwrap_or(0);
    let end = panels.iter().filter_map(|(_, p)| p.last()).map(|(at, _)| at.as_second()).max().unwrap_or(0);
    let scale = Scale { start, end: end.max(start + step) };
    let height = PANEL * panels.len().max(1) as f64 + 46.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"system-ui,'Noto Sans CJK SC',sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    legend(&mut out);
    for (place, (name, points)) in panels.iter().enumerate() {
        panel(&mut out, &scale, 34.0 + place as f64 * PANEL, name, points);
    }
    if panels.is_empty() {
        text(&mut out, LEFT, 60.0, "start", "#555", "No monitor was hit.");
    }
    if left_out > 0 {
        let note = format!("{left_out} quieter monitors are not drawn.");
        text(&mut out, LEFT, height - 6.0, "start", "#555", &note);
    }
    out.push_str("</svg>\n");
    out
}

fn peak(points: &Points) -> u64 {
    points.iter().map(|(_, o)| o.mentions).max().unwrap_or(0)
}

/// Time to pixels.
struct Scale {
    start: i64,
    end: i64,
}

impl Scale {
    fn x(&self, at: i64) -> f64 {
        LEFT + (at - self.start) as f64 / (self.end - self.start) as f64 * (WIDTH - LEFT - RIGHT)
    }

    /// Instants of a round distance, at most ten, with their words.
    fn ticks(&self) -> Vec<(i64, String)> {
        const STEPS: [i64; 14] = [
            300, 600, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600,
            2_592_000, 7_776_000,
        ];
        let span = self.end - self.start;
        let step = STEPS.into_iter().find(|step| span / step <= 9).unwrap_or(span.max(1));
        let first = self.start.div_euclid(step) * step;
        (0..=11)
            .map(|i| first + i * step)
            .filter(|at| (self.start..=self.end).contains(at))
            .map(|at| {
                let pattern = if step >= 86_400 { "%Y-%m-%d" } else { "%m-%d %H:%M" };
                let words = Timestamp::from_second(at).map(|at| at.strftime(pattern).to_string());
                (at, words.unwrap_or_default())
            })
            .collect()
    }
}

/// One sample or several that share a column.
struct Column {
    from: f64,
    to: f64,
    mentions: u64,
    share: Option<f64>,
    usual: Option<f64>,
    level: Level,
}

fn columns(scale: &Scale, points: &Points) -> Vec<Column> {
    let many = points.len().div_ceil(COLUMNS).max(1);
    let step = points.windows(2).map(|p| p[1].0.as_second() - p[0].0.as_second()).min().unwrap_or(600);
    points
        .chunks(many)
        .map(|chunk| {
            let of =
                |edge: Option<&(Timestamp, Overview)>| edge.map_or(scale.start, |(at, _)| at.as_second());
            let (mentions, negative) =
                chunk.iter().fold((0, 0), |(m, n), (_, o)| (m + o.mentions, n + o.negative));
            Column {
                from: scale.x((of(chunk.first()) - step).max(scale.start)),
                to: scale.x(of(chunk.last())),
                mentions: chunk.iter().map(|(_, o)| o.mentions).max().unwrap_or(0),
                share: (mentions > 0).then(|| negative as f64 / mentions as f64),
                usual: chunk.last().and_then(|(_, o)| o.usual),
                level: chunk.iter().map(|(_, o)| o.level).max().unwrap_or_default(),
            }
        })
        .collect()
}

fn panel(out: &mut String, scale: &Scale, top: f64, name: &str, points: &Points) {
    let columns = columns(scale, points);
    let volume = (top + TITLE, top + TITLE + VOLUME);
    let share = (volume.1 + GAP, volume.1 + GAP + SHARE);
    let level = (share.1 + GAP, share.1 + GAP + LEVEL);
    let most = columns.iter().map(|c| (c.mentions as f64).max(c.usual.unwrap_or(0.0))).fold(1.0, f64::max);
    let _ = writeln!(
        out,
        "<text x=\"{LEFT}\" y=\"{:.1}\" font-size=\"14\" font-weight=\"600\" fill=\"#111\">{}</text>",
        top + 20.0,
        escaped(name)
    );
    for (at, words) in scale.ticks() {
        let x = scale.x(at);
        let _ = writeln!(
            out,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\" stroke=\"#e4e4e4\"/>",
            volume.0,
            level.1 + 4.0
        );
        text(out, x, level.1 + 18.0, "middle", "#555", &words);
    }
    let mut path = String::new();
    for column in columns.iter().filter(|c| c.mentions > 0) {
        let y = volume.1 - column.mentions as f64 / most * VOLUME;
        let _ = write!(path, "M{:.1} {:.1}V{y:.1}H{:.1}V{:.1}z", column.from, volume.1, column.to, volume.1);
    }
    let _ = writeln!(out, "<path d=\"{path}\" fill=\"#9db8d6\"/>");
    line(
        out,
        "#1b4f8f",
        "stroke-dasharray=\"4 3\"",
        columns.iter().map(|c| (c.from, c.to, c.usual.map(|usual| volume.1 - usual / most * VOLUME))),
    );
    line(out, "#c0392b", "", columns.iter().map(|c| (c.from, c.to, c.share.map(|s| share.1 - s * SHARE))));
    for (low, high) in [volume, share] {
        let _ = writeln!(
            out,
            "<path d=\"M{LEFT} {low:.1}V{high:.1}H{:.1}\" fill=\"none\" stroke=\"#888\"/>",
            WIDTH - RIGHT
        );
    }
    text(out, LEFT - 6.0, volume.0 + 10.0, "end", "#333", &format!("{most:.0}"));
    text(out, LEFT - 6.0, volume.1, "end", "#333", "0");
    text(out, LEFT - 6.0, share.0 + 10.0, "end", "#333", "100%");
    text(out, LEFT - 6.0, share.1, "end", "#333", "0%");
    text(out, LEFT - 6.0, level.1 - 2.0, "end", "#333", "level");
    // runs of one level
    for run in columns.chunk_by(|a, b| a.level == b.level) {
        if let (Some(first), Some(last)) = (run.first(), run.last()) {
            let _ = writeln!(
                out,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{LEVEL}\" fill=\"{}\"><title>{}</title></rect>",
                first.from,
                level.0,
                (last.to - first.from).max(1.0),
                colour(first.level),
                first.level.as_str()
            );
        }
    }
}

/// A line with steps; it is broken where there is no value.
fn line(out: &mut String, colour: &str, style: &str, values: impl Iterator<Item = (f64, f64, Option<f64>)>) {
    let (mut path, mut drawing) = (String::new(), false);
    for (from, to, value) in values {
        if let Some(y) = value {
            let verb = if drawing { 'L' } else { 'M' };
            let _ = write!(path, "{verb}{from:.1} {y:.1}H{to:.1}");
        }
        drawing = value.is_some();
    }
    let _ =
        writeln!(out, "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" {style}/>");
}

fn legend(out: &mut String) {
    let mut x = LEFT;
    let mut entry = |mark: String, words: &str, width: f64| {
        out.push_str(&mark.replace("{x}", &format!("{x:.1}")));
        text(out, x + 18.0, 20.0, "start", "#333", words);
        x += width;
    };
    entry(
        "<rect x=\"{x}\" y=\"11\" width=\"12\" height=\"10\" fill=\"#9db8d6\"/>".into(),
        "mentions of the last hour",
        180.0,
    );
    let dashed = "<path d=\"M{x} 16h12\" stroke=\"#1b4f8f\" stroke-width=\"1.5\" stroke-dasharray=\"4 3\"/>";
    entry(dashed.into(), "usual", 66.0);
    let red = "<path d=\"M{x} 16h12\" stroke=\"#c0392b\" stroke-width=\"1.5\"/>";
    entry(red.into(), "negative share", 118.0);
    for level in Level::ALL {
        let mark = format!(
            "<rect x=\"{{x}}\" y=\"11\" width=\"12\" height=\"10\" fill=\"{}\" stroke=\"#999\" stroke-width=\".5\"/>",
            colour(level)
        );
        entry(mark, level.as_str(), 76.0);
    }
    text(out, WIDTH - RIGHT, 20.0, "end", "#555", "UTC");
    out.push('\n');
}

fn colour(level: Level) -> &'static str {
    match level {
        Level::None => "#eeeeee",
        Level::Low => "#f2d16b",
        Level::Medium => "#ee8f3a",
        Level::High => "#c0212b",
    }
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, colour: &str, words: &str) {
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{}</text>",
        escaped(words)
    );
}

/// Text as XML; what XML cannot hold is left out.
fn escaped(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {}
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(hours: i64) -> Points {
        (0..hours)
            .map(|hour| {
                let storm = (20..26).contains(&hour);
                let overview = Overview {
                    mentions: if storm { 90 } else { 10 + u64::try_from(hour % 5).unwrap() },
                    negative: if storm { 70 } else { 2 },
                    usual: (hour >= 8).then_some(11.5),
                    level: if storm { Level::High } else { Level::None },
                };
                (Timestamp::from_second(1_789_041_600 + hour * 3_600).unwrap(), overview)
            })
            .collect()
    }

    #[test]
    fn a_storm_in_a_quiet_week() {
        let panels = vec![("茶 <&\"> \u{1}".to_owned(), points(30)), ("never hit".into(), Vec::new())];
        let picture = svg(panels.clone(), 3_600);
        assert_eq!(picture, svg(panels, 3_600));
        insta::assert_snapshot!(picture);
    }

    #[test]
    fn a_long_series_is_bounded_and_keeps_its_peak() {
        let long = columns(&Scale { start: 0, end: 9_000_000_000 }, &points(100_000));
        assert!(long.len() <= COLUMNS);
        assert_eq!(long.iter().map(|c| c.mentions).max(), Some(90));
        assert!(svg(vec![("x".into(), points(1))], 3_600).contains("</svg>"));
        assert!(svg(Vec::new(), 3_600).contains("No monitor was hit."));
    }
}
