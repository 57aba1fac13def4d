"""Records what PAIR's saliency says of the tiny network, for pair.test.ts in packages/core/src/methods/gradients: python record.py

Needs torch and saliency 0.2.1. The network is that of tiny.py. Everything is computed in float64, by the library as it is; Guided IG's `np.quantile(…, interpolation=)` of older NumPy is handed on as `method`.
"""

import pathlib
import sys

import numpy as np
import saliency.core as saliency
import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from tiny import CLASSES, call, images, tiny, write  # noqa: E402


def gradients(model: nn.Module):
    """What the library asks of a model: gradients of a class, images as [N, H, W, C]."""

    def run(x, call_model_args=None, expected_keys=None):
        batch = torch.from_numpy(np.asarray(x).transpose(0, 3, 1, 2).copy()).requires_grad_()
        model(batch)[:, call_model_args].sum().backward()
        return {saliency.INPUT_OUTPUT_GRADIENTS: batch.grad.numpy().transpose(0, 2, 3, 1)}

    return run


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
    model = gradients(tiny().double())
    calls = []
    for method, settings in CALLS.items():
        for parameters, kind, options in settings:
            values = []
            for image, target in zip(images().astype(np.float64), CLASSES):
                x = image.transpose(1, 2, 0)
                own = {k: np.full_like(x, v) if k == "x_baseline" else v for k, v in options.items()}
                values.append(kind().GetMask(x, model, call_model_args=target, **own).transpose(2, 0, 1))
            calls.append(call(method, parameters, values))
    write("gradients/pair-vectors.json", calls)


if __name__ == "__main__":
    main()
