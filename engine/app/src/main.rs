//! The `tocsin` binary: reads the command line, starts logging, hands over. Exit codes: 0 done, 1 failed, 2 a fault in
//! what the operator wrote (rulebook, configuration, command line).

use std::process::ExitCode;

use clap::Parser as _;
use tocsin_app::{
    check,
    cli::{Cli, Command},
    demo, detect_series, duty, eval, explain, import, incidents, mention, model, query, replay, run, score,
    sources, telemetry,
};
use tocsin_rules::Faults;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match Box::pin(carry_out(cli)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            let operators = error.is::<Faults>() || error.is::<tocsin_app::config::Invalid>();
            ExitCode::from(if operators { 2 } else { 1 })
        }
    }
}

async fn carry_out(cli: Cli) -> anyhow::Result<()> {
    telemetry::start(cli.log, &cli.log_level)?;
    // ring: one TLS stack without a system library; an error only means somebody was first
    let _ = rustls::crypto::ring::default_provider().install_default();
    match cli.command {
        Command::Demo(options) => demo::run(options).await,
        Command::Run(options) => run::run(options).await,
        Command::Check(options) => check::run(&options),
        Command::Query(options) => query::run(&options),
        Command::Replay(options) => Box::pin(replay::run(options)).await,
        Command::Score(options) => score::run(&options).await,
        Command::Explain(options) => explain::run(options).await,
        Command::Eval(options) => eval::run(&options).await,
        Command::DetectSeries(options) => detect_series::run(&options),
        Command::Import(options) => import::run(&options),
        Command::Model(options) => model::run(&options),
        Command::Incidents(options) => incidents::run(options).await,
        Command::OnCall(options) => duty::on_call(options).await,
        Command::Silences(options) => duty::silences(options).await,
        Command::Mention(options) => mention::run(options).await,
        Command::Sources(options) => sources::run(&options).await,
    }
}

#[expect(clippy::print_stderr, reason = "the last word of a failed command, also when logs are filtered")]
fn report(error: &anyhow::Error) {
    eprintln!("{error:#}");
}
