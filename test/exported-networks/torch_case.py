"""The gradient that PyTorch says, and networks with random weights whose scores differ."""

import warnings

import numpy as np
import torch

from case import Case, photo

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
torch.backends.mha.set_fastpath_enabled(False)


def settle(model: torch.nn.Module, x: torch.Tensor) -> None:
    """Gives batch norms the statistics of what they see of `x` and of images like it: signals neither vanish nor explode."""
    norms = [module for module in model.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]
    model.eval()
    for module in norms:
        module.momentum = None
        module.reset_running_stats()
        module.train()
    for module in model.modules():
        if isinstance(module, torch.nn.Linear) and not module.weight.any():
            torch.nn.init.normal_(module.weight, std=0.05)  # a head that starts at zero would hide everything
    generator = torch.Generator().manual_seed(1)
    rows = [x, *(x.roll((7 * k, 11 * k), (-2, -1)) * (0.4 + 0.2 * k) for k in range(1, 6))]
    images = torch.cat(rows)
    with torch.no_grad():
        model(images + 0.3 * images.std() * torch.randn(images.shape, generator=generator))
    model.eval()


def spread(model: torch.nn.Module, x: torch.Tensor, heads) -> None:
    """Scales the last linear layers so that the scores of `x` have a deviation of 2: no class has 1 / classes."""
    with torch.no_grad():
        factor = 2 / (score(model, x).std() + 1e-12)
        for head in heads:
            head.weight.mul_(factor)
            if head.bias is not None:
                head.bias.mul_(factor)


def score(model: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    y = model(x)
    y = y.logits if hasattr(y, "logits") else y
    return y[0] if isinstance(y, (tuple, list)) else y


def input_gradient(model: torch.nn.Module, x: torch.Tensor, target: int) -> np.ndarray:
    """Of the image twice in one batch: of EfficientFormer-L1 and one image alone, torch 2.13 gives a gradient that its own
    finite differences contradict."""
    x = x.repeat(2, *[1] * (x.dim() - 1)).requires_grad_()
    score(model, x).reshape(2, -1)[0, target].backward()
    return x.grad[0].double().numpy()


def reference(model: torch.nn.Module, x: torch.Tensor, target: int | None = None):
    """The likeliest class, its gradient in float64, and how far float32 is from that.

    How far: the worst of the gradient at `x` and at an input that differs from it by as much as float32 rounds inside the
    network. A rounding that moves one ReLU or one maximum over its edge moves the gradient by percents, in any runtime.
    """
    with torch.no_grad():
        target = int(score(model, x).reshape(-1).argmax()) if target is None else target
    generator = torch.Generator().manual_seed(0)
    noise = [torch.randn(x.shape, generator=generator) * 3e-6 * k for k in (0, 1)]
    singles = [input_gradient(model, x + n, target) for n in noise]
    try:
        double = input_gradient(model.double(), x.double(), target)
    except RuntimeError:  # code that makes float32 tensors of its own
        double = singles[0]
    model.float()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
        parameter.grad = None
    size = np.linalg.norm(double) + 1e-30
    return target, double, float(max(np.linalg.norm(single - double) for single in singles) / size)


def torch_input(case: Case) -> torch.Tensor:
    return torch.from_numpy(case.preparation.input(photo()))
