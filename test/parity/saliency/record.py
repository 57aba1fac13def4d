"""Records what PAIR's saliency says of the tiny network, for pair.test.ts in packages/core/src/methods/gradients: python record.py

Needs torch, Pillow and saliency 0.2.1. The network is that of tiny.py. Everything is computed in float64, by the library as it is; Guided IG's `np.quantile(…, interpolation=)` of older NumPy is handed on as `method`.
XRAI is given overlapping regions, recorded too. The regions that it finds itself are recorded of a photo, at the photo's own size.
"""

import base64
import pathlib
import sys

import numpy as np
import saliency.core as saliency
import torch
from PIL import Image
from saliency.core import xrai
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from tiny import CLASSES, METHODS, call, images, tiny, write  # noqa: E402


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


def text(masks: np.ndarray) -> str:
    return base64.b64encode(np.packbits(masks).tobytes()).decode()


def by_regions(model) -> list[dict]:
    """XRAI of each image by regions that overlap, and do not cover it."""
    generator = np.random.default_rng(5)
    masks = generator.random((9, 6, 6)) < 0.3
    masks[:, 0, 0] = False
    calls = []
    for difference in (1, 4):
        options = saliency.XRAIParameters(steps=20)
        options.experimental_params["min_pixel_diff"] = difference
        found = [
            saliency.XRAI().GetMask(x.transpose(1, 2, 0), model, target, segments=list(masks), extra_parameters=options)
            for x, target in zip(images().astype(np.float64), CLASSES)
        ]
        parameters = {"n_steps": 20, "min_pixel_diff": difference, "normalized": False}
        calls.append({**call("xrai", parameters, found), "segments": [int(v) for v in masks.ravel()]})
    return calls


def regions() -> dict:
    """The regions of a photo, from its bytes over 255 in float32."""
    photo = Image.open(METHODS.parents[3] / "apps/cli/photos/coffee.jpg").convert("RGB").resize((72, 54), Image.BILINEAR)
    pixels = np.asarray(photo)
    masks = np.stack(xrai._get_segments_felzenszwalb((pixels / np.float32(255)).astype(np.float32), resize_image=False))
    return {"height": 54, "width": 72, "count": len(masks), "pixels": base64.b64encode(pixels.tobytes()).decode(), "masks": text(masks)}


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
    write("gradients/pair-vectors.json", calls + by_regions(model), regions=regions())


if __name__ == "__main__":
    main()
