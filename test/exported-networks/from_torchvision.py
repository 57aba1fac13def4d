"""All of torchvision's classifiers with random weights, by torch's default exporter.

    python from_torchvision.py DIRECTORY [NAME...]
"""

import sys

import torch
import torchvision

from case import Case, Preparation, each
from torch_case import reference, settle, spread, torch_input

#: Of these families a smaller one of the same code stands for those of 200 million weights and more.
GIANTS = {"convnext_large", "regnet_y_128gf", "vit_h_14", "vit_l_16", "vit_l_32"}
SIZES = {"inception_v3": 192, "alexnet": 128, "maxvit_t": 224, "swin_v2": 256, "vit_": 224}
NETWORKS = [name for name in torchvision.models.list_models(module=torchvision.models) if name not in GIANTS]


def make(name: str, directory: str) -> None:
    torch.manual_seed(0)
    extra = {"init_weights": False, "aux_logits": False} if name in ("googlenet", "inception_v3") else {}
    model = torchvision.models.get_model(name, weights=None, num_classes=10, **extra)
    side = next((size for start, size in SIZES.items() if name.startswith(start)), 96)
    case = Case(directory, "torchvision", name, Preparation.imagenet(side))
    x = torch_input(case)
    settle(model, x)
    linear = [module for module in model.modules() if isinstance(module, torch.nn.Linear) and module.out_features == 10]
    spread(model, x, linear)
    target, gradient, floor = reference(model, x)
    torch.onnx.export(model, (x,), f"{directory}/model.onnx", verbose=False)
    case.write(target=target, gradient=gradient, floor=floor)


if __name__ == "__main__":
    root, *names = sys.argv[1:]
    each(root, names or NETWORKS, make)
