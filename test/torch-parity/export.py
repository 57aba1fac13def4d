"""Exports a network of torchvision or timm with random weights, and what PyTorch says its input gradient is.

    python export.py NETWORK DIRECTORY EXPORTER@OPSET...

NETWORK is a torchvision name, or `timm:name`; with `~` at its end activations are smoothed; EXPORTER is `torchscript` or
`dynamo`. Writes a model EXPORTER@OPSET.onnx for each form that could be exported, and per seed x_S.npy [2, 3, H, W],
grad_S.npy (of the sum of each row's own class score, in float64) and floor_S.npy, the same in float32: how far PyTorch
is from itself. about.json says which forms could not be exported, and why.
"""

import json
import sys
import warnings

import numpy as np
import torch

warnings.filterwarnings("ignore")
torch.set_num_threads(2)
torch.backends.mha.set_fastpath_enabled(False)
SEEDS = (0, 1, 2)
SIZES = {"inception_v3": 160, "vgg11": 224, "vgg11_bn": 224, "alexnet": 224}


def network(name: str) -> tuple[torch.nn.Module, int]:
    torch.manual_seed(0)
    if name.startswith("timm:"):
        import timm

        model = timm.create_model(name[5:], pretrained=False, exportable=True)
        config = model.default_cfg
        size, least = (config.get(key, (0,))[-1] for key in ("input_size", "min_input_size"))
        return model, size if config.get("fixed_input_size") else max(min(size, 160), least)
    import torchvision

    extra = {"init_weights": False, "aux_logits": False} if name in ("googlenet", "inception_v3") else {}
    model = torchvision.models.get_model(name, weights=None, **extra)
    transformer = name.startswith(("vit", "swin", "maxvit"))
    return model, SIZES.get(name, 224 if transformer else 128)


def settle(model: torch.nn.Module, size: int) -> None:
    """Gives batch norms the statistics of noise, so that signals neither vanish nor explode."""
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.momentum = None
            module.reset_running_stats()
        elif isinstance(module, torch.nn.Linear) and not module.weight.any():
            torch.nn.init.normal_(module.weight, std=0.05)  # a head that starts at zero would hide everything
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.eval()
    with torch.no_grad():
        model(torch.randn(4, 3, size, size))
    model.eval()


def smooth(model: torch.nn.Module) -> None:
    """Puts SiLU in the place of every activation with a kink, so that no rounding flips a gate."""
    kinked = (torch.nn.ReLU, torch.nn.ReLU6, torch.nn.Hardswish, torch.nn.Hardsigmoid)
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, kinked):
                setattr(module, name, torch.nn.SiLU())
    torch.nn.functional.relu = lambda x, inplace=False: torch.nn.functional.silu(x)


def input_gradient(model: torch.nn.Module, x: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    x = x.clone().requires_grad_()
    model(x).gather(1, classes[:, None]).sum().backward()
    return x.grad


def export(model: torch.nn.Module, x: torch.Tensor, exporter: str, opset: int, path: str) -> None:
    if exporter == "torchscript":
        axes = {"x": {0: "batch"}, "y": {0: "batch"}}
        torch.onnx.export(
            model, (x,), path, opset_version=opset, input_names=["x"], output_names=["y"], dynamic_axes=axes, dynamo=False
        )
    else:
        batch = torch.export.Dim("batch", min=1, max=64)
        program = torch.onnx.export(
            model, (x,), opset_version=opset, dynamo=True, dynamic_shapes=({0: batch},), verbose=False
        )
        program.save(path, external_data=False)


def main() -> None:
    name, directory, *forms = sys.argv[1:]
    model, size = network(name.removesuffix("~"))
    if name.endswith("~"):
        smooth(model)
    settle(model, size)
    rows = []
    for seed in SEEDS:
        generator = torch.Generator().manual_seed(seed)
        x = torch.randn(2, 3, size, size, generator=generator)
        with torch.no_grad():
            y = model(x)
        classes = y.argmax(1)
        floor = input_gradient(model, x, classes)
        exact = input_gradient(model.double(), x.double(), classes).float()
        model.float()
        np.save(f"{directory}/x_{seed}.npy", x.numpy())
        np.save(f"{directory}/grad_{seed}.npy", exact.numpy())
        np.save(f"{directory}/floor_{seed}.npy", floor.numpy())
        rows.append(classes.tolist())
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    failed = {}
    for form in forms:
        exporter, opset = form.split("@")
        try:
            export(model, x, exporter, int(opset), f"{directory}/{form}.onnx")
        except Exception as error:
            failed[form] = f"{type(error).__name__}: {error}".strip().split("\n")[0]
    about = {"seeds": SEEDS, "classes": rows, "size": size, "torch": torch.__version__, "failed": failed}
    with open(f"{directory}/about.json", "w") as file:
        json.dump(about, file)


if __name__ == "__main__":
    main()
