"""Records what PyTorch, pytorch-grad-cam and Captum say of networks that score no classes, for beyond.test.ts: python beyond.py

Per network recorded/NAME.onnx.gz with random 64ths as weights, and in recorded/beyond.json, for each score, its value, elements of the
gradient in the image in float64, and Grad-CAM of pytorch-grad-cam at a layer. The image is element i = sin(0.37 i) + cos(0.11 i²) / 2.
Regions are boxes (x, y, width, height) in the output's pixels, or the pixels that the network predicts the class at.
"""

import gzip
import json
import pathlib
import tempfile

import numpy as np
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import SemanticSegmentationTarget
from torch import nn
from torch.nn import functional as F

SIZE = 24
SAMPLES = 32


def conv(a, b, stride=1, dilation=1):
    return nn.Sequential(nn.Conv2d(a, b, 3, stride, dilation, dilation), nn.BatchNorm2d(b), nn.ReLU())


class UNet(nn.Module):
    """Two levels, skips by concatenation."""

    def __init__(self, classes):
        super().__init__()
        self.first, self.second, self.bottleneck = conv(3, 4), conv(4, 6, 2), conv(6, 12, 2)
        self.up1, self.merge1 = nn.ConvTranspose2d(12, 6, 2, 2), conv(12, 6)
        self.up0, self.merge0 = nn.ConvTranspose2d(6, 4, 2, 2), conv(8, 4)
        self.head = nn.Conv2d(4, classes, 1)

    def forward(self, x):
        a = self.first(x)
        b = self.second(a)
        c = self.bottleneck(b)
        b = self.merge1(torch.cat([self.up1(c), b], 1))
        return self.head(self.merge0(torch.cat([self.up0(b), a], 1)))


class DeepLab(nn.Module):
    """A dilated encoder, pooled and dilated branches, one resize at the end."""

    def __init__(self, classes):
        super().__init__()
        self.encoder = nn.Sequential(conv(3, 6, 2), conv(6, 10, 2), conv(10, 16, 1, 2))
        self.a, self.b = conv(16, 5), conv(16, 5, 1, 2)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(16, 5, 1), nn.ReLU())
        self.head = nn.Conv2d(15, classes, 1)

    def forward(self, x):
        y = self.encoder(x)
        pooled = F.interpolate(self.pool(y), size=y.shape[-2:], mode="nearest")
        y = self.head(torch.cat([self.a(y), self.b(y), pooled], 1))
        return F.interpolate(y, size=(SIZE, SIZE), mode="bilinear", align_corners=False)


class Last(nn.Module):
    """The same with the classes last."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x).permute(0, 2, 3, 1)


class Points(nn.Module):
    """Key points [N, 5, 2]."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(conv(3, 6, 2), conv(6, 8, 2))
        self.head = nn.Linear(8, 10)

    def forward(self, x):
        return self.head(self.body(x).mean((2, 3))).reshape(-1, 5, 2)


class Embedding(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(conv(3, 6, 2), conv(6, 8, 2))
        self.head = nn.Linear(8, 12)

    def forward(self, x):
        return F.normalize(self.head(self.body(x).mean((2, 3))), dim=1) * 3 + 1


def networks():
    """name, network, layer for Grad-CAM, output's name, values (spelling, function), regions (class, box, over)"""
    torch.manual_seed(0)
    unet, deeplab = UNet(4), DeepLab(3)
    boxes = [(2, [5, 3, 9, 7], "sum"), (1, [0, 12, 24, 12], "mean"), ("most", "predicted", "sum")]
    yield "unet", unet, unet.bottleneck, "masks", [
        ("output:masks[2,3:10,5:14].sum", lambda y: y[:, 2, 3:10, 5:14].sum()),
        ("output:masks[-1,::-3,...].mean", lambda y: y[:, -1, 2::3].mean((1, 2)).sum()),
        ("output:masks[1].max", lambda y: y[:, 1].amax((1, 2)).sum()),
        ("output:masks.norm", lambda y: y.flatten(1).norm(dim=1).sum()),
    ], boxes  # fmt: skip
    yield "deeplab", deeplab, deeplab.encoder[2], "masks", [("output:masks[0].mean", lambda y: y[:, 0].mean())], boxes
    last = DeepLab(3)
    yield "classes_last", Last(last), last.encoder[2], "masks", [
        ("output:masks[4:20,4:20,1]", lambda y: y[:, 4:20, 4:20, 1].sum())
    ], boxes  # fmt: skip
    binary = UNet(1)
    yield "binary", binary, binary.bottleneck, "mask", [("output:mask.sum", lambda y: y.sum())], [
        (0, [2, 2, 8, 10], "sum"), (0, "predicted", "mean"),
    ]  # fmt: skip
    points = Points()
    yield "points", points, points.body[1], "points", [
        ("output:points[3,1]", lambda y: y[:, 3, 1].sum()),
        ("output:points[:,0].max", lambda y: y[:, :, 0].amax(1).sum()),
    ], []  # fmt: skip
    embedding = Embedding()
    yield "embedding", embedding, embedding.body[1], "embedding", [
        ("output:embedding[2:5].norm", lambda y: y[:, 2:5].norm(dim=1).sum())
    ], []  # fmt: skip


def image():
    i = np.arange(3 * SIZE * SIZE, dtype=np.float64)
    return torch.from_numpy(np.sin(0.37 * i) + np.cos(0.11 * i * i) / 2).reshape(1, 3, SIZE, SIZE).float()


def settle(model):
    torch.manual_seed(0)
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        model(torch.randn(16, 3, SIZE, SIZE))
        for tensor in (*model.parameters(), *(b for b in model.buffers() if b.is_floating_point())):
            lowest = 1 if (tensor > 0).all() else -torch.inf
            tensor.copy_((tensor * 64).round().clamp(min=lowest) / 64)
    model.eval()
    inner = model.inner if isinstance(model, Last) else model
    if isinstance(inner.head, nn.Conv2d):  # each class is predicted somewhere
        with torch.no_grad():
            inner.head.bias -= (inner(image()).mean((0, 2, 3)) * 64).round() / 64


def mask_of(model, y, category, region):
    channels_first = y.permute(0, 3, 1, 2) if isinstance(model, Last) else y
    classes, height, width = channels_first.shape[1:]
    if region == "predicted":
        found = channels_first[0, 0] > 0 if classes == 1 else channels_first[0].argmax(0) == category
        return found.float().numpy()
    x, top, w, h = region
    mask = np.zeros((height, width), np.float32)
    mask[top : top + h, x : x + w] = 1
    return mask


def shortened(values):
    return [float(f"{v:.8g}") for v in np.asarray(values, np.float64).flatten()]


def gradient_of(model, score):
    """The score, and places and elements of its gradient, in float64."""
    x = image().double().requires_grad_()
    value = score(model.double()(x))
    gradient = torch.autograd.grad(value, x)[0].flatten()
    model.float()
    spaced = np.linspace(0, gradient.numel() - 1, SAMPLES // 2).astype(int)
    places = np.union1d(spaced, gradient.abs().topk(SAMPLES // 2).indices.numpy())
    return {
        "score": float(f"{value.item():.9g}"),
        "largest": gradient.abs().max().item(),
        "norm": gradient.norm().item(),
        "gradient": {int(k): float(f"{gradient[k].item():.9g}") for k in places},
    }


def cam_of(model, layer, target):
    with GradCAM(model=model, target_layers=[layer]) as cam:
        return shortened(cam(input_tensor=image(), targets=[target])[0, ::3, ::3])


def main():
    folder = pathlib.Path(__file__).parent / "recorded"
    recorded = {}
    for name, model, layer, output, values, regions in networks():
        settle(model)
        first = lambda y: y.permute(0, 3, 1, 2) if isinstance(model, Last) else y  # noqa: B023, E731
        about = {"output": output, "values": {}, "regions": []}
        for spelling, score in values:
            about["values"][spelling] = gradient_of(model, score) | {"cam": cam_of(model, layer, lambda y: score(y[None]))}
        with torch.no_grad():
            y = model(image())
        for category, region, over in regions:
            if category == "most":  # the class of most pixels
                category = int(first(y)[0].argmax(0).flatten().mode().values)
            mask = mask_of(model, y, category, region)
            target = SemanticSegmentationTarget(category, mask)
            count = mask.sum() if over == "mean" else 1

            def score(y):
                return target(first(y)[0].float() if y.dtype == torch.float32 else first(y)[0]) / count

            about["regions"].append(
                {"class": category, "region": region, "over": over, "pixels": int(mask.sum())}
                | gradient_of(model, score)
                | {"cam": cam_of(model, layer, lambda y: target(first(y[None])[0]))}
            )
        with tempfile.TemporaryDirectory() as scratch:
            torch.onnx.export(
                model, image(), f"{scratch}/model.onnx", opset_version=17, dynamo=False,
                input_names=["image"], output_names=[output],
                dynamic_axes={"image": {0: "batch"}, output: {0: "batch"}},
            )  # fmt: skip
            data = pathlib.Path(f"{scratch}/model.onnx").read_bytes()
        path = folder / f"{name}.onnx.gz"
        path.write_bytes(gzip.compress(data, 9, mtime=0))
        recorded[name] = about
        print(name, len(data), path.stat().st_size, [r["pixels"] for r in about["regions"]])
    import importlib.metadata

    about = {
        "torch": torch.__version__,
        "pytorch-grad-cam": importlib.metadata.version("grad-cam"),
        "networks": recorded,
    }
    (folder / "beyond.json").write_text(json.dumps(about, indent=1).replace("e-0", "e-") + "\n")


main()
