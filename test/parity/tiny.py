"""The tiny network of packages/core/src/testing/network.ts and its images, for the scripts that record libraries on it."""

import json
import pathlib

import numpy as np
import torch
from torch import nn

METHODS = pathlib.Path(__file__).parents[2] / "packages/core/src/methods"
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
    return model.eval()


def images() -> np.ndarray:
    i = np.arange(144)
    return (0.25 * np.sin(0.11 * i * i) + np.cos(0.37 * i)).astype(np.float32).reshape(2, 2, 6, 6)


def call(method: str, parameters: dict, values: np.ndarray) -> dict:
    """What a library gives, and how Whylight is asked for it."""
    return {"method": method, "parameters": parameters, "data": [float(f"{v:.9g}") for v in np.ravel(values)]}


def write(name: str, calls: list[dict], **more) -> None:
    """Writes what was recorded beside the test that compares it."""
    (METHODS / name).write_text(json.dumps({"classes": CLASSES, "calls": calls, **more}, separators=(",", ":")) + "\n")
