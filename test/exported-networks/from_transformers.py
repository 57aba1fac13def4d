"""HuggingFace's image classifiers with random weights, as optimum exports them: a folder with config.json and
preprocessor_config.json, and the same optimised by -O1 to -O3; where optimum does not optimise a network, by ONNX Runtime.

    python from_transformers.py DIRECTORY [NAME...]

What is right comes from the image processor that goes with each, and from PyTorch.
"""

import os
import shutil
import sys

import numpy as np
import torch
import transformers as t

from case import Case, Preparation, each, photo
from torch_case import reference, settle, spread

SMALL = {"hidden_size": 96, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 192}
TOWER = {"hidden_size": 96, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 192, "image_size": 224, "patch_size": 16}
CLIP_TEXT = {**SMALL, "vocab_size": 100, "projection_dim": 64}
HALF = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}

#: Class of the network, its configuration, and the image processor that its model cards use.
NETWORKS = {
    "vit224": (t.ViTForImageClassification, t.ViTConfig(**SMALL), t.ViTImageProcessor(**HALF)),
    "vit384": (
        t.ViTForImageClassification,
        t.ViTConfig(**SMALL, image_size=384),
        t.ViTImageProcessor(size={"height": 384, "width": 384}, **HALF),
    ),
    "deit": (
        t.DeiTForImageClassification,
        t.DeiTConfig(**SMALL),
        t.DeiTImageProcessor(size={"height": 256, "width": 256}, crop_size={"height": 224, "width": 224}, resample=3, **IMAGENET),
    ),
    "beit": (
        t.BeitForImageClassification,
        t.BeitConfig(**SMALL, use_relative_position_bias=True),
        t.BeitImageProcessor(do_center_crop=False, size={"height": 224, "width": 224}, **HALF),
    ),
    "swin": (
        t.SwinForImageClassification,
        t.SwinConfig(embed_dim=24, depths=[1, 2, 1, 1], num_heads=[1, 2, 3, 6]),
        t.ViTImageProcessor(resample=3, **IMAGENET),
    ),
    "swinv2_256": (
        t.Swinv2ForImageClassification,
        t.Swinv2Config(image_size=256, window_size=8, embed_dim=24, depths=[1, 2, 1, 1], num_heads=[1, 2, 3, 6]),
        t.ViTImageProcessor(size={"height": 256, "width": 256}, resample=3, **IMAGENET),
    ),
    "convnextv2": (
        t.ConvNextV2ForImageClassification,
        t.ConvNextV2Config(hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 2, 1], image_size=224),
        t.ConvNextImageProcessor(size={"shortest_edge": 224}, crop_pct=0.875, resample=3, **IMAGENET),
    ),
    "dinov2": (
        t.Dinov2ForImageClassification,
        t.Dinov2Config(hidden_size=96, num_hidden_layers=2, num_attention_heads=3, image_size=224, patch_size=14),
        t.BitImageProcessor(size={"shortest_edge": 256}, crop_size={"height": 224, "width": 224}, resample=3, **IMAGENET),
    ),
    "mobilevit_256": (
        t.MobileViTForImageClassification,
        t.MobileViTConfig(image_size=256, hidden_sizes=[24, 32, 48], neck_hidden_sizes=[8, 16, 24, 32, 40, 48, 64]),
        t.MobileViTImageProcessor(size={"shortest_edge": 288}, crop_size={"height": 256, "width": 256}),
    ),
    "siglip": (
        t.SiglipForImageClassification,
        t.SiglipConfig(vision_config=TOWER, text_config={**SMALL, "vocab_size": 100}),
        t.SiglipImageProcessor(size={"height": 224, "width": 224}, resample=3, **HALF),
    ),
    "clip": (
        t.CLIPForImageClassification,
        t.CLIPConfig(vision_config={**TOWER, "projection_dim": 64}, text_config=CLIP_TEXT, projection_dim=64),
        t.CLIPImageProcessor(),
    ),
}
ANIMALS = ["tabby cat", "golden retriever", "red fox", "barn owl", "sea otter", "brown bear"]


def exported(model, processor, directory: str, optimize: str | None) -> None:
    from optimum.exporters.onnx import main_export

    source = os.path.join(directory, "source")
    model.save_pretrained(source)
    processor.save_pretrained(source)
    main_export(source, output=directory, task="image-classification", optimize=optimize, do_validation=False)
    shutil.rmtree(source)


def by_hand(model, processor, x, directory: str) -> None:
    """What people do where optimum knows no export: torch's, and the files of save_pretrained beside it."""

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, pixel_values):
            return self.model(pixel_values).logits

    torch.onnx.export(Logits(), (x,), f"{directory}/model.onnx", verbose=False, input_names=["pixel_values"], output_names=["logits"])
    model.config.save_pretrained(directory)
    processor.save_pretrained(directory)


def optimised(path: str, level: str) -> None:
    """What the level of optimum does, by ONNX Runtime's own optimiser: optimum knows the levels for few kinds of network."""
    from onnxruntime.transformers.fusion_options import FusionOptions
    from onnxruntime.transformers.optimizer import optimize_model

    options = FusionOptions("vit")
    options.enable_gelu_approximation = level == "O3"
    model = optimize_model(path, "vit", opt_level=1, optimization_options=options, only_onnxruntime=level == "O1")
    model.save_model_to_file(path)


def make(name: str, directory: str) -> None:
    torch.manual_seed(0)
    kind, _, level = name.partition("-")
    build, config, processor = NETWORKS[kind]
    config.id2label = dict(enumerate(ANIMALS))
    config.label2id = {label: i for i, label in enumerate(ANIMALS)}
    model = build(config)
    x = np.asarray(processor(photo(), return_tensors="np")["pixel_values"], np.float32)
    tensor = torch.from_numpy(x)
    settle(model, tensor)
    heads = [module for path, module in model.named_modules() if path.split(".")[-1] in ("classifier", "cls_classifier")]
    spread(model, tensor, [head for head in heads if hasattr(head, "weight")])
    target, gradient, floor = reference(model, tensor)
    try:
        exported(model, processor, directory, level or None)
    except (NotImplementedError, ValueError) as error:
        said = f"{type(error).__name__}: {error}".split("\n")[0]
        try:
            exported(model, processor, directory, None)
        except ValueError:
            by_hand(model, processor, tensor, directory)
        if level:
            optimised(f"{directory}/model.onnx", level)
        with open(f"{directory}/optimum_refused.txt", "w") as out:
            out.write(said)
    case = Case(directory, "transformers", name, Preparation((224, 224)), model=".", said=[], labels=ANIMALS)
    case.write(x=x, target=target, gradient=gradient, floor=floor, file=f"{directory}/model.onnx")


if __name__ == "__main__":
    root, *names = sys.argv[1:]
    each(root, names or [kind + level for kind in NETWORKS for level in ("", "-O1", "-O2", "-O3")], make)
