//! `eval FILE…`: the table of `tocsin eval`, without the rest of the binary.
#![expect(clippy::print_stdout, reason = "a command that prints a table")]

use tocsin_bus::SystemClock;
use tocsin_score::{Linear, eval};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (model, clock) = (Linear::shipped()?, SystemClock::new());
    let mut all = Vec::new();
    for file in std::env::args().skip(1) {
        all.push(eval::evaluate(&model, &file, &std::fs::read(&file)?, &clock));
    }
    println!("{}", eval::table(&all));
    Ok(())
}
