//! The windows of a monitor in an explanation: each threshold with what it was judged by, and the grade they make.
//! Refuses to leave out why a limit that was reached is not met.

use serde_json::{Value, json};
use tocsin_detect::{Basis, Grade, ThresholdValue};

/// One threshold as JSON.
pub(super) fn threshold(value: &ThresholdValue) -> Value {
    let ThresholdValue { threshold, value, limit, met, basis } = value;
    let mut line = json!({ "threshold": threshold, "value": value, "limit": limit, "met": met });
    match basis {
        Basis::Window { mentions, min_sample } => {
            line["mentions"] = json!(mentions);
            line["min_sample"] = json!(min_sample);
        }
        Basis::Ratio { times, baseline, floor } => {
            line["times"] = json!(times);
            line["baseline"] = json!(baseline);
            line["floor"] = json!(floor);
        }
        Basis::Surprise { improbability, usual, floor } => {
            line["improbability"] = json!(improbability);
            line["usual"] = json!(usual);
            line["floor"] = json!(floor);
        }
        Basis::Board { topics, min_sample } => {
            line["topics"] = json!(topics);
            line["min_sample"] = json!(min_sample);
        }
        Basis::Surge | Basis::Flatline | Basis::AnyMention | Basis::Growth | Basis::Several => {}
    }
    line["note"] = json!(note(basis, *limit));
    line
}

/// What value and limit alone do not say.
fn note(basis: &Basis, limit: f64) -> Option<String> {
    match basis {
        Basis::Window { mentions, min_sample } if mentions < min_sample => {
            Some(format!("not judged: {mentions} mentions, at least {min_sample} are needed"))
        }
        Basis::Ratio { baseline: None, floor, .. } => {
            Some(format!("no baseline yet: judged by its floor {floor:.2} alone"))
        }
        Basis::Ratio { times, baseline: Some(baseline), floor } if limit <= *floor => Some(format!(
            "{times} times the baseline {baseline:.2} is not above the floor {floor:.2}, which is the limit"
        )),
        Basis::Ratio { times, baseline: Some(baseline), .. } => {
            Some(format!("{times} times the baseline {baseline:.2}"))
        }
        Basis::Surprise { usual: None, floor, .. } => {
            Some(format!("nothing usual is known yet: judged by its floor {floor:.2} alone"))
        }
        Basis::Surprise { improbability, usual: Some(usual), floor } if limit > *floor => Some(format!(
            "usual at this time {usual:.2}; as improbable as 1 in {:.0} from the limit on",
            10_f64.powf(*improbability)
        )),
        Basis::Growth => Some("likes, comments and reposts gained an hour by one post".to_owned()),
        Basis::Surprise { .. } => Some("its floor is the limit".to_owned()),
        Basis::Board { topics, min_sample } if topics < min_sample => {
            Some(format!("not judged: {topics} topics, at least {min_sample} are needed"))
        }
        _ => None,
    }
}

/// One threshold of [`threshold`] as a line.
pub(super) fn line(at: &Value) -> String {
    let mark = if at["met"].as_bool().unwrap_or_default() { "met " } else { "    " };
    let note = at["note"].as_str().map(|note| format!("  ({note})")).unwrap_or_default();
    format!(
        "  {mark}{:<24} {:>10.2} of {:.2}{note}\n",
        at["threshold"].as_str().unwrap_or_default(),
        at["value"].as_f64().unwrap_or_default(),
        at["limit"].as_f64().unwrap_or_default()
    )
}

/// A grade as JSON.
pub(super) fn grade(grade: &Grade) -> Value {
    let Grade { impact, likelihood, level, standing } = grade;
    json!({ "impact": impact, "likelihood": likelihood, "level": level, "standing": standing })
}

/// A grade of [`grade`] in words; none when there is none.
pub(super) fn grade_line(grade: &Value) -> Option<String> {
    let word = |name: &str| grade[name].as_str();
    let (impact, likelihood) = (word("impact")?, word("likelihood")?);
    let (level, standing) = (word("level")?, word("standing")?);
    let stands = match level == standing {
        true => "where the monitor stands".to_owned(),
        false => format!("the monitor still stands at {standing}"),
    };
    Some(format!("grade: impact {impact}, likelihood {likelihood}, so level {level}, {stands}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_basis_in_words() {
        let window = |mentions| Basis::Window { mentions, min_sample: 10 };
        let ratio = |baseline| Basis::Ratio { times: 2.5, baseline, floor: 15.0 };
        let table = [
            ("share_short", 0.75, 0.5, false, window(6)),
            ("share_enough", 0.75, 0.5, true, window(10)),
            ("rise_new", 16.0, 15.0, true, ratio(None)),
            ("rise_calm", 9.0, 15.0, false, ratio(Some(2.0))),
            ("rise_usual", 16.0, 25.0, false, ratio(Some(10.0))),
            ("post", 0.0, 10_000.0, false, Basis::AnyMention),
            ("signs", 2.0, 3.0, false, Basis::Several),
        ];
        let lines: String = table
            .into_iter()
            .map(|(id, value, limit, met, basis)| {
                line(&threshold(&ThresholdValue { threshold: id.to_owned(), value, limit, met, basis }))
            })
            .collect();
        insta::assert_snapshot!(lines);
    }

    #[test]
    fn a_grade_in_words() {
        use tocsin_rules::{Impact, Level, Likelihood};
        let of = |level, standing| {
            let graded = Grade { impact: Impact::Major, likelihood: Likelihood::Possible, level, standing };
            grade_line(&grade(&graded)).expect("a grade")
        };
        assert_eq!(
            of(Level::Low, Level::Low),
            "grade: impact major, likelihood possible, so level low, where the monitor stands"
        );
        assert_eq!(
            of(Level::Low, Level::High),
            "grade: impact major, likelihood possible, so level low, the monitor still stands at high"
        );
        assert_eq!(grade_line(&Value::Null), None);
    }

    #[test]
    fn refused_records_are_found_by_either_id() {
        let record = br#"{"note_id": "5012345", "id": "weibo:77"}"#;
        for (id, found) in [
            ("weibo:77", true),
            ("xiaohongshu:5012345", true),
            ("weibo:7", false),
            ("weibo:501234", false),
            ("", false),
        ] {
            assert_eq!(super::super::names(record, id), found, "{id}");
        }
    }
}
