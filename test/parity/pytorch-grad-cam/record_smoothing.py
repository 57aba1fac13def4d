"""Records pytorch-grad-cam with `aug_smooth` and `eigen_smooth` on the tiny network, for smoothing.test.ts in packages/core/src/methods/cams:

    python record_smoothing.py

Needs torch and grad-cam 1.5.7; computed in float64 as far as the library does. With `aug_smooth` EigenCAM and its kin are not recorded,
because the sign of a principal component changes from copy to copy as LAPACK makes it; nor is RandomCAM, which draws other weights for
each copy. With `eigen_smooth` a component has the sign that Whylight gives it: the largest magnitude is positive.
RefineCAM hands its `eigen_smooth` on as `aug_smooth`, so that Whylight has neither there.
"""

import pathlib
import sys

import numpy as np
import pytorch_grad_cam as library
import torch
from pytorch_grad_cam.utils import svd_on_activations
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from tiny import CLASSES, call, images, tiny, write  # noqa: E402

AUGMENTED = {
    "GradCAM": "grad-cam", "HiResCAM": "hi-res-cam", "GradCAMElementWise": "grad-cam-element-wise",
    "GradCAMPlusPlus": "grad-cam-plus-plus", "XGradCAM": "x-grad-cam", "LayerCAM": "layer-cam", "FEM": "fem",
    "ScoreCAM": "score-cam", "AblationCAM": "ablation-cam", "KPCA_CAM": "kpca-cam", "ShapleyCAM": "shapley-cam", "FullGrad": "full-grad",
}  # fmt: skip
PROJECTED = {
    "GradCAM": "grad-cam", "GradCAMPlusPlus": "grad-cam-plus-plus", "XGradCAM": "x-grad-cam", "ScoreCAM": "score-cam",
    "AblationCAM": "ablation-cam", "ShapleyCAM": "shapley-cam",
}  # fmt: skip
LAYERS = {"r1": 1, "r2": 3}


def recorded(name: str, layers: list[str], **how: bool) -> np.ndarray:
    model = tiny().double()
    cam = getattr(library, name)(model=model, target_layers=[model[LAYERS[layer]] for layer in layers])
    return cam(torch.from_numpy(images()).double(), [ClassifierOutputTarget(c) for c in CLASSES], **how)


def upright(activations: np.ndarray, original=svd_on_activations.get_2d_projection) -> np.ndarray:
    return np.stack([m if m.max() >= -m.min() else -m for m in original(activations)])


def main() -> None:
    library.base_cam.get_2d_projection = upright
    asked = [(name, method, ["r2"], {"aug_smooth": True}) for name, method in AUGMENTED.items()]
    asked += [("GradCAM", "grad-cam", ["r1", "r2"], {"aug_smooth": True})]
    asked += [(name, method, ["r2"], {"eigen_smooth": True}) for name, method in PROJECTED.items()]
    asked += [("GradCAM", "grad-cam", ["r2"], {"aug_smooth": True, "eigen_smooth": True})]
    write("cams/smoothing-vectors.json", [
        {**call(method, how, recorded(name, layers, **how)), "layers": [] if name == "FullGrad" else layers}
        for name, method, layers, how in asked
    ])  # fmt: skip


if __name__ == "__main__":
    main()
