"""Records what zennit says of small networks, for zennit.test.ts in packages/core/src/methods: python record.py

Needs torch, onnx and zennit 0.5.1. Writes zennit/NAME.onnx there per network, and in zennit/recorded.json the images, the classes, and
per composite or rule the relevance of the images (`input`) and of the output of the features (`layer`), float32 in base64.

Canonisation: SequentialMergeBatchNorm, and a residual sum as zennit's Sum. A merged batch normalisation is made the identity in
full: zennit 0.5.1 leaves its epsilon there, and so makes what passes 5e-6 smaller. Initial relevance: the logit of the class, and 0 of all
others (`attr_output=lambda scores: scores * one_hot`). Stabilisers are those of zennit: 1e-6, added with the sign of the denominator.
What is recorded is computed in float64; `error` is how far zennit's own float32 is from it, of the largest relevance. Of 60 seeds the one
with the smallest is taken.
"""

import base64
import json
import pathlib

import numpy as np
import onnx
import torch
import zennit
from networks import CLASSES, Residual, networks
from zennit import composites, rules
from zennit.attribution import Gradient
from zennit.canonizers import SequentialMergeBatchNorm
from zennit.composites import LayerMapComposite, SpecialFirstLayerMapComposite, layer_map_base
from zennit.types import Linear

SIZE = 8
ROWS = 2
FOLDER = pathlib.Path(__file__).parents[3] / "packages/core/src/methods/zennit"
MEAN, STD = (0.5, 0.4, 0.3), (0.25, 0.5, 0.2)
LOW = torch.tensor([-m / s for m, s in zip(MEAN, STD)], dtype=torch.float64).reshape(1, 3, 1, 1)
HIGH = torch.tensor([(1 - m) / s for m, s in zip(MEAN, STD)], dtype=torch.float64).reshape(1, 3, 1, 1)

PRESETS = {
    "epsilon-plus": lambda: composites.EpsilonPlus,
    "epsilon-plus-flat": lambda: composites.EpsilonPlusFlat,
    "epsilon-alpha2-beta1": lambda: composites.EpsilonAlpha2Beta1,
    "epsilon-alpha2-beta1-flat": lambda: composites.EpsilonAlpha2Beta1Flat,
    "epsilon-gamma-box": lambda: lambda **given: composites.EpsilonGammaBox(low=LOW, high=HIGH, **given),
}
# Parameters as Whylight names them, and as zennit does.
KNOBS = [
    ({}, {}),
    ({"zero_params": "bias"}, {"zero_params": ["bias"]}),
    ({"epsilon": 0.1, "stabilizer": 0.01}, {"epsilon": 0.1, "stabilizer": 0.01}),
]
RULES = {
    "epsilon": ([0.01], lambda e, **given: rules.Epsilon(e, **given)),
    "gamma": ([0.25, 1e-6], lambda g, e, **given: rules.Gamma(g, e, **given)),
    "zPlus": ([1e-6], lambda e, **given: rules.ZPlus(e, **given)),
    "alphaBeta": ([2, 1, 1e-6], lambda a, b, e, **given: rules.AlphaBeta(a, b, e, **given)),
    "zBox": ([1e-6], lambda e, low, high, **given: rules.ZBox(low, high, e, **given)),
    "wSquare": ([1e-6], lambda e, **given: rules.WSquare(e, **given)),
    "flat": ([1e-6], lambda e, **given: rules.Flat(e, **given)),
}


class Merge(SequentialMergeBatchNorm):
    def register(self, linears, batch_norm):
        super().register(linears, batch_norm)
        self.epsilon, batch_norm.eps = batch_norm.eps, 0.0

    def remove(self):
        super().remove()
        self.batch_norm.eps = self.epsilon


def cases(flat: bool):
    """What is recorded: how Whylight is asked, and the composite that zennit is given; `flat` for a first layer that is dense."""
    merge = [Merge()]
    for name, make in PRESETS.items():
        for params, given in KNOBS:
            yield {"composite": name, **params}, make()(canonizers=merge, **given)
    for name, (arguments, make) in RULES.items():
        for bias in (True, False):
            bounds = {}
            if name == "zBox":
                shape = (1, 3, SIZE, SIZE)
                bounds = {k: v.expand(shape).reshape(1, -1) if flat else v for k, v in (("low", LOW), ("high", HIGH))}
            rule = make(*arguments, **bounds, **({} if bias else {"zero_params": ["bias"]}))
            asked = {"rule": name, "arguments": arguments, **({} if bias else {"withoutBias": True})}
            base = layer_map_base(1e-6)
            # Bounds are those of pixels, so that this rule is for the first layer alone.
            if name == "zBox":
                yield asked, SpecialFirstLayerMapComposite(base + [(Linear, rules.ZPlus())], [(Linear, rule)], merge)
            else:
                yield asked, LayerMapComposite(base + [(Linear, rule)], merge)


def images() -> torch.Tensor:
    i = np.arange(ROWS * 3 * SIZE * SIZE, dtype=np.float64)
    levels = (np.sin(0.37 * i) + np.cos(0.11 * i * i)) / 4 + 0.5
    return (torch.from_numpy(levels).reshape(ROWS, 3, SIZE, SIZE) * (HIGH - LOW) + LOW).float()


def settled(model: torch.nn.Module, seed: int) -> torch.nn.Module:
    """With weights that are 64ths, and statistics as if it had been trained."""
    torch.manual_seed(seed)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=1.4 / np.sqrt(parameter[0].numel()) if parameter.dim() > 1 else 0.4)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, -0.5, 1.5)  # a negative one, too: signs of weights turn with it
            torch.nn.init.normal_(module.running_mean, std=0.4)
            torch.nn.init.uniform_(module.running_var, 0.3, 2)
    with torch.no_grad():
        for tensor in (*model.parameters(), *(b for b in model.buffers() if b.is_floating_point())):
            tensor.copy_((tensor * 64).round() / 64)
    return model.eval()


def relevance(model, composite, classes, dtype, ones=False):
    """At the images and at the features' output."""
    model = model.to(dtype)
    x = images().to(dtype).requires_grad_()
    one_hot = torch.eye(CLASSES, dtype=dtype)[classes]
    with composite.context(model) as modified:
        scores = modified(x)
        start = one_hot if ones else scores * one_hot
        found = torch.autograd.grad(scores, (x, modified.kept), start)
    return [r.detach().double().numpy() for r in found]


def error(found, exact) -> float:
    return max(float(np.abs(f - e).max() / np.abs(e).max()) for f, e in zip(found, exact))


def coded(array: np.ndarray) -> str:
    return base64.b64encode(array.astype("<f4").tobytes()).decode()


def record(name: str, model: torch.nn.Module) -> dict:
    flat = isinstance(model.features[0], torch.nn.Flatten)

    def attempt(seed):
        settled(model, seed)
        with torch.no_grad():
            classes = model.double()(images().double()).argmax(1).tolist()
        exact = [(asked, relevance(model, composite, classes, torch.float64)) for asked, composite in cases(flat)]
        errors = [error(relevance(model, composite, classes, torch.float32), e) for (_, composite), (_, e) in zip(cases(flat), exact)]
        return errors, classes, exact

    seed = min(range(60), key=lambda s: max(attempt(s)[0]))
    errors, classes, exact = attempt(seed)
    print(f"{name}: seed {seed}, zennit's own float32 is {max(errors):.1e} from its float64")
    model.float()
    for module in model.modules():
        if isinstance(module, Residual):
            module.canonized = False
    # Batch normalisations stay nodes of their own.
    torch.onnx.export(
        model, (images(),), str(FOLDER / f"{name}.onnx"), dynamo=False, opset_version=17, input_names=["image"], output_names=["scores"],
        dynamic_axes={"image": {0: "batch"}, "scores": {0: "batch"}}, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
    )  # fmt: skip
    nodes = onnx.load(FOLDER / f"{name}.onnx").graph.node
    layer = [node for node in nodes if node.name.startswith("/features/")][-1].output[0]
    for module in model.modules():
        if isinstance(module, Residual):
            module.canonized = True
    one = relevance(model, PRESETS["epsilon-plus"]()(canonizers=[Merge()]), classes, torch.float64, ones=True)
    return {
        "classes": classes,
        "layer": layer,
        "one": coded(one[0]),
        "cases": [
            {**asked, "error": float(f"{e:.1e}"), "input": coded(r), "layer": coded(k)} for e, (asked, (r, k)) in zip(errors, exact)
        ],
    }


def main() -> None:
    recorded = {
        "zennit": zennit.__version__ if hasattr(zennit, "__version__") else "0.5.1",
        "torch": torch.__version__,
        "mean": MEAN,
        "std": STD,
        "images": coded(images().numpy()),
        "networks": {name: record(name, model) for name, model in networks().items()},
    }
    (FOLDER / "recorded.json").write_text(json.dumps(recorded, indent=1) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
