//! Every plan of the ready pack can be played to its end, in time and too late.

use super::*;
use tocsin_rules::rulebook::CONSUMER_BRAND;

fn options(plan: &str, pace: f64) -> cli::Drill {
    cli::Drill {
        plan: plan.to_owned(),
        rulebook: Vec::new(),
        config: None,
        monitor: None,
        speed: Speed::Max,
        pace,
        unanswered: 1,
        real_channels: false,
        json: true,
    }
}

async fn played(book: &str, options: &cli::Drill) -> anyhow::Result<(serde_json::Value, String)> {
    let rulebook = Arc::new(Rulebook::load(&[("book.yaml", book)])?);
    let mut stage = Stage::set(rulebook, STORY_START.parse()?, None, None)?;
    let told = stage.play(options).await?;
    Ok((told.json(), told.text()))
}

#[tokio::test]
async fn every_plan_of_the_pack_is_played_to_its_end_in_time() {
    for plan in ["watch", "respond", "crisis", "crisis_safety"] {
        let (told, text) = played(CONSUMER_BRAND, &options(plan, 0.8)).await.unwrap();
        assert_eq!(told["problems"], serde_json::json!([]), "{text}");
        assert_eq!(told["state"], "reviewed", "{text}");
        let steps = told["response"]["steps"].as_array().unwrap();
        assert!(!steps.is_empty() && steps.iter().all(|step| step["met"] == true), "{text}");
        for page in told["pages"].as_array().unwrap() {
            assert_eq!(page["drill"], plan, "every page is marked: {page}");
        }
    }
}

#[tokio::test]
async fn the_first_rung_stays_silent_and_the_second_answers() {
    let (told, text) = played(CONSUMER_BRAND, &options("crisis", 0.8)).await.unwrap();
    let pages = told["pages"].as_array().unwrap();
    assert_eq!((&pages[0]["reason"], &pages[1]["reason"]), (&"first".into(), &"escalated".into()), "{text}");
    let acknowledge = &told["response"]["acknowledge"];
    assert!(acknowledge["seconds"].as_i64().unwrap() > 300, "{acknowledge}");
    assert_eq!(acknowledge["met"], false, "one rung was missed");
    assert!(told["response"]["reports"][0].as_u64().unwrap() > 10, "hourly reports for days");
    insta::assert_snapshot!("crisis", text);
}

#[tokio::test]
async fn who_is_late_is_told_so() {
    let (told, text) = played(CONSUMER_BRAND, &options("respond", 1.2)).await.unwrap();
    let steps = told["response"]["steps"].as_array().unwrap();
    assert!(steps.iter().any(|step| step["met"] == false), "{text}");
    let reasons: Vec<_> =
        told["pages"].as_array().unwrap().iter().map(|page| page["reason"].as_str().unwrap()).collect();
    assert!(reasons.contains(&"overdue") && reasons.contains(&"report_due"), "{text}");
}

#[tokio::test]
async fn a_team_too_small_for_its_approvals_is_found_out() {
    let start = CONSUMER_BRAND.find("      - {id: zhou-yi").unwrap();
    let end = CONSUMER_BRAND[start..].find("    roster:").unwrap() + start;
    let small = format!(
        "{}      - {{id: zhou-yi, name: 周一, roles: [spokesperson, customer_care, legal], contacts: [{{channel: \
         local, address: zhou-yi}}], language: zh}}\n{}",
        &CONSUMER_BRAND[..start],
        CONSUMER_BRAND[end..].replace("order: [lin-an, zhou-yi, mei-carter]", "order: [lin-an, zhou-yi]")
    );
    let (told, text) = played(&small, &options("crisis", 0.8)).await.unwrap();
    let problems = told["problems"].to_string();
    assert!(problems.contains("needs 2 approvals") && problems.contains("has 1 others"), "{text}");
}

#[tokio::test]
async fn unknown_plans_and_monitors_are_named() {
    let fault = played(CONSUMER_BRAND, &options("panic", 0.8)).await.unwrap_err().to_string();
    assert!(fault.contains("no plan `panic`") && fault.contains("crisis_safety"), "{fault}");
    let nowhere = cli::Drill { monitor: Some("mars".to_owned()), ..options("crisis", 0.8) };
    let fault = played(CONSUMER_BRAND, &nowhere).await.unwrap_err().to_string();
    assert!(fault.contains("no monitor `mars`"), "{fault}");
}
