"""Exports networks with random weights, and measures in PyTorch what `bench.ts` measures of them.

    python bench.py export DIR                                  writes DIR/resnet18.onnx and DIR/vit_tiny.onnx
    python bench.py time OUT.json [--device cuda] [--batch 1,32] [--only NAME,NAME] [--runs 10] [--chunk 64] [--tf32]

Needs torch, torchvision and timm, and onnx to export. OUT.json maps "network/row/batch" to the median in milliseconds.
"""

import argparse
import json
import pathlib
import statistics
import time

import torch
import torch.nn.functional as F

ROWS = ["forward", "grad-cam", "input gradient", "IG-50", "score-cam", "occlusion 15/8"]


def networks():
    import timm

    try:
        import torchvision
    except RuntimeError:  # without its compiled operators
        library = torch.library.Library("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision

    torch.manual_seed(0)
    resnet = torchvision.models.resnet18(weights=None).eval()
    vit = timm.create_model("vit_tiny_patch16_224", pretrained=False, exportable=True).eval()
    return {"resnet18": (resnet, resnet.layer4), "vit_tiny": (vit, vit.patch_embed.proj)}


def score(model, x):
    return model(x)[:, 0]


def features(model, layer, x):
    kept = {}
    handle = layer.register_forward_hook(lambda _, __, output: kept.update(map=output))
    try:
        return score(model, x), kept["map"]
    finally:
        handle.remove()


def grad_cam(model, layer, x, _):
    total, activation = features(model, layer, x.requires_grad_())
    slope = torch.autograd.grad(total.sum(), activation)[0]
    return F.relu((slope.mean((2, 3), keepdim=True) * activation).sum(1))


def input_gradient(model, _, x, __):
    x = x.detach().requires_grad_()
    return torch.autograd.grad(score(model, x).sum(), x)[0]


def integrated(model, layer, x, chunk):
    alphas = torch.linspace(0.01, 0.99, 50, device=x.device).view(-1, 1, 1, 1)
    parts = [
        sum(input_gradient(model, layer, alphas[k : k + chunk] * image, chunk).sum(0) for k in range(0, 50, chunk))
        for image in x.detach().split(1)
    ]
    return torch.stack(parts) * x / 50


@torch.no_grad()
def score_cam(model, layer, x, chunk):
    maps = []
    for image in x.split(1):
        _, activation = features(model, layer, image)
        masks = F.interpolate(activation[0][:, None], image.shape[2:], mode="bilinear")
        low, high = masks.amin((2, 3), keepdim=True), masks.amax((2, 3), keepdim=True)
        masks = (masks - low) / (high - low + 1e-8)
        gains = torch.cat([score(model, masks[k : k + chunk] * image) for k in range(0, len(masks), chunk)])
        maps.append(F.relu((gains.softmax(0).view(1, -1, 1, 1) * activation).sum(1)))
    return torch.cat(maps)


@torch.no_grad()
def occlusion(model, _, x, chunk):
    steps = [range(0, size - 15 + 8, 8) for size in x.shape[2:]]
    corners = [(i, j) for i in steps[0] for j in steps[1]]
    drops = []
    for image in x.split(1):
        own = score(model, image)
        for k in range(0, len(corners), chunk):
            rows = image.repeat(len(corners[k : k + chunk]), 1, 1, 1)
            for row, (i, j) in zip(rows, corners[k : k + chunk]):
                row[:, i : i + 15, j : j + 15] = 0
            drops.append(own - score(model, rows))
    return torch.cat(drops)


@torch.no_grad()
def forward(model, _, x, __):
    return model(x)


METHODS = dict(zip(ROWS, [forward, grad_cam, input_gradient, integrated, score_cam, occlusion]))


def median(run, device, runs):
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    run()
    wait()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        wait()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def export(directory):
    for name, (model, _) in networks().items():
        torch.onnx.export(
            model,
            (torch.randn(1, 3, 224, 224),),
            str(directory / f"{name}.onnx"),
            opset_version=17,
            input_names=["image"],
            output_names=["scores"],
            dynamic_axes={"image": {0: "batch"}, "scores": {0: "batch"}},
            dynamo=False,
        )


def measure(args):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = args.tf32
    found = {}
    for name, (model, layer) in networks().items():
        model = model.to(args.device)
        for row in args.only.split(","):
            for batch in map(int, args.batch.split(",")):
                x = torch.randn(batch, 3, 224, 224, device=args.device)
                run = lambda: METHODS[row](model, layer, x, args.chunk)  # noqa: E731
                found[f"{name}/{row}/{batch}"] = median(run, args.device, args.runs)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["export", "time"])
    parser.add_argument("path", type=pathlib.Path)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batch", default="1,32")
    parser.add_argument("--only", default=",".join(ROWS))
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--chunk", type=int, default=64)
    parser.add_argument("--tf32", action="store_true")
    args = parser.parse_args()
    if args.what == "export":
        args.path.mkdir(parents=True, exist_ok=True)
        export(args.path)
    else:
        args.path.write_text(json.dumps(measure(args), indent=1))


if __name__ == "__main__":
    main()
