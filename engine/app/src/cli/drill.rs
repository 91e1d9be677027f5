//! Options of `tocsin drill`. Refuses to play.

use std::path::PathBuf;

use clap::Args;

use super::{Speed, parse_speed};

/// `tocsin drill`
#[derive(Debug, Args)]
pub struct Drill {
    /// Id of the plan.
    pub plan: String,
    /// Rulebook file; several merge. The configuration's, or the ready pack, when absent.
    #[arg(long)]
    pub rulebook: Vec<PathBuf>,
    /// Configuration file, for its rulebook and its channels.
    #[arg(long, short)]
    pub config: Option<PathBuf>,
    /// Id of the monitor; the first whose ceiling the plan's level does not exceed when absent.
    #[arg(long)]
    pub monitor: Option<String>,
    /// How fast: `max`, or a factor such as `60x`.
    #[arg(long, default_value = "max", value_parser = parse_speed)]
    pub speed: Speed,
    /// What part of each deadline the players take; above 1 they are late.
    #[arg(long, default_value_t = 0.8, value_parser = parse_pace)]
    pub pace: f64,
    /// Rungs of the policy that go unanswered before somebody takes it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..100))]
    pub unanswered: u32,
    /// Page over the configured channels, marked as a drill, at the speed of life.
    #[arg(long, requires = "config")]
    pub real_channels: bool,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

fn parse_pace(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(pace) if pace > 0.0 && pace <= 10.0 => Ok(pace),
        _ => Err("say a number above 0 and at most 10".to_owned()),
    }
}
