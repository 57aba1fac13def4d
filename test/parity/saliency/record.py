"""Records what PAIR's saliency says of the tiny network, for pair.test.ts in packages/core/src/methods/gradients: python record.py

Needs torch and saliency 0.2.1. The network and its images are those of packages/core/src/testing/network.ts. Everything is computed in
float64, by the library as it is; Guided IG's `np.quantile(…, interpolation=)` of older NumPy is handed on as `method`.
"""

import json
import pathlib

import numpy as np
import saliency.core as saliency
import torch
from torch import nn

FILE = pathlib.Path(__file__).parents[3] / "packages/core/src/methods/gradients/pair-vectors.json"
CLASSES = [1, 2]


def tiny() -> nn.Module:
    """Parameter k, counted through weights and biases in order, is 0.6·sin(1.3k + 0.5), in float32 as in the file."""
    model = nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3),
    )  # fmt: skip
    k = 0
    for parameter in model.parameters():
        values = 0.6 * np.sin(1.3 * np.arange(k, k + parameter.numel()) + 0.5)
        parameter.data = torch.from_numpy(values.astype(np.float32).reshape(parameter.shape))
        k += parameter.numel()
    return model.double()


def images() -> np.ndarray:
    i = np.arange(144)
    return (0.25 * np.sin(0.11 * i * i) + np.cos(0.37 * i)).astype(np.float32).astype(np.float64).reshape(2, 2, 6, 6)


def gradients(model: nn.Module):
    """What the library asks of a model: gradients of a class, images as [N, H, W, C]."""

    def call(x, call_model_args=None, expected_keys=None):
        batch = torch.from_numpy(np.asarray(x).transpose(0, 3, 1, 2).copy()).requires_grad_()
        model(batch)[:, call_model_args].sum().backward()
        return {saliency.INPUT_OUTPUT_GRADIENTS: batch.grad.numpy().transpose(0, 2, 3, 1)}

    return call


def quantile(values, share, interpolation):
    return original_quantile(values, share, method=interpolation)


original_quantile = np.quantile

CALLS = {
    "guided-ig": [
        ({"n_steps": 20}, saliency.GuidedIG, {"x_steps": 20}),
        ({"n_steps": 7, "fraction": 0.1, "max_dist": 1}, saliency.GuidedIG, {"x_steps": 7, "fraction": 0.1, "max_dist": 1.0}),
        ({"n_steps": 9, "max_dist": 0, "baseline": 0.3}, saliency.GuidedIG, {"x_steps": 9, "max_dist": 0.0, "x_baseline": 0.3}),
        ({"n_steps": 12, "fraction": 0.5, "max_dist": 0.2, "baseline": -0.5}, saliency.GuidedIG,
         {"x_steps": 12, "fraction": 0.5, "max_dist": 0.2, "x_baseline": -0.5}),
    ],
    "blur-ig": [
        ({"n_steps": 20, "max_sigma": 5}, saliency.BlurIG, {"steps": 20, "max_sigma": 5}),
        ({}, saliency.BlurIG, {}),
        ({"n_steps": 11, "max_sigma": 3, "grad_step": 0.1, "sqrt": True}, saliency.BlurIG,
         {"steps": 11, "max_sigma": 3, "grad_step": 0.1, "sqrt": True}),
    ],
}  # fmt: skip


def main() -> None:
    np.quantile = quantile
    call = gradients(tiny())
    recorded = []
    for method, settings in CALLS.items():
        for parameters, kind, options in settings:
            values = []
            for image, target in zip(images(), CLASSES):
                x = image.transpose(1, 2, 0)
                own = {k: np.full_like(x, v) if k == "x_baseline" else v for k, v in options.items()}
                values.append(kind().GetMask(x, call, call_model_args=target, **own).transpose(2, 0, 1))
            recorded.append({"method": method, "parameters": parameters, "data": [float(f"{v:.9g}") for v in np.ravel(values)]})
    FILE.write_text(json.dumps({"classes": CLASSES, "calls": recorded}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
