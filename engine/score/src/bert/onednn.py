"""Writes onednn.pt, beside this file: two operations of libtorch that its C++ binding does not name, as a TorchScript module.

usage: python onednn.py        (PyTorch 2.4.1)

`pack` lays a weight out for products with so many rows; `forward` is a linear layer over such a weight with an activation
fused in, through oneDNN. On processors of AMD the library's own product is half as fast: MKL takes AVX-512 only on Intel's.
"""
import pathlib

import torch


class OneDnn(torch.nn.Module):
    def forward(self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, activation: str, algorithm: str) -> torch.Tensor:
        return torch.ops.mkldnn._linear_pointwise(x, weight, bias, activation, [], algorithm)

    @torch.jit.export
    def pack(self, weight: torch.Tensor, rows: int) -> torch.Tensor:
        return torch.ops.mkldnn._reorder_linear_weight(weight, rows)


torch.jit.script(OneDnn()).save(pathlib.Path(__file__).with_name("onednn.pt"))
