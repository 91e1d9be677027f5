//! Linear layers through oneDNN, with the activation fused in. libtorch's own product goes through MKL, which uses AVX-512 only on
//! Intel's processors: on AMD's it is half as fast. The two operations are registered in libtorch but not named by its C++
//! binding, so a TorchScript module of 2 KiB calls them (`onednn.pt`, written by `onednn.py`).
//!
//! Refuses to guess: where a libtorch lacks oneDNN, [`OneDnn::open`] says so and its own product is used.

use tch::{CModule, IValue, Kind, TchError, Tensor};

/// Rows that weights are laid out for; other numbers work.
const ROWS: i64 = 512;

/// The two operations.
pub(crate) struct OneDnn(CModule);

impl OneDnn {
    /// `None` when this libtorch lacks them.
    pub(crate) fn open() -> Option<Self> {
        let mut module = CModule::load_data(&mut include_bytes!("onednn.pt").as_slice()).ok()?;
        module.f_set_eval().ok()?;
        let opened = Self(module);
        // a library without oneDNN has the names, but nothing behind them
        let (one, bias) = (
            Tensor::f_ones([1, 1], (Kind::Float, tch::Device::Cpu)).ok()?,
            Tensor::f_from_slice(&[1_f32]).ok()?,
        );
        let two = opened.linear(&one, &opened.pack(&one).ok()?, &bias, ("none", "")).ok()?;
        (two.f_double_value(&[0, 0]).ok()? == 2.0).then_some(opened)
    }

    /// A weight `[out, in]` laid out for [`OneDnn::linear`]: a copy.
    pub(crate) fn pack(&self, weight: &Tensor) -> Result<Tensor, TchError> {
        let weight = tch::no_grad(|| weight.f_detach()?.f_contiguous())?;
        tensor(self.0.method_is("pack", &[IValue::Tensor(weight), IValue::Int(ROWS)])?)
    }

    /// `activation(x · weightᵀ + bias)`; the activation is a name and its algorithm as oneDNN has them, `("none", "")` for none.
    pub(crate) fn linear(
        &self,
        x: &Tensor,
        packed: &Tensor,
        bias: &Tensor,
        activation: (&str, &str),
    ) -> Result<Tensor, TchError> {
        let tensors = [x, packed, bias].map(|tensor| IValue::Tensor(tensor.shallow_clone()));
        let names = [activation.0, activation.1].map(|name| IValue::String(name.to_owned()));
        let arguments: Vec<IValue> = tensors.into_iter().chain(names).collect();
        tensor(self.0.forward_is(&arguments)?)
    }
}

fn tensor(value: IValue) -> Result<Tensor, TchError> {
    match value {
        IValue::Tensor(tensor) => Ok(tensor),
        _ => Err(TchError::Kind("onednn.pt gave no tensor".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The libtorch that `deploy/libtorch.sh` fetches has oneDNN: without it the pass would silently be half as fast.
    #[test]
    fn says_what_the_librarys_own_product_says() {
        let onednn = OneDnn::open().expect("this libtorch has oneDNN");
        tch::manual_seed(7);
        for (texts, tokens, width, out) in [(1, 1, 8, 3), (3, 17, 32, 96), (8, 64, 48, 20)] {
            let of = |size: &[i64]| Tensor::f_randn(size, (Kind::Float, tch::Device::Cpu)).expect("random");
            let (x, weight, bias) = (of(&[texts, tokens, width]), of(&[out, width]), of(&[out]));
            let packed = onednn.pack(&weight).expect("packed");
            let plain = x.linear(&weight, Some(&bias));
            for (activation, expected) in [
                (("none", ""), plain.shallow_clone()),
                (("gelu", "none"), plain.gelu("none")),
                (("gelu", "tanh"), plain.gelu("tanh")),
                (("relu", ""), plain.relu()),
                (("tanh", ""), plain.tanh()),
            ] {
                let said = onednn.linear(&x, &packed, &bias, activation).expect("a product");
                assert_eq!(said.size(), [texts, tokens, out]);
                let off = (said - expected).abs().max().double_value(&[]);
                assert!(off < 1e-4, "{activation:?} {off}");
            }
        }
    }
}
