"""Writes logits.json: what torch's own network says to a few inputs, with its weights and with those of float16.

python record.py PHOTO...
"""

import json
import pathlib
import sys

import numpy as np
import torch
from export import SIZE, load
from PIL import Image
from torch.nn.utils.fusion import fuse_conv_bn_eval


def pattern(across: int, down: int, channel: int) -> np.ndarray:
    """Pixels 0 to 255 [3, SIZE, SIZE] of whole numbers, so that any language makes the same."""
    c, y, x = np.indices((3, SIZE, SIZE))
    return (across * x * x + down * y + channel * c * x) % 256


def crop(path: str) -> np.ndarray:
    """A photo as the manifest has it prepared: its short side 256, bicubic; the middle 224 × 224 of it."""
    photo = Image.open(path).convert("RGB")
    short = 256 / min(photo.size)
    photo = photo.resize([int(short * side) for side in photo.size], Image.BICUBIC)
    left, top = (round((side - SIZE) / 2) for side in photo.size)
    return np.asarray(photo.crop((left, top, left + SIZE, top + SIZE))).transpose(2, 0, 1)


def halved(network):
    """The same network with batch normalisation folded, and each weight as float16 holds it."""

    def fold(module, convolution: str, normalisation: str) -> None:
        folded = fuse_conv_bn_eval(getattr(module, convolution), getattr(module, normalisation))
        folded.weight.data = folded.weight.data.half().float()
        setattr(module, convolution, folded)
        setattr(module, normalisation, torch.nn.Identity())

    fold(network, "_conv_stem", "_bn0")
    fold(network, "_conv_head", "_bn1")
    for block in network._blocks:
        if hasattr(block, "_expand_conv"):
            fold(block, "_expand_conv", "_bn0")
        fold(block, "_depthwise_conv", "_bn1")
        fold(block, "_project_conv", "_bn2")
    network._fc.weight.data = network._fc.weight.data.half().float()
    return network


def logits(network, pixels: np.ndarray) -> list[float]:
    image = torch.from_numpy((pixels.astype(np.float32) - 127) / 128)[None]
    with torch.no_grad():
        return [round(float(score), 4) for score in network(image)[0]]


if __name__ == "__main__":
    inputs = {
        **{f"pattern {numbers}": pattern(*numbers) for numbers in [(0, 1, 64), (1, 3, 50)]},
        **{pathlib.Path(path).name: crop(path) for path in sys.argv[1:]},
    }
    network, half = load(), halved(load())
    recorded = [
        {"input": name, "float32": logits(network, pixels), "float16": logits(half, pixels)}
        for name, pixels in inputs.items()
    ]
    lines = ",\n".join(f"  {json.dumps(each)}" for each in recorded)
    pathlib.Path(__file__).with_name("logits.json").write_text(f"[\n{lines}\n]\n")
