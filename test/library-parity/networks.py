"""Small networks of random make, in the manner of architectures that people explain. Modules are used once, no ReLU
works in place, sums are Captum's Addition_Module: so that every library takes them as they are."""

import random

import torch
from captum.attr._utils.custom_modules import Addition_Module
from torch import nn


class Residual(nn.Module):
    def __init__(self, rng: random.Random, inside: int, out: int, stride: int) -> None:
        super().__init__()
        groups = rng.choice([1, 2])
        self.conv1 = nn.Conv2d(inside, out, 3, stride, 1, groups=groups, bias=False)
        self.bn1, self.relu1 = nn.BatchNorm2d(out), nn.ReLU()
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2, self.relu2 = nn.BatchNorm2d(out), nn.ReLU()
        self.add = Addition_Module()
        self.down = nn.Conv2d(inside, out, 1, stride) if stride > 1 or inside != out else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        return self.relu2(self.add(y, x if self.down is None else self.down(x)))


class Network(nn.Module):
    def __init__(self, features: list[nn.Module], *head: nn.Module) -> None:
        super().__init__()
        self.features, self.head = nn.Sequential(*features), nn.Sequential(*head)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(x).flatten(1))


def resnet(rng: random.Random) -> nn.Module:
    width = rng.choice([4, 6])
    pool = rng.choice([nn.MaxPool2d(3, 2, 1), nn.MaxPool2d(2, 2), nn.AvgPool2d(2, 2)])
    return Network([
        nn.Conv2d(3, width, rng.choice([3, 5]), 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(), pool,
        Residual(rng, width, width, 1), Residual(rng, width, 2 * width, 2),
        nn.AdaptiveAvgPool2d(1)], nn.Linear(2 * width, 5),
    )  # fmt: skip


def vgg(rng: random.Random) -> nn.Module:
    width = rng.choice([4, 6])
    return Network([
        nn.Conv2d(3, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2, 2), nn.Conv2d(width, width + 2, 3, padding=1, dilation=1), nn.ReLU(), nn.MaxPool2d(2, 2),
        nn.AdaptiveAvgPool2d(2)], nn.Linear(4 * (width + 2), 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 5),
    )  # fmt: skip


class Dense(nn.Module):
    def __init__(self, inside: int, growth: int) -> None:
        super().__init__()
        self.norm, self.relu = nn.BatchNorm2d(inside), nn.ReLU()
        self.conv = nn.Conv2d(inside, growth, 3, padding=1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, self.conv(self.relu(self.norm(x)))], 1)


def densenet(rng: random.Random) -> nn.Module:
    growth = rng.choice([2, 4])
    return Network([
        nn.Conv2d(3, 4, 3, 2, 1), Dense(4, growth), Dense(4 + growth, growth),
        nn.BatchNorm2d(4 + 2 * growth), nn.ReLU(), nn.Conv2d(4 + 2 * growth, 6, 1), nn.AvgPool2d(2, 2),
        Dense(6, growth), nn.BatchNorm2d(6 + growth), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1)], nn.Linear(6 + growth, 5),
    )  # fmt: skip


class Inverted(nn.Module):
    """Inverted residual with squeeze and excitation."""

    def __init__(self, rng: random.Random, width: int) -> None:
        super().__init__()
        act = rng.choice([nn.ReLU6, nn.Hardswish, nn.SiLU])
        wide = 2 * width
        self.body = nn.Sequential(
            nn.Conv2d(width, wide, 1, bias=False), nn.BatchNorm2d(wide), act(),
            nn.Conv2d(wide, wide, rng.choice([3, 5]), padding="same", groups=wide, bias=False), nn.BatchNorm2d(wide), act(),
        )  # fmt: skip
        self.squeeze = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(wide, 2, 1), nn.ReLU(), nn.Conv2d(2, wide, 1))
        self.gate, self.project = nn.Hardsigmoid(), nn.Conv2d(wide, width, 1)
        self.add = Addition_Module()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.body(x)
        return self.add(x, self.project(y * self.gate(self.squeeze(y))))


def mobilenet(rng: random.Random) -> nn.Module:
    last = rng.choice([nn.ReLU6, nn.Hardswish, nn.ReLU])
    return Network([
        nn.Conv2d(3, 4, 3, 2, 1, bias=False), nn.BatchNorm2d(4), nn.Hardswish(), Inverted(rng, 4), Inverted(rng, 4),
        nn.Conv2d(4, 8, 1), last(), nn.AdaptiveAvgPool2d(1)], nn.Linear(8, 5),
    )  # fmt: skip


def smooth(rng: random.Random) -> nn.Module:
    """Activations that Captum's DeepLIFT has a rule for; curved, so that second derivatives are not zero."""
    act = lambda: rng.choice([nn.ELU, nn.Tanh, nn.Sigmoid, nn.Softplus, nn.LeakyReLU])()  # noqa: E731
    return Network([
        nn.Conv2d(3, 4, 3, padding=1), act(), nn.MaxPool2d(2, 2), nn.Conv2d(4, 6, 3), act(),
        nn.Conv2d(6, 6, 3, padding=1), act(), nn.AdaptiveAvgPool2d(1)], nn.Linear(6, 8), act(), nn.Linear(8, 5),
    )  # fmt: skip


FAMILIES = {f.__name__: f for f in (resnet, vgg, densenet, mobilenet, smooth)}


def made(family: str, rng: random.Random) -> nn.Module:
    """With weights that keep values near one, and statistics that batch normalisation has after training."""
    model = FAMILIES[family](rng)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 1.5)
            nn.init.uniform_(module.weight, 0.6, 1.4)
            nn.init.normal_(module.bias, 0, 0.2)
        elif isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.normal_(module.bias, 0, 0.2)
    return model.eval()
