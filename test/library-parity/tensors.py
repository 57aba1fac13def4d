"""A network as an ONNX file, and which of its tensors is the output of which module."""

import contextlib
import io

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn


def exported(model: nn.Module, images: torch.Tensor, stem: str, exporter: str) -> dict[str, str]:
    """Writes stem.onnx; returns, by module name, the tensor that has the module's values: found by the values."""
    path = f"{stem}.onnx"
    named = {"input_names": ["image"], "output_names": ["scores"]}
    with contextlib.redirect_stdout(io.StringIO()):
        if exporter == "dynamo":
            batch = ({0: torch.export.Dim("batch")},)
            torch.onnx.export(model, (images,), path, dynamo=True, dynamic_shapes=batch, external_data=False, verbose=False, **named)
        else:
            axes = {"image": {0: "batch"}, "scores": {0: "batch"}}
            torch.onnx.export(model, (images,), path, dynamo=False, dynamic_axes=axes, opset_version=17, **named)
    values = every_value(path, images)
    hooked: dict[str, np.ndarray] = {}

    def keep(name: str):
        return lambda _module, _inputs, output: hooked.update({name: output.detach().numpy()})

    hooks = [m.register_forward_hook(keep(n)) for n, m in model.named_modules() if n]
    model(images)
    for hook in hooks:
        hook.remove()
    found = {}
    for name, value in hooked.items():
        if value.ndim != 4 or value.shape[2] * value.shape[3] == 1:
            continue
        same = [k for k, v in values.items() if v.shape == value.shape and np.abs(v - value).max() <= 1e-4 * np.abs(value).max()]
        if same:
            found[name] = same[0]
    return found


def every_value(path: str, images: torch.Tensor) -> dict[str, np.ndarray]:
    file = onnx.load(path)
    outputs = [output for node in file.graph.node for output in node.output if output]
    del file.graph.output[:]
    file.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in outputs)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(file.SerializeToString(), options)
    return dict(zip(outputs, session.run(outputs, {"image": images.numpy()})))
