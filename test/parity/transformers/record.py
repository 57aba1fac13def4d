"""Records what pytorch-grad-cam and torchcam say of four small transformers, for `transformers.test.ts`.

    python record.py          # needs torch, torchvision, timm, onnxscript, grad-cam and torchcam 0.5

Writes NETWORK.EXPORTER.onnx beside this file, and vectors.json: two images and their classes, and for each network the
libraries' maps by name. Layers and reshapes are those that the libraries' users give by hand.
"""

import contextlib
import io
import json
import os
import sys
import warnings

import numpy as np
import onnx
import pytorch_grad_cam as grad_cam
import torch
import torchcam.methods as torchcam
import torchvision.models as vision
from pytorch_grad_cam.ablation_layer import AblationLayerVit
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from timm.models.swin_transformer import SwinTransformer
from timm.models.vision_transformer import VisionTransformer

warnings.filterwarnings("ignore")
torch.backends.mha.set_fastpath_enabled(False)
HERE = os.path.dirname(os.path.abspath(__file__))
CLASSES = [1, 2]

# Made anew, image size, layer, and the grid of tokens that have a class token before them.
NETWORKS = {
    "timm_vit": (
        lambda: VisionTransformer(
            img_size=(8, 12), patch_size=2, embed_dim=8, depth=2, num_heads=2, mlp_ratio=2, num_classes=4
        ),
        (8, 12),
        lambda m: m.blocks[-1].norm1,
        (4, 6),
    ),
    "torchvision_vit": (
        lambda: vision.VisionTransformer(
            image_size=8, patch_size=2, num_layers=2, num_heads=2, hidden_dim=8, mlp_dim=16, num_classes=4
        ),
        (8, 8),
        lambda m: m.encoder.layers[-1].ln_1,
        (4, 4),
    ),
    "timm_swin": (
        lambda: SwinTransformer(
            img_size=16, patch_size=2, embed_dim=4, depths=(2, 1), num_heads=(1, 2), window_size=4, num_classes=4
        ),
        (16, 16),
        lambda m: m.norm,
        None,
    ),
    "torchvision_swin": (
        lambda: vision.SwinTransformer(
            patch_size=[2, 2], embed_dim=4, depths=[2, 1], num_heads=[1, 2], window_size=[4, 4], num_classes=4
        ),
        (16, 16),
        lambda m: m.norm,
        None,
    ),
}


def randomised(model: torch.nn.Module) -> torch.nn.Module:
    """Weights large enough for attention and classes to differ, without drop paths."""
    for p in model.parameters():
        if p.ndim > 1:
            torch.nn.init.normal_(p, std=0.7 / max(p[0].numel(), 1) ** 0.5)
        else:
            p.data += 0.1 * torch.randn_like(p)
    return model.eval()


def exported(model: torch.nn.Module, images: torch.Tensor, name: str) -> None:
    named = {"input_names": ["image"], "output_names": ["scores"]}
    for exporter in ("torchscript", "dynamo"):
        path = os.path.join(HERE, f"{name}.{exporter}.onnx")
        with contextlib.redirect_stdout(io.StringIO()):
            if exporter == "dynamo":
                batch = ({0: torch.export.Dim("batch")},)
                torch.onnx.export(
                    model, (images,), path, dynamo=True, dynamic_shapes=batch, external_data=False, verbose=False, **named
                )
            else:
                axes = {"image": {0: "batch"}, "scores": {0: "batch"}}
                torch.onnx.export(model, (images[:1],), path, dynamo=False, dynamic_axes=axes, opset_version=17, **named)
        file = onnx.load(path)  # without the exporter's notes, which name the machine
        file.doc_string = ""
        del file.metadata_props[:], file.graph.metadata_props[:], file.graph.value_info[:]
        for node in file.graph.node:
            node.doc_string = ""
            del node.metadata_props[:]
        onnx.save(file, path)


def from_grad_cam(model, images, layer, reshape) -> dict[str, np.ndarray]:
    names = "GradCAM HiResCAM GradCAMElementWise GradCAMPlusPlus XGradCAM LayerCAM FEM KPCA_CAM ScoreCAM".split()
    targets = [ClassifierOutputTarget(c) for c in CLASSES]
    maps = {}
    with contextlib.redirect_stderr(io.StringIO()):
        for name in names:
            cam = getattr(grad_cam, name)(model=model, target_layers=[layer], reshape_transform=reshape)
            maps[name] = cam(input_tensor=images, targets=targets)
        ablation = grad_cam.AblationCAM(
            model=model, target_layers=[layer], reshape_transform=reshape, ablation_layer=AblationLayerVit()
        )
        maps["AblationCAM"] = ablation(input_tensor=images, targets=targets)
        finer = grad_cam.FinerCAM(model=model, target_layers=[layer], reshape_transform=reshape)
        rows = [finer(input_tensor=images[n : n + 1], target_idx=c) for n, c in enumerate(CLASSES)]
        maps["FinerCAM"] = np.concatenate(rows)
    return maps


def from_torchcam(model, images, layer, reshape) -> dict[str, np.ndarray]:
    maps = {}
    for name in "GradCAM GradCAMpp XGradCAM LayerCAM ScoreCAM ISCAM".split():
        with getattr(torchcam, name)(model, layer, reshape_transform=reshape) as extractor:
            scores = model(images)
            found = extractor(CLASSES, scores, normalized=False)
            maps[name] = found[0].detach().numpy()
    if isinstance(model, vision.VisionTransformer):
        with torchcam.LeGrad(model, list(model.encoder.layers)) as extractor:
            model(images)
            maps["LeGrad"] = extractor(CLASSES)[0].detach().numpy()
        with torchcam.LeGrad(model, list(model.encoder.layers)[-1:]) as extractor:
            model(images)
            maps["LeGrad.last"] = extractor(CLASSES, normalized=False)[0].detach().numpy()
    return maps


def rollout(model, images, grid) -> np.ndarray:
    """Attention rollout, written out for torchvision's blocks, at the images' size."""
    seen = []
    for block in model.encoder.layers:
        forward = block.self_attention.forward

        def recorded(*args, forward=forward, **options):
            out, weights = forward(*args, **{**options, "need_weights": True})
            seen.append(weights)
            return out, weights

        block.self_attention.forward = recorded
    model(images)
    for block in model.encoder.layers:
        del block.self_attention.forward
    mixed = torch.eye(seen[0].shape[-1])
    for weights in seen:
        half = 0.5 * weights + 0.5 * torch.eye(weights.shape[-1])
        mixed = half @ mixed
    low = mixed[:, 0, 1:].reshape(images.shape[0], 1, *grid)
    return torch.nn.functional.interpolate(low, images.shape[2:], mode="bilinear")[:, 0].detach().numpy()


def main() -> None:
    vectors = {}
    for seed, (name, (make, size, layer_of, grid)) in enumerate(NETWORKS.items()):
        torch.manual_seed(seed)
        model = randomised(make())
        images = torch.randn(2, 3, *size)
        exported(model, images, name)

        def reshape(tokens):
            if grid is not None:
                tokens = tokens[:, 1:].reshape(tokens.shape[0], *grid, -1)
            return tokens.permute(0, 3, 1, 2)

        layer = layer_of(model)
        found = {
            "scores": model(images).detach().numpy(),
            "pytorch-grad-cam": from_grad_cam(model, images, layer, reshape),
            "torchcam": from_torchcam(model, images, layer, reshape),
        }
        if name == "torchvision_vit":
            found["rollout"] = rollout(model, images, grid)
        vectors[name] = {"images": images.numpy(), "classes": CLASSES, **found}

    def plain(value):
        if isinstance(value, dict):
            return {key: plain(v) for key, v in value.items()}
        if isinstance(value, np.ndarray):
            return {"shape": list(value.shape), "data": [float(f"{v:.8g}") for v in np.float32(value).ravel()]}
        return value

    with open(os.path.join(HERE, "vectors.json"), "w", encoding="utf-8") as file:
        json.dump(plain(vectors), file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    sys.exit(main())
