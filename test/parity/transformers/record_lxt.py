"""Records what lxt 2.1, the authors' AttnLRP, says of the transformer of packages/core/src/testing/transformer.ts, for
attn-lrp.test.ts in packages/core/src/methods: python record_lxt.py

Writes attn-lrp-vectors.json there: by activation (Tanh, Relu) the relevance of the two images for classes 2 and 0, in float64. The logit of the class is the initial relevance, all layers with weights have the ε-rule. Relevance
passes activations as it is; so it does the addition of a constant, which lxt has no function for. Stabilisers are 1e-6 with the sign of
the denominator, where lxt adds theirs without.
"""

import json

import lxt.explicit.functional as lrp
import numpy as np
import torch
from lxt.explicit.rules import identity
from record_captum import CLASSES, METHODS, Transformer
from torch import nn

EPSILON = 1e-6


def stabilize(z, epsilon=EPSILON, inplace=False):
    return z + EPSILON * torch.where(z >= 0, 1.0, -1.0)


lrp._stabilize = stabilize


class Patches(torch.autograd.Function):
    """The ε-rule of a convolution."""

    @staticmethod
    def forward(ctx, x, layer):
        ctx.layer = layer
        ctx.save_for_backward(x)
        return layer(x)

    @staticmethod
    def backward(ctx, relevance):
        with torch.enable_grad():
            x = ctx.saved_tensors[0].detach().requires_grad_()
            z = ctx.layer(x)
            return x.detach() * torch.autograd.grad(z, x, relevance / stabilize(z.detach()))[0], None


def linear(layer: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    return lrp.linear_epsilon(x, layer.weight, layer.bias, EPSILON)


def norm(layer: nn.LayerNorm, x: torch.Tensor) -> torch.Tensor:
    return lrp.layer_norm(x, layer.weight, layer.bias, layer.eps)


def block(layers: nn.Module, x: torch.Tensor) -> torch.Tensor:
    normal = norm(layers.norm1, x)
    q, k, v = (linear(layer, normal).reshape(-1, 10, 2, 2).transpose(1, 2) for layer in (layers.q, layers.k, layers.v))
    weights = lrp.softmax(lrp.matmul(q, k.transpose(2, 3)), -1)
    x = lrp.add2(x, linear(layers.out, lrp.matmul(weights, v).transpose(1, 2).reshape(-1, 10, 4)))
    hidden = identity(layers.act, linear(layers.fc1, norm(layers.norm2, x)))
    return lrp.add2(x, linear(layers.fc2, hidden))


def main() -> None:
    i = np.arange(144)
    pixels = np.float32(0.25 * np.sin(0.11 * i * i) + np.cos(0.37 * i)).reshape(2, 2, 6, 6)
    recorded = {}
    for name, activation in (("Tanh", nn.Tanh), ("Relu", nn.ReLU)):
        model = Transformer(activation).eval()
        images = torch.from_numpy(pixels).double().requires_grad_()
        patches = Patches.apply(images, model.patches).flatten(2).transpose(1, 2)
        x = torch.cat([model.token.expand(2, 1, 4), patches], 1) + model.places
        scores = linear(model.head, norm(model.norm, block(model.block1, block(model.block0, x)))[:, 0])
        assert torch.allclose(scores, model(images.detach()))
        (found,) = torch.autograd.grad(scores, images, scores * torch.eye(3, dtype=torch.float64)[CLASSES])
        recorded[name] = [float(f"{v:.8g}") for v in found.numpy().ravel()]
    with open(METHODS / "attn-lrp-vectors.json", "w", encoding="utf-8") as file:
        json.dump(recorded, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
