"""Small networks for record.py: what zennit's rules tell apart, one thing in each."""

import torch
from torch import nn
from zennit.layer import Sum

CLASSES = 4


class Residual(nn.Module):
    """A block of a ResNet. zennit gives its rule of sums to modules, so there the sum is one; exported it is an Add."""

    def __init__(self, channels: int, out: int, stride: int):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
        self.act1 = nn.ReLU()
        self.conv2, self.bn2 = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)
        self.shortcut = nn.Sequential()
        if stride > 1 or out != channels:
            self.shortcut = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))
        self.sum, self.act2 = Sum(), nn.ReLU()
        self.canonized = True

    def forward(self, x):
        inner = self.bn2(self.conv2(self.act1(self.bn1(self.conv1(x)))))
        outer = self.shortcut(x)
        return self.act2(self.sum(torch.stack([outer, inner], dim=-1)) if self.canonized else outer + inner)


class Network(nn.Module):
    """Features, whose output is the layer that relevance is recorded at, and a head."""

    def __init__(self, features: nn.Module, *head: nn.Module):
        super().__init__()
        self.features, self.head, self.kept = features, nn.Sequential(*head), None

    def forward(self, x):
        self.kept = self.features(x)
        return self.head(self.kept)


def networks() -> dict[str, nn.Module]:
    conv, bn, relu, sequential = nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.Sequential
    pooled = (nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return {
        "batch_norm": Network(
            sequential(conv(3, 6, 3, 1, 1), bn(6), relu(), nn.MaxPool2d(2), conv(6, 8, 3, 1, 1), bn(8), relu()),
            nn.Flatten(), nn.Linear(128, 8), relu(), nn.Linear(8, CLASSES),
        ),  # fmt: skip
        "resnet": Network(
            sequential(conv(3, 6, 3, 1, 1, bias=False), bn(6), relu(), Residual(6, 6, 1)),
            Residual(6, 8, 2), *pooled, nn.Linear(8, CLASSES),
        ),  # fmt: skip
        "vgg": Network(
            sequential(conv(3, 6, 3, 1, 1), relu(), conv(6, 6, 3, 1, 1), relu(), nn.MaxPool2d(2), conv(6, 8, 3, 1, 1), relu()),
            nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 8), relu(), nn.Linear(8, CLASSES),
        ),  # fmt: skip
        "depthwise": Network(
            sequential(
                conv(3, 6, 3, 2, 1, bias=False), bn(6), nn.ReLU6(),
                conv(6, 6, 3, 1, 1, groups=6, bias=False), bn(6), nn.ReLU6(), conv(6, 8, 1), bn(8),
            ),
            conv(8, 8, 3, 1, 1, groups=2), nn.Hardswish(), nn.AvgPool2d(2, 2), nn.Flatten(), nn.Linear(32, CLASSES),
        ),  # fmt: skip
        "leaky": Network(
            sequential(conv(3, 6, 3, 2, 2, dilation=2), nn.LeakyReLU(0.3), conv(6, 6, (3, 2), 1, (1, 0)), nn.ELU()),
            nn.AvgPool2d(3, 2, 1), nn.ConvTranspose2d(6, 5, 3, 2, 1), nn.Tanh(), *pooled, nn.Linear(5, CLASSES),
        ),  # fmt: skip
        "pre_activation": Network(
            sequential(conv(3, 6, 3, 1, 1), relu(), bn(6), relu(), conv(6, 6, 3, 2, 1), nn.GELU(), conv(6, 6, 1), nn.SiLU()),
            *pooled, nn.Linear(6, CLASSES),
        ),  # fmt: skip
        "dense": Network(
            sequential(nn.Flatten(), nn.Linear(192, 12), nn.Tanh(), nn.Linear(12, 8, bias=False), nn.Softplus()),
            nn.Linear(8, CLASSES),
        ),  # fmt: skip
    }
