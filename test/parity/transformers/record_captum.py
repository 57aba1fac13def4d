"""Records what Captum 0.8 says of the transformer of packages/core/src/testing/transformer.ts, for
captum-transformer.test.ts: python record_captum.py

Writes captum-transformer-vectors.json there: by activation (Tanh, Relu) the scores of the two images, and by method
the attributions for classes 2 and 0, in float64. Those at a layer are of its nine patches, [N, C, 3, 3]. ShapleyCAM, whose
library takes no such network, is its formula written out, on the image's size.
"""

import json
import pathlib
import warnings

import captum.attr as captum
import numpy as np
import torch
from torch import nn

warnings.filterwarnings("ignore")
CLASSES = [2, 0]
METHODS = pathlib.Path(__file__).parents[3] / "packages/core/src/methods"


class Parameters:
    """Parameter k is 0.8·sin(1.7k + 0.3), in float32."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, *shape: int, around: float = 0) -> nn.Parameter:
        k = np.arange(self.count, self.count + int(np.prod(shape)))
        self.count += k.size
        values = np.float32(around + 0.8 * np.sin(1.7 * k + 0.3)).reshape(shape)
        return nn.Parameter(torch.from_numpy(values).double())


def linear(learned: Parameters, width: int, to: int) -> nn.Linear:
    layer = nn.Linear(width, to, dtype=torch.float64)
    layer.weight, layer.bias = nn.Parameter(learned(width, to).T), learned(to)
    return layer


def norm(learned: Parameters) -> nn.LayerNorm:
    layer = nn.LayerNorm(4, dtype=torch.float64)
    layer.weight, layer.bias = learned(4, around=1), learned(4)
    return layer


class Block(nn.Module):
    def __init__(self, learned: Parameters, activation: type[nn.Module]) -> None:
        super().__init__()
        self.norm1 = norm(learned)
        self.q, self.k, self.v, self.out = (linear(learned, 4, 4) for _ in range(4))
        self.norm2 = norm(learned)
        self.fc1, self.act, self.fc2 = linear(learned, 4, 8), activation(), linear(learned, 8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        normal = self.norm1(x)
        q, k, v = (layer(normal).reshape(-1, 10, 2, 2).transpose(1, 2) for layer in (self.q, self.k, self.v))
        weights = torch.softmax(q @ k.transpose(2, 3), -1)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(-1, 10, 4))
        return x + self.fc2(self.act(self.fc1(self.norm2(x))))


class Transformer(nn.Module):
    def __init__(self, activation: type[nn.Module]) -> None:
        super().__init__()
        learned = Parameters()
        self.patches = nn.Conv2d(2, 4, 2, 2, dtype=torch.float64)
        self.patches.weight, self.patches.bias = learned(4, 2, 2, 2), learned(4)
        self.token, self.places = learned(4), learned(10, 4)
        self.block0, self.block1 = Block(learned, activation), Block(learned, activation)
        self.norm, self.head = norm(learned), linear(learned, 4, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        patches = self.patches(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(images), 1, 4), patches], 1) + self.places
        return self.head(self.norm(self.block1(self.block0(x)))[:, 0])


def of_patches(tokens: torch.Tensor) -> torch.Tensor:
    return tokens[:, 1:].transpose(1, 2).reshape(len(tokens), -1, 3, 3)


def shapley_cam(model: Transformer, images: torch.Tensor, layer: nn.Module) -> torch.Tensor:
    """ReLU(Σ_k mean(∂y/∂A_k - ½ (∂²y/∂A² A)_k) A_k) of the patches A, the class token held."""
    seen = []

    def held(_, __, tokens):
        seen.append(of_patches(tokens).detach().requires_grad_())
        return torch.cat([tokens[:, :1].detach(), seen[0].flatten(2).transpose(1, 2)], 1)

    handle = layer.register_forward_hook(held)
    score = model(images)[range(2), CLASSES].sum()
    handle.remove()
    (activation,) = seen
    (slope,) = torch.autograd.grad(score, activation, create_graph=True)
    (curvature,) = torch.autograd.grad((slope * activation.detach()).sum(), activation)
    weights = (slope - curvature / 2).mean((2, 3), keepdim=True)
    low = torch.relu((weights * activation).sum(1, keepdim=True))
    return nn.functional.interpolate(low, images.shape[2:], mode="bilinear")[:, 0]


def main() -> None:
    i = np.arange(144)
    pixels = np.float32(0.25 * np.sin(0.11 * i * i) + np.cos(0.37 * i)).reshape(2, 2, 6, 6)
    images = torch.from_numpy(pixels).double()
    recorded = {}
    for name, activation in (("Tanh", nn.Tanh), ("Relu", nn.ReLU)):
        model = Transformer(activation).eval()
        found = {"scores": model(images)}
        path = {"n_steps": 6, "method": "riemann_trapezoid"}
        for method, options in (
            ("Saliency", {"abs": False}), ("InputXGradient", {}), ("GuidedBackprop", {}), ("Deconvolution", {}),
            ("IntegratedGradients", path), ("DeepLift", {}),
        ):  # fmt: skip
            found[method] = getattr(captum, method)(model).attribute(images, target=CLASSES, **options)
        for place in ("block0.fc1", "block1.norm1", "block1.fc1"):
            layer = model.get_submodule(place)
            for method, options in (
                ("LayerActivation", {}), ("LayerGradientXActivation", {}), ("LayerDeepLift", {}),
                ("LayerConductance", path), ("InternalInfluence", path),
            ):  # fmt: skip
                target = {} if method == "LayerActivation" else {"target": CLASSES}
                tokens = getattr(captum, method)(model, layer).attribute(images, **target, **options)
                found[f"{method} {place}"] = of_patches(tokens)
        for place in ("block0.fc1", "block1.norm1"):
            layer = model.get_submodule(place)
            found[f"ShapleyCAM {place}"] = shapley_cam(model, images, layer)
        recorded[name] = {
            key: [float(f"{v:.8g}") for v in value.detach().numpy().ravel()] for key, value in found.items()
        }
    with open(METHODS / "captum-transformer-vectors.json", "w", encoding="utf-8") as file:
        json.dump(recorded, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
