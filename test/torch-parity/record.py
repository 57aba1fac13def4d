"""Records what PyTorch says of small networks of many families, for recorded.test.ts: python record.py

Per network recorded/NAME.onnx.gz, and in recorded/gradients.json the class that is explained and some elements of the
gradient of its score in the image, in float64: the largest, and some at even distances. Weights are random 64ths, so that the files are small; the image is
element i = sin(0.37 i) + cos(0.11 i²) / 2.
"""

import gzip
import json
import pathlib
import tempfile

import numpy as np
import timm
import torch
from export import export, settle
from timm.models import convnext, maxxvit, mlp_mixer, swin_transformer, vision_transformer
from torchvision.models import densenet, efficientnet, mobilenetv3, squeezenet

SIZE = 32
CLASSES = 5
SAMPLES = 64


def inverted(kernel, out, activation, stride):
    return mobilenetv3.InvertedResidualConfig(8, kernel, 16, out, True, activation, stride, 1, 1)


def networks():
    conf = efficientnet.MBConvConfig
    fused = efficientnet.FusedMBConvConfig
    yield "resnet", "torchscript", 7, timm.models.resnet.ResNet(
        timm.models.resnet.Bottleneck, (1, 1, 1, 1), channels=(2, 2, 4, 4), stem_width=8, num_classes=CLASSES
    )
    yield "densenet", "torchscript", 9, densenet.DenseNet(4, (2, 2), 8, num_classes=CLASSES)
    yield "mobilenet_v3", "torchscript", 14, mobilenetv3.MobileNetV3(
        [inverted(3, 8, "RE", 2), inverted(5, 8, "HS", 1)], 24, num_classes=CLASSES
    )
    yield "efficientnet_v2", "dynamo", 18, efficientnet.EfficientNet(
        [fused(2, 3, 2, 8, 8, 1), conf(2, 3, 2, 8, 12, 1)], dropout=0, num_classes=CLASSES, last_channel=16
    )
    yield "convnext", "torchscript", 17, convnext.ConvNeXt(
        depths=(1, 1, 1, 1), dims=(4, 6, 8, 12), num_classes=CLASSES
    )
    yield "vit", "dynamo", 20, vision_transformer.VisionTransformer(
        SIZE, 8, embed_dim=12, depth=2, num_heads=3, num_classes=CLASSES
    )
    yield "swin", "torchscript", 13, swin_transformer.SwinTransformer(
        SIZE, 2, embed_dim=6, depths=(2, 1), num_heads=(2, 3), window_size=4, num_classes=CLASSES
    )
    yield "coatnet", "torchscript", 16, maxxvit.MaxxVit(
        maxxvit.MaxxVitCfg(embed_dim=(8, 32), depths=(1, 1), block_type=("C", "T"), stem_width=8),
        img_size=SIZE, num_classes=CLASSES,
    )  # fmt: skip
    yield "mixer", "dynamo", 23, mlp_mixer.MlpMixer(CLASSES, SIZE, patch_size=8, num_blocks=2, embed_dim=12)


def image() -> torch.Tensor:
    i = np.arange(3 * SIZE * SIZE, dtype=np.float64)
    return torch.from_numpy(np.sin(0.37 * i) + np.cos(0.11 * i * i) / 2).reshape(1, 3, SIZE, SIZE)


def main() -> None:
    folder = pathlib.Path(__file__).parent / "recorded"
    folder.mkdir(exist_ok=True)
    recorded = {}
    for name, exporter, opset, model in networks():
        torch.manual_seed(0)
        for parameter in model.parameters():
            if parameter.dim() > 1:
                torch.nn.init.normal_(parameter, std=1.2 / np.sqrt(parameter[0].numel()))
        settle(model, SIZE)
        with torch.no_grad():
            for tensor in (*model.parameters(), *(b for b in model.buffers() if b.is_floating_point())):
                lowest = 1 if (tensor > 0).all() else -torch.inf  # variances stay positive
                tensor.copy_((tensor * 64).round().clamp(min=lowest) / 64)
        gradients = []
        for dtype in (torch.float64, torch.float32):
            x = image().float().to(dtype).requires_grad_()
            y = model.to(dtype)(x)
            target = int(y.argmax())
            gradients.append(torch.autograd.grad(y[0, target], x)[0].double().flatten())
        exact, single = gradients
        spaced = np.linspace(0, exact.numel() - 1, SAMPLES // 2).astype(int)
        places = np.union1d(spaced, exact.abs().topk(SAMPLES // 2).indices.numpy())
        with tempfile.TemporaryDirectory() as scratch:
            export(model, torch.cat([image().float()] * 2), exporter, opset, f"{scratch}/model.onnx")
            data = pathlib.Path(f"{scratch}/model.onnx").read_bytes()
        (folder / f"{name}.onnx.gz").write_bytes(gzip.compress(data, 9, mtime=0))
        recorded[name] = {
            "form": f"{exporter}, opset {opset}",
            "target": target,
            "largest": exact.abs().max().item(),
            "norm": exact.norm().item(),
            "gradient": {int(k): float(f"{exact[k].item():.9g}") for k in places},
        }
        floor = ((single - exact).abs().max() / exact.abs().max()).item()
        print(f"{name}: {len(data)} bytes, {(folder / f'{name}.onnx.gz').stat().st_size} compressed, float32 {floor:.0e}")
    about = {"torch": torch.__version__, "networks": recorded}
    text = json.dumps(about, indent=2).replace("e-0", "e-")  # as Biome writes numbers
    (folder / "gradients.json").write_text(text + "\n")


main()
