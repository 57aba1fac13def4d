"""Five networks as they are made smaller or faster: float16, QDQ, QOperator, dynamic int8, ONNX Runtime's optimiser.

    python variants.py DIRECTORY [NETWORK@FORM...]
"""

import copy
import os
import sys

import numpy as np
import onnx
import onnxruntime as ort
import timm
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from case import Case, Preparation, each
from torch_case import reference, settle, spread, torch_input

NETWORKS = {
    "resnet18": (160, {}),
    "mobilenetv3_small_050": (160, {}),
    "efficientnet_b0": (160, {}),
    "convnext_atto": (160, {}),
    "vit_tiny_patch16_224": (224, {"depth": 3}),
}
FORMS = ["float16", "qdq", "qoperator", "dynamic", "ort_basic", "ort_extended"]
#: How far the gradient may be from that of the float32 network in PyTorch, which is not the same function: weights rounded to
#: halves after batch norms were folded into them, or to 256 levels, where an unrelated gradient would be 1.4 away.
#: test/torch-parity/quantized.py holds quantized gradients to a reference of their own.
TOLERANCE = {"float16": 0.1, "qdq": 1.1, "qoperator": 1.1, "dynamic": 1.1}


class Noise(CalibrationDataReader):
    def __init__(self, name: str, x: np.ndarray):
        rng = np.random.default_rng(0)
        rows = [x, *(rng.standard_normal(x.shape).astype(np.float32) for _ in range(7))]
        self.rows = iter([{name: row} for row in rows])

    def get_next(self):
        return next(self.rows, None)


def rewritten(form: str, source: str, path: str, x: np.ndarray) -> None:
    if form == "float16":
        from onnxruntime.transformers.float16 import convert_float_to_float16

        onnx.save(convert_float_to_float16(onnx.load(source), keep_io_types=False), path)
    elif form.startswith("ort_"):
        options = ort.SessionOptions()
        levels = ort.GraphOptimizationLevel
        options.graph_optimization_level = {"ort_basic": levels.ORT_ENABLE_BASIC, "ort_extended": levels.ORT_ENABLE_EXTENDED}[form]
        options.optimized_model_filepath = path
        ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    elif form == "dynamic":
        quantize_dynamic(source, path)
    else:
        kind = {"qdq": QuantFormat.QDQ, "qoperator": QuantFormat.QOperator}[form]
        ready = f"{path}.ready"
        quant_pre_process(source, ready, skip_symbolic_shape=True)
        quantize_static(ready, path, Noise(onnx.load(source).graph.input[0].name, x), quant_format=kind)
        os.remove(ready)


def make(name: str, directory: str) -> None:
    network, form = name.split("@")
    side, thin = NETWORKS[network]
    torch.manual_seed(0)
    model = timm.create_model(network, pretrained=False, num_classes=10, **thin)
    case = Case(directory, "variants", name, Preparation.imagenet(side), tolerance=TOLERANCE.get(form, 1e-3))
    case.quantized = form in ("qdq", "qoperator", "dynamic")
    x = torch_input(case)
    settle(model, x)
    spread(model, x, [model.get_classifier()])
    target, gradient, floor = reference(copy.deepcopy(model), x)
    source = f"{directory}/source.onnx"
    torch.onnx.export(model, (x,), source, verbose=False, external_data=False)
    rewritten(form, source, f"{directory}/model.onnx", x.numpy())
    os.remove(source)
    half = {"shown_tolerance": 5e-3} if form == "float16" else {}
    case.write(target=target, gradient=gradient, floor=floor, **half)


if __name__ == "__main__":
    root, *names = sys.argv[1:]
    each(root, names or [f"{network}@{form}" for network in NETWORKS for form in FORMS], make)
