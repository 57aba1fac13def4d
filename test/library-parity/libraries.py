"""Calls of the libraries: each with what it gave in float32 (reference) and in float64 (exact), and the job that asks
Whylight for the same."""

import contextlib
import copy
import io
import random
import unittest.mock
from collections.abc import Callable, Iterator

import captum.attr as captum
import numpy as np
import pytorch_grad_cam as grad_cam
import torch
import torchcam.methods as torchcam
from captum.attr._utils import lrp_rules
from pytorch_grad_cam.utils import model_targets, svd_on_activations
from torch import nn

QUADRATURES = ["gausslegendre", "riemann_left", "riemann_right", "riemann_middle", "riemann_trapezoid"]


def calls(family: str, model: nn.Module, images: torch.Tensor, classes: list[int], tensors: dict[str, str], rng: random.Random) -> Iterator[dict]:
    exact_model, exact_images = copy.deepcopy(model).double(), images.double()

    def both(run: Callable) -> dict | None:
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                reference = run(copy.deepcopy(model), images)
                exact = run(copy.deepcopy(exact_model), exact_images)
        except Exception as failure:  # a library that does not take the network is no reference
            print(f"the library fails on {family}: {type(failure).__name__}: {str(failure)[:150]}")
            return None
        return {"reference": np.asarray(reference, np.float32), "exact": np.asarray(exact)}

    layers = sorted(tensors)
    one = rng.choice(layers)
    two = rng.sample(layers, 2) if len(layers) > 1 else [one, one]
    for call in (
        *by_torchcam(both, classes, tensors, one, two, rng),
        *by_grad_cam(both, classes, tensors, one, two, rng),
        *by_captum(both, family, images, classes, tensors, one, rng),
    ):
        if call:
            yield call


def job(both: dict | None, library: str, name: str, method: str, tolerance: float = 1e-4, **rest) -> dict | None:
    return both and {"library": library, "name": name, "method": method, "convention": library, "tolerance": tolerance, **both, **rest}


def by_torchcam(both, classes, tensors, one, two, rng) -> Iterator[dict]:
    def run(name, layer, normalized, **options):
        def inner(model, images):
            single = copy.deepcopy(model).float()  # torchcam tries float32 zeros
            own = layer or torchcam._utils.locate_candidate_layer(single, images.shape[1:])
            with getattr(torchcam, name)(model, own, input_shape=images.shape[1:], **options) as extractor:
                scores = model(images)
                maps = extractor(classes, scores, normalized=normalized)
                if len(maps) > 1:
                    return extractor.fuse_cams(maps).detach().numpy()
                return maps[0].detach().numpy()

        return both(inner)

    single = {
        "GradCAM": "grad-cam", "GradCAMpp": "grad-cam-plus-plus", "XGradCAM": "x-grad-cam", "LayerCAM": "layer-cam",
        "ScoreCAM": "score-cam", "ISCAM": "is-cam",
    }  # fmt: skip
    for name, method in single.items():
        options = {"num_samples": rng.choice([2, 5])} if name == "ISCAM" else {}
        params = {"normalized": False, **options}
        yield job(run(name, one, False, **options), "torchcam", name, method, layers=[tensors[one]], params=params)
    yield job(run("GradCAM", None, True), "torchcam", "GradCAM of its own layer", "grad-cam", 1e-3)
    for name in ("GradCAM", "LayerCAM"):
        layers = [tensors[layer] for layer in two]
        yield job(run(name, two, True), "torchcam", f"{name} fused", single[name], 1e-3, layers=layers)
    gamma, references = rng.choice([0.3, 0.6, 1.0]), rng.choice([1, 2, 3])
    yield job(
        run("FinerCAM", one, False, gamma=gamma, num_references=references), "torchcam", "FinerCAM", "finer-cam",
        layers=[tensors[one]], params={"normalized": False, "gamma": gamma, "num_references": references},
    )  # fmt: skip


def by_grad_cam(both, classes, tensors, one, two, rng) -> Iterator[dict]:
    def run(name, layers, targets=model_targets.ClassifierOutputTarget, smooth=False):
        """`smooth`: the principal component of the evidence, with the sign that Whylight gives it."""

        def inner(model, images):
            modules = dict(model.named_modules())
            cam = getattr(grad_cam, name)(model=model, target_layers=[modules[layer] for layer in layers])
            if name == "FinerCAM":
                return np.concatenate([cam(input_tensor=images[n : n + 1], target_idx=c) for n, c in enumerate(classes)])
            with upright_projections(smooth):
                return cam(input_tensor=images, targets=[targets(c) for c in classes], eigen_smooth=smooth)

        return both(inner)

    methods = {
        "GradCAM": "grad-cam", "HiResCAM": "hi-res-cam", "GradCAMElementWise": "grad-cam-element-wise",
        "GradCAMPlusPlus": "grad-cam-plus-plus", "XGradCAM": "x-grad-cam", "LayerCAM": "layer-cam", "FEM": "fem",
        "ScoreCAM": "score-cam", "AblationCAM": "ablation-cam", "KPCA_CAM": "kpca-cam", "ShapleyCAM": "shapley-cam",
        "FinerCAM": "finer-cam",
    }  # fmt: skip
    for name, method in methods.items():
        yield job(run(name, [one]), "pytorch-grad-cam", name, method, 1e-3, layers=[tensors[one]])
    for name, method in {"EigenCAM": "eigen-cam", "EigenGradCAM": "eigen-grad-cam", "SegEigenCAM": "seg-eigen-cam"}.items():
        yield job(run(name, [one], smooth=True), "pytorch-grad-cam", name, method, 1e-3, layers=[tensors[one]])
    for name in ("GradCAM", "LayerCAM"):
        yield job(
            run(name, [one], smooth=True), "pytorch-grad-cam", f"{name} eigen_smooth", methods[name], 1e-3,
            layers=[tensors[one]], params={"eigen_smooth": True},
        )  # fmt: skip
    yield random_cam(both, classes, tensors, one)
    yield job(run("FullGrad", [one]), "pytorch-grad-cam", "FullGrad", "full-grad", 1e-3)
    yield job(run("GradCAM", two), "pytorch-grad-cam", "GradCAM mean", "grad-cam", 1e-3, layers=[tensors[layer] for layer in two])
    kinds = {"softmax": model_targets.ClassifierOutputSoftmaxTarget, "rest": model_targets.ClassifierOutputReST}
    for score, target in kinds.items():
        for name in ("GradCAM", "HiResCAM", "ShapleyCAM"):
            yield job(
                run(name, [one], target), "pytorch-grad-cam", f"{name} {score}", methods[name], 1e-3,
                layers=[tensors[one]], score=score,
            )  # fmt: skip


def random_cam(both, classes, tensors, one) -> dict:
    """With recorded weights, the same for each image, in place of those that the library draws."""
    recorded = {}

    def drawn(_low, _high, size):
        weights = recorded.setdefault("weights", torch.empty(1, size[1]).uniform_(-1, 1).numpy())
        return np.broadcast_to(weights, size)

    def inner(model, images):
        cam = grad_cam.RandomCAM(model=model, target_layers=[dict(model.named_modules())[one]])
        with unittest.mock.patch("numpy.random.uniform", drawn):
            return cam(input_tensor=images, targets=[model_targets.ClassifierOutputTarget(c) for c in classes])

    return job(both(inner), "pytorch-grad-cam", "RandomCAM", "random-cam", 1e-3, layers=[tensors[one]], aux=recorded)


@contextlib.contextmanager
def upright_projections(wanted: bool):
    """The sign of a principal component is LAPACK's whim: for the time being the largest magnitude is positive."""
    modules = [m for m in vars(grad_cam).values() if hasattr(m, "get_2d_projection")]
    original = svd_on_activations.get_2d_projection

    def upright(activations):
        maps = original(activations)
        return np.stack([m if m.max() >= -m.min() else -m for m in maps])

    for module in modules if wanted else []:
        module.get_2d_projection = upright
    try:
        yield
    finally:
        for module in modules:
            module.get_2d_projection = original


def by_captum(both, family, images, classes, tensors, one, rng) -> Iterator[dict]:
    target = torch.tensor(classes)

    def run(make, **options):
        def inner(model, x):
            fitting = {k: v.to(x.dtype) if isinstance(v, torch.Tensor) and v.is_floating_point() else v for k, v in options.items()}
            return make(model, dict(model.named_modules())[one]).attribute(x, target=target, **fitting).detach().numpy()

        return both(inner)

    def of(name, method, tolerance=1e-4, params=None, layered=False, asked=None, aux=None):
        make = lambda model, layer: getattr(captum, name)(model, layer) if layered else getattr(captum, name)(model)  # noqa: E731
        layers = {"layers": [tensors[one]]} if layered else {}
        return job(run(make, **(asked or {})), "captum", name, method, tolerance, params=params or {}, aux=aux or {}, **layers)

    yield of("Saliency", "saliency")
    yield of("InputXGradient", "input-x-gradient")
    yield of("GuidedBackprop", "guided-backprop")
    yield of("Deconvolution", "deconvolution")
    yield of("LayerGradCam", "grad-cam", layered=True)
    yield activation(both, tensors, one)
    yield of("LayerGradientXActivation", "layer-gradient-x-activation", layered=True)
    mode = rng.choice(["nearest", "bilinear"])
    yield of("GuidedGradCam", "guided-grad-cam", params={"interpolate_mode": mode}, layered=True, asked={"interpolate_mode": mode})
    steps, quadrature, baseline = rng.choice([4, 7, 12]), rng.choice(QUADRATURES), rng.choice([0.0, 0.3, -0.5])
    path = {"n_steps": steps, "quadrature": quadrature, "baseline": baseline}
    asked = {"n_steps": steps, "method": quadrature, "baselines": baseline}
    yield of("IntegratedGradients", "integrated-gradients", params=path, asked=asked)
    yield of("LayerIntegratedGradients", "layer-integrated-gradients", params=path, layered=True, asked=asked)
    yield of("InternalInfluence", "internal-influence", params=path, layered=True, asked=asked)
    yield of("LayerConductance", "layer-conductance", params=path, layered=True, asked=asked)
    window = (rng.choice([1, 3]), rng.choice([2, 3, 5]), rng.choice([3, 4]))
    stride = tuple(rng.randint(max(1, w - 1), w) for w in window)
    occlusion = {"sliding_window_shapes": list(window), "strides": list(stride), "baseline": baseline}
    yield of(
        "Occlusion", "occlusion", params=occlusion,
        asked={"sliding_window_shapes": window, "strides": stride, "baselines": baseline, "perturbations_per_eval": 64},
    )  # fmt: skip
    mask = torch.randint(0, 6, (1, *images.shape[1:]))
    yield of(
        "FeatureAblation", "feature-ablation", params={"baseline": baseline}, aux={"feature_mask": mask[0].numpy()},
        asked={"feature_mask": mask, "baselines": baseline},
    )  # fmt: skip
    if family != "mobilenet":  # a module of torch's own that Captum's hooks do not survive
        yield of("DeepLift", "deep-lift", 1e-3, params={"baseline": baseline}, asked={"baselines": baseline})
        baselines = 0.5 * torch.randn(3, *images.shape[1:])
        yield of("DeepLiftShap", "deep-lift-shap", 1e-3, aux={"baselines": baselines.numpy()}, asked={"baselines": baselines})
        yield of("LayerDeepLift", "layer-deep-lift", 1e-3, {"baseline": baseline}, True, {"baselines": baseline})
        yield of("LayerDeepLiftShap", "layer-deep-lift-shap", 1e-3, {}, True, {"baselines": baselines}, {"baselines": baselines.numpy()})
    alphas = np.random.default_rng(rng.randrange(2**31)).uniform(size=4).astype(np.float32)
    yield layer_gradient_shap(both, target, tensors, one, baseline, alphas)
    yield layer_feature_ablation(both, target, tensors, one, baseline)
    if family in ("resnet", "vgg"):
        yield of("LRP", "lrp", 1e-3)
        yield of("LayerLRP", "layer-lrp", 1e-3, layered=True)
    if family == "vgg":  # exporters fold batch norms into the weights that a rule changes
        yield relevance(both, target, rng)


def activation(both, tensors, one) -> dict:
    def inner(model, x):
        return captum.LayerActivation(model, dict(model.named_modules())[one]).attribute(x).detach().numpy()

    return job(both(inner), "captum", "LayerActivation", "layer-activation", layers=[tensors[one]])


def layer_gradient_shap(both, target, tensors, one, baseline, alphas) -> dict:
    """Each image by the same recorded α, in place of those that Captum draws."""

    def inner(model, x):
        explainer = captum.LayerGradientShap(model, dict(model.named_modules())[one])
        with unittest.mock.patch("numpy.random.uniform", return_value=alphas):
            return np.concatenate([
                explainer.attribute(x[n : n + 1], torch.full_like(x[:1], baseline), n_samples=len(alphas), target=target[n : n + 1])
                .detach().numpy() for n in range(len(x))
            ])  # fmt: skip

    params = {"n_samples": len(alphas), "baseline": baseline}
    return job(
        both(inner), "captum", "LayerGradientShap", "layer-gradient-shap", layers=[tensors[one]], params=params, aux={"alphas": alphas}
    )


def layer_feature_ablation(both, target, tensors, one, baseline) -> dict:
    """By random groups of the layer's values."""
    masks = {}

    def inner(model, x):
        layer = dict(model.named_modules())[one]
        shape = captum.LayerActivation(model, layer).attribute(x[:1]).shape
        mask = masks.setdefault("mask", torch.randint(0, 6, shape))
        return captum.LayerFeatureAblation(model, layer).attribute(x, baseline, target=target, layer_mask=mask).numpy()

    found = both(inner)
    aux = {"layer_mask": masks["mask"][0].numpy()} if found else {}
    return job(
        found, "captum", "LayerFeatureAblation", "layer-feature-ablation", layers=[tensors[one]], params={"layer_baseline": baseline}, aux=aux
    )


def relevance(both, target, rng) -> dict:
    """A rule set on the first few layers with weights, as Captum's users set it."""
    name = rng.choice(["gamma", "alpha1-beta0"])
    gamma, first = rng.choice([0.25, 0.5]), rng.choice([1, 2])

    def inner(model, x):
        weighted = [m for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
        for module in weighted[:first]:
            module.rule = lrp_rules.GammaRule(gamma) if name == "gamma" else lrp_rules.Alpha1_Beta0_Rule()
        return captum.LRP(model).attribute(x, target=target).detach().numpy()

    params = {"rule": name, "gamma": gamma, "first": first}
    return job(both(inner), "captum", f"LRP {name}", "lrp", 1e-3, params=params)
