"""Small networks with the inputs and the ends that people have, by torch's default exporter.

    python inputs_and_heads.py DIRECTORY [NAME...]
"""

import sys

import numpy as np
import torch
from torch import nn

from case import Case, Preparation, each, photo
from torch_case import reference, settle, torch_input


class Small(nn.Module):
    """Three convolutions, a pooling, and `heads` of so many scores each."""

    def __init__(self, channels: int, *heads: int):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, 12, 3, padding=1), nn.BatchNorm2d(12), nn.SiLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.SiLU(), nn.Conv2d(24, 24, 3, stride=2, padding=1), nn.SiLU(),
        )  # fmt: skip
        self.heads = nn.ModuleList(nn.Linear(24, n) for n in heads)

    def forward(self, x):
        features = self.features(x).mean((2, 3))
        scores = [6 * head(features) for head in self.heads]
        return scores[0] if len(scores) == 1 else tuple(scores)


class End(nn.Module):
    """A network with `before` its input and `after` its scores."""

    def __init__(self, network, after=None, before=None):
        super().__init__()
        self.network, self.after, self.before = network, after, before

    def forward(self, x):
        y = self.network(self.before(x) if self.before else x)
        return self.after(y) if self.after else y


RGB = Preparation((64, 64), resize=73)
GRAY = Preparation((64, 64), (0.5,), (0.25,), channels="gray", resize=64)
RAW = (0.0,) * 3, (1.0,) * 3, 1.0


def by_hand(y):
    e = torch.exp(y - y.max(1, keepdim=True).values)
    return e / e.sum(1, keepdim=True)


def scaled(x):
    return (x.float() / 255 - 0.5) / 0.25


#: Name: channels, scores of each head, preparation, what the output is, and what stands before and after.
CASES: dict[str, dict] = {
    "gray28": {"channels": 1, "preparation": Preparation((28, 28), (0.1307,), (0.3081,), channels="gray")},
    "xray14": {"channels": 1, "heads": (14,), "preparation": GRAY, "head": "probability", "after": torch.sigmoid},
    "48x192": {"preparation": Preparation((48, 192), (0.5,) * 3, (0.5,) * 3)},
    "binary_logit": {"heads": (1,), "head": "sigmoid", "output_names": ["logit"]},
    "binary_sigmoid": {"heads": (1,), "head": "probability", "after": torch.sigmoid},
    "binary_softmax": {"heads": (2,), "head": "probability", "after": lambda y: y.softmax(1)},
    "ordinal": {"heads": (4,), "head": "probability", "after": torch.sigmoid},
    "regression": {"heads": (1,), "head": "number", "output_names": ["age"]},
    "two_heads": {"heads": (5, 3), "output_names": ["kind", "colour"], "output": "colour"},
    "softmax": {"head": "probability", "after": lambda y: y.softmax(1)},
    "softmax_clipped": {"head": "probability", "after": lambda y: y.softmax(1).clamp(1e-7, 1 - 1e-7)},
    "softmax_by_hand": {"head": "probability", "after": by_hand},
    "log_softmax": {"head": "softmax", "after": lambda y: y.log_softmax(1)},
    "scores_n_k_1_1": {"after": lambda y: y[:, :, None, None]},
    "nhwc": {"preparation": Preparation((64, 64), layout="NHWC", resize=73), "before": lambda x: x.permute(0, 3, 1, 2)},
    "bgr_caffe": {"preparation": Preparation((64, 64), (104.0, 117.0, 123.0), (1.0,) * 3, 1.0, channels="bgr", resize=73)},
    "scaled_inside": {"preparation": Preparation((64, 64), *RAW, resize=73), "before": scaled, "said": ["--resize", "73"]},
    "uint8": {"preparation": Preparation((64, 64), *RAW, resize=73), "before": scaled, "said": ["--resize", "73"], "byte": True},
    "dynamic_batch": {"dynamic": {0: torch.export.Dim("batch")}},
    "torchscript": {"script": 17},
    "torchscript_opset11": {"script": 11},
}  # fmt: skip


def make(name: str, directory: str) -> None:
    torch.manual_seed(1)
    row = CASES[name]
    network = Small(row.get("channels", 3), *row.get("heads", (7,)))
    end = End(network, row.get("after"), row.get("before")).eval()
    case = Case(directory, "inputs and heads", name, row.get("preparation", RGB), row.get("head", "softmax"))
    case.flags, case.said, case.output = row.get("flags", []), row.get("said"), row.get("output")
    x = torch_input(case)
    settle(network, row["before"](x) if "before" in row else x)
    # What is explained is the score before the last squashing function.
    explained = End(network, None if case.output is None else lambda y: y[1], row.get("before")).eval()
    target, gradient, floor = reference(explained, x)
    if name == "log_softmax":  # the output itself is no score that a softmax follows: its own exponential is shown
        case.head = "softmax"
    names = {"output_names": row["output_names"]} if "output_names" in row else {}
    example = x.to(torch.uint8) if row.get("byte") else x
    if "script" in row:
        axes = {"x": {0: "n"}}
        torch.onnx.export(end, (x,), f"{directory}/model.onnx", opset_version=row["script"], input_names=["x"], dynamic_axes=axes, dynamo=False)
    else:
        shapes = {"dynamic_shapes": (row["dynamic"],)} if "dynamic" in row else {}
        torch.onnx.export(end, (example,), f"{directory}/model.onnx", verbose=False, **shapes, **names)
    case.write(target=target, gradient=gradient, floor=floor)


def bands(name: str, directory: str) -> None:
    """Thirteen bands of reflectance times 10000, as Sentinel-2's are, in a .npy file [H, W, 13]."""
    torch.manual_seed(2)
    network = Small(13, 10).eval()
    rng = np.random.default_rng(0)
    image = (rng.uniform(0, 3000, (64, 64, 13)) + 800 * np.sin(np.arange(64) / 7)[:, None, None]).clip(0).astype(np.uint16)
    x = torch.from_numpy((image.astype(np.float32) / 10000).transpose(2, 0, 1)[None].copy())
    settle(network, x)
    target, gradient, floor = reference(network, x)
    torch.onnx.export(network, (x,), f"{directory}/model.onnx", verbose=False)
    np.save(f"{directory}/bands.npy", image)
    case = Case(directory, "inputs and heads", name, Preparation((64, 64)), photo="bands.npy")
    case.said = ["--size", "64", "--channels", "13", "--scale", "0.0001", "--mean", "0", "--std", "1", "--fit", "stretch"]
    case.write(x=x.numpy(), target=target, gradient=gradient, floor=floor)


if __name__ == "__main__":
    root, *names = sys.argv[1:]
    each(root, names or CASES, lambda name, directory: bands(name, directory) if name == "bands13" else make(name, directory))
    if not names:
        each(root, ["bands13"], bands)
