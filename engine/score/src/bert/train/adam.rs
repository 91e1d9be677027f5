//! Adam with decoupled decay and its own rate for each variable; its moments can be saved, so that a training goes on where it
//! stopped. (The library's optimiser can do neither.)

use std::path::Path;

use tch::{TchError, Tensor};

const BETAS: (f64, f64) = (0.9, 0.999);
const EPSILON: f64 = 1e-8;
const DECAY: f64 = 0.01;
/// Longest gradient of all variables together.
const LONGEST: f64 = 1.0;

struct Variable {
    name: String,
    value: Tensor,
    rate: f64,
    first: Tensor,
    second: Tensor,
}

/// The optimiser.
pub(crate) struct Adam {
    variables: Vec<Variable>,
    steps: i32,
}

impl Adam {
    /// Over variables with their names and rates.
    pub(crate) fn new(variables: Vec<(String, Tensor, f64)>) -> Self {
        let variables = variables
            .into_iter()
            .map(|(name, value, rate)| {
                let (first, second) = (
                    value.zeros_like().set_requires_grad(false),
                    value.zeros_like().set_requires_grad(false),
                );
                Variable { name, value, rate, first, second }
            })
            .collect();
        Self { variables, steps: 0 }
    }

    /// Moves the variables down the slope of `loss`; `pace` scales every rate.
    pub(crate) fn step(&mut self, loss: &Tensor, pace: f64) -> Result<(), TchError> {
        for variable in &mut self.variables {
            variable.value.zero_grad();
        }
        loss.f_backward()?;
        self.steps += 1;
        let (b1, b2) = BETAS;
        let unbias = (1.0 - b2.powi(self.steps)).sqrt() / (1.0 - b1.powi(self.steps));
        tch::no_grad(|| {
            let mut squares = 0.0;
            for variable in &self.variables {
                let norm = f64::try_from(variable.value.f_grad()?.f_norm()?)?;
                squares += norm * norm;
            }
            let shorter = (LONGEST / squares.sqrt().max(1e-12)).min(1.0);
            for v in &mut self.variables {
                let gradient = v.value.f_grad()?.f_mul_scalar(shorter)?;
                drop(v.first.f_mul_scalar_(b1)?.f_add_(&gradient.f_mul_scalar(1.0 - b1)?)?);
                drop(v.second.f_mul_scalar_(b2)?.f_addcmul_(&gradient, &(&gradient * (1.0 - b2)))?);
                let step = v.first.f_div(&v.second.f_sqrt()?.f_add_scalar(EPSILON)?)?;
                let rate = v.rate * pace;
                let decay =
                    if v.name.ends_with("weight") && !v.name.contains("orm") { rate * DECAY } else { 0.0 };
                drop(v.value.f_mul_scalar_(1.0 - decay)?.f_sub_(&step.f_mul_scalar(rate * unbias)?)?);
            }
            Ok(())
        })
    }

    /// Saves the moments.
    pub(crate) fn write(&self, path: &Path) -> Result<(), TchError> {
        let mut all: Vec<(String, Tensor)> = vec![("steps".to_owned(), Tensor::from(i64::from(self.steps)))];
        for v in &self.variables {
            all.push((format!("first.{}", v.name), v.first.shallow_clone()));
            all.push((format!("second.{}", v.name), v.second.shallow_clone()));
        }
        Tensor::write_safetensors(&all, path)
    }

    /// Takes up saved moments; a variable that was not learning then starts with none.
    pub(crate) fn read(&mut self, path: &Path) -> Result<(), TchError> {
        let saved = Tensor::read_safetensors(path)?;
        tch::no_grad(|| {
            for (name, tensor) in saved {
                if name == "steps" {
                    self.steps = i32::try_from(i64::try_from(&tensor)?).unwrap_or(i32::MAX);
                }
                for v in &mut self.variables {
                    let moment = match name.split_once('.') {
                        Some(("first", of)) if of == v.name => &mut v.first,
                        Some(("second", of)) if of == v.name => &mut v.second,
                        _ => continue,
                    };
                    if moment.size() == tensor.size() {
                        moment.f_copy_(&tensor)?;
                    }
                }
            }
            Ok(())
        })
    }
}
