"""Records Chefer's attention relevance and gradient-weighted attention rollout, written out in PyTorch, for attention.test.ts in
packages/core/src/methods/cams: python record_attention.py

Needs torch and captum. The transformer is that of record_captum.py, in float64. The rule of Chefer is that of the authors' notebook for ViTs:
`cam = (grad * attention).clamp(min=0).mean(heads)`, `R = R + cam @ R`. The rollout is `grad_rollout` of vit-explain with each block's
own gradient, and rows divided by their own sums.
"""

import json
import unittest.mock

import numpy as np
import torch
from record_captum import CLASSES, METHODS, Transformer
from torch import nn


def attention_of(model: nn.Module, images: torch.Tensor) -> tuple[list[torch.Tensor], tuple[torch.Tensor, ...]]:
    """Each block's attention [N, heads, T, T], and the gradient of the classes' scores."""
    seen = []
    softmax = torch.softmax

    def kept(values, axis):
        seen.append(softmax(values, axis))
        return seen[-1]

    with unittest.mock.patch("torch.softmax", kept):
        scores = model(images)
    return seen, torch.autograd.grad(scores[range(2), CLASSES].sum(), seen)


def chefer(attention, slopes) -> torch.Tensor:
    eye = torch.eye(10, dtype=torch.float64)
    mixed = eye.expand(2, 10, 10)
    for weights, slope in zip(attention, slopes):
        cam = (slope * weights).clamp(min=0).mean(1)
        mixed = mixed + cam @ mixed
    return mixed


def rollout(attention, slopes, discarded: float) -> torch.Tensor:
    eye = torch.eye(10, dtype=torch.float64)
    mixed = eye.expand(2, 10, 10)
    for weights, slope in zip(attention, slopes):
        fused = (weights * slope).mean(1).clamp(min=0)
        flat = fused.reshape(2, -1).clone()
        _, smallest = flat.topk(int(flat.shape[1] * discarded), -1, False)
        flat.scatter_(1, smallest, 0)
        both = (flat.reshape(2, 10, 10) + eye) / 2
        mixed = (both / both.sum(-1, keepdim=True)) @ mixed
    return mixed


def shown(mixed: torch.Tensor, images: torch.Tensor) -> list[float]:
    low = mixed[:, 0, 1:].reshape(2, 1, 3, 3)
    whole = nn.functional.interpolate(low, images.shape[2:], mode="bilinear")
    return [float(f"{v:.9g}") for v in whole.detach().numpy().ravel()]


def main() -> None:
    i = np.arange(144)
    pixels = np.float32(0.25 * np.sin(0.11 * i * i) + np.cos(0.37 * i)).reshape(2, 2, 6, 6)
    images = torch.from_numpy(pixels).double()
    calls = []
    for name, activation in (("Tanh", nn.Tanh), ("Relu", nn.ReLU)):
        attention, slopes = attention_of(Transformer(activation).eval(), images)
        calls.append({"activation": name, "method": "chefer", "parameters": {}, "data": shown(chefer(attention, slopes), images)})
        for discarded in (0, 0.5, 0.9):
            calls.append({
                "activation": name, "method": "gradient-rollout", "parameters": {"discard_ratio": discarded},
                "data": shown(rollout(attention, slopes, discarded), images),
            })  # fmt: skip
    file = METHODS / "cams/attention-vectors.json"
    file.write_text(json.dumps({"classes": CLASSES, "calls": calls}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
