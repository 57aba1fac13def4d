"""Records what PyTorch says of the last activation of a small network, for activations.test.ts: python activations.py

The network is conv, ReLU, conv, the activation, global average pooling and a linear layer, over images 3x16x16. Per
activation, and per way in which it is exported or spelled out, recorded/activations/NAME.FORM.onnx.gz; a form whose
operators are those of another one is left out. recorded/activations.json has, from float64, the class, the signed
Grad-CAM of a hook on the activation (8x8), and the 16 largest elements of the input
gradient (none for instance norms, whose mean does not move). Weights are 64ths; the image is
element i = sin(0.37 i) + cos(0.11 i²) / 2.
"""

import contextlib
import gzip
import io
import json
import logging
import math
import pathlib
import tempfile
import warnings

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from torch import nn

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
SIZE, CHANNELS, CLASSES = 16, 8, 5
FORMS = [("torchscript", 11), ("torchscript", 17), ("dynamo", 18), ("dynamo", 23)]


class Spelled(nn.Module):
    """A function written out, as people write it."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class LayerNorm2d(nn.Module):
    """ConvNeXt's: over channels, as a layer normalisation of turned axes or written out."""

    def __init__(self, turned):
        super().__init__()
        self.turned = turned
        self.weight = nn.Parameter(torch.linspace(0.5, 1.5, CHANNELS))
        self.bias = nn.Parameter(torch.linspace(-0.25, 0.5, CHANNELS))

    def forward(self, x):
        if self.turned:
            last = F.layer_norm(x.permute(0, 2, 3, 1), (CHANNELS,), self.weight, self.bias, 1e-6)
            return last.permute(0, 3, 1, 2)
        mean = x.mean(1, keepdim=True)
        variance = (x - mean).pow(2).mean(1, keepdim=True)
        x = (x - mean) / torch.sqrt(variance + 1e-6)
        return self.weight[:, None, None] * x + self.bias[:, None, None]


class GroupNormSpelled(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(0.5, 1.5, CHANNELS).reshape(1, CHANNELS, 1, 1))
        self.bias = nn.Parameter(torch.linspace(-0.25, 0.5, CHANNELS).reshape(1, CHANNELS, 1, 1))

    def forward(self, x):
        grouped = x.reshape(-1, 2, CHANNELS // 2, 8, 8)
        mean = grouped.mean((2, 3, 4), keepdim=True)
        variance = ((grouped - mean) ** 2).mean((2, 3, 4), keepdim=True)
        normal = (grouped - mean) * torch.rsqrt(variance + 1e-5)
        return normal.reshape(-1, CHANNELS, 8, 8) * self.weight + self.bias


def weighted(norm):
    """A normalisation whose scale and bias are not all alike."""
    with torch.no_grad():
        norm.weight.copy_(torch.linspace(0.5, 1.5, norm.weight.numel()).reshape(norm.weight.shape))
        if getattr(norm, "bias", None) is not None:
            norm.bias.copy_(torch.linspace(-0.25, 0.5, norm.bias.numel()).reshape(norm.bias.shape))
    return norm


def activations():
    root, c = math.sqrt(2), math.sqrt(2 / math.pi)
    yield "relu", nn.ReLU()
    yield "relu_max", Spelled(lambda x: torch.maximum(x, torch.zeros(1, dtype=x.dtype)))
    yield "relu6", nn.ReLU6()
    yield "relu6_min_max", Spelled(lambda x: torch.minimum(x.relu(), torch.full((1,), 6.0, dtype=x.dtype)))
    yield "leaky_relu", nn.LeakyReLU(0.1)
    yield "leaky_relu_max", Spelled(lambda x: torch.maximum(x, 0.1 * x))
    yield "leaky_relu_where", Spelled(lambda x: torch.where(x > 0, x, 0.2 * x))
    yield "prelu", weighted_prelu()
    yield "prelu_halves", PReluHalves()
    yield "elu", nn.ELU(0.7)
    yield "elu_where", Spelled(lambda x: torch.where(x > 0, x, 0.7 * (torch.exp(x) - 1)))
    yield "celu", nn.CELU(1.3)
    yield "celu_halves", Spelled(lambda x: x.relu() + 1.3 * (torch.exp(x.clamp(max=0) / 1.3) - 1))
    yield "selu", nn.SELU()
    yield "gelu", nn.GELU()
    yield "gelu_spelled", Spelled(lambda x: 0.5 * x * (1 + torch.erf(x * (1 / root))))
    yield "gelu_tanh", nn.GELU(approximate="tanh")
    yield "gelu_tanh_spelled", Spelled(lambda x: 0.5 * x * (1 + torch.tanh(c * (x + 0.044715 * torch.pow(x, 3)))))
    yield "silu", nn.SiLU()
    yield "quick_gelu", Spelled(lambda x: x * torch.sigmoid(1.702 * x))
    yield "hardswish", nn.Hardswish()
    yield "hardswish_spelled", Spelled(lambda x: x * F.relu6(x + 3) / 6)
    yield "hardsigmoid", nn.Hardsigmoid()
    yield "hardsigmoid_spelled", Spelled(lambda x: F.relu6(x + 3) * (1 / 6))
    yield "sigmoid", nn.Sigmoid()
    yield "tanh", nn.Tanh()
    yield "softplus", nn.Softplus()
    yield "softplus_log", Spelled(lambda x: torch.log(1 + torch.exp(x)))
    yield "softplus_beta", nn.Softplus(2.0, 10.0)
    yield "softsign", nn.Softsign()
    yield "mish", nn.Mish()
    yield "mish_spelled", Spelled(lambda x: x * torch.tanh(F.softplus(x)))
    yield "log_sigmoid", nn.LogSigmoid()
    yield "log_sigmoid_softplus", Spelled(lambda x: -F.softplus(-x))
    yield "log_sigmoid_stable", Spelled(lambda x: x.clamp(max=0) - torch.log(1 + torch.exp(-x.abs())))
    yield "softshrink", nn.Softshrink(0.1)
    yield "hardshrink", nn.Hardshrink(0.1)
    yield "tanhshrink", nn.Tanhshrink()
    yield "threshold", nn.Threshold(0.1, 0.2)
    yield "thresholded_relu", Spelled(lambda x: torch.where(x > 0.1, x, torch.zeros_like(x)))
    yield "hardtanh", nn.Hardtanh(-0.5, 0.7)
    yield "abs", Spelled(torch.abs)
    yield "sin", Spelled(torch.sin)
    yield "exp", Spelled(torch.exp)
    yield "sqrt", Spelled(lambda x: torch.sqrt(x.abs() + 0.1))
    yield "square", Spelled(torch.square)
    yield "where", Spelled(lambda x: torch.where(x > 0.1, x, torch.sin(x)))
    yield "neg", Spelled(torch.neg)
    yield "glu", nn.GLU(1)
    yield "rrelu", nn.RReLU()
    yield "layer_norm_2d", LayerNorm2d(True)
    yield "layer_norm_2d_spelled", LayerNorm2d(False)
    yield "layer_norm_chw", weighted(nn.LayerNorm((CHANNELS, 8, 8)))
    yield "rms_norm", weighted(nn.RMSNorm((8,)))
    yield "group_norm", weighted(nn.GroupNorm(2, CHANNELS))
    yield "group_norm_spelled", GroupNormSpelled()
    yield "instance_norm", weighted(nn.InstanceNorm2d(CHANNELS, affine=True))
    yield "batch_norm", weighted(nn.BatchNorm2d(CHANNELS))
    yield "l2_norm", Spelled(lambda x: F.normalize(x, dim=1))
    yield "l2_norm_spelled", Spelled(lambda x: x / torch.sqrt((x * x).sum(1, keepdim=True) + 1e-6))
    yield "softmax", nn.Softmax(1)
    yield "softmin", nn.Softmin(1)
    yield "log_softmax", nn.LogSoftmax(1)
    yield "dropout", nn.Sequential(nn.SiLU(), nn.Dropout())
    yield "identity", nn.Identity()


def weighted_prelu():
    prelu = nn.PReLU(CHANNELS)
    with torch.no_grad():
        prelu.weight.copy_(torch.linspace(0.1, 0.8, CHANNELS))
    return prelu


class PReluHalves(nn.Module):
    """Keras's PReLU."""

    def __init__(self):
        super().__init__()
        self.alpha = nn.Parameter(-torch.linspace(0.1, 0.8, CHANNELS).reshape(CHANNELS, 1, 1))

    def forward(self, x):
        return x.relu() + self.alpha * (-x).relu()


def image():
    i = np.arange(3 * SIZE * SIZE, dtype=np.float64)
    return torch.from_numpy(np.sin(0.37 * i) + np.cos(0.11 * i * i) / 2).reshape(1, 3, SIZE, SIZE)


def network(name, activation):
    torch.manual_seed(0)
    head = nn.Linear(CHANNELS // 2 if name == "glu" else CHANNELS, CLASSES)
    convs = nn.Conv2d(3, CHANNELS, 3, 2, 1), nn.Conv2d(CHANNELS, CHANNELS, 3, 1, 1)
    with torch.no_grad():
        for tensor in (p for layer in (*convs, head) for p in layer.parameters()):
            tensor.mul_(2).mul_(64).round_().div_(64)
    model = nn.Sequential(convs[0], nn.ReLU(), convs[1], activation, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)
    return model.eval()


def exported(model, exporter, opset):
    x = torch.cat([image().float()] * 2)
    with tempfile.TemporaryDirectory() as scratch:
        path = f"{scratch}/model.onnx"
        names = {"input_names": ["x"], "output_names": ["y"]}
        quiet = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
        with quiet[0], quiet[1]:
            if exporter == "torchscript":
                axes = {"x": {0: "batch"}, "y": {0: "batch"}}
                torch.onnx.export(model, (x,), path, opset_version=opset, dynamo=False, dynamic_axes=axes, **names)
            else:
                shapes = ({0: torch.export.Dim("batch", min=1, max=64)},)
                program = torch.onnx.export(model, (x,), opset_version=opset, dynamo=True, dynamic_shapes=shapes, verbose=False)
                for node in program.model.graph:
                    node.metadata_props.clear()  # stack traces of this machine
                program.save(path, external_data=False)
        file = onnx.load(path)
    del file.metadata_props[:]
    for node in file.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    del file.graph.value_info[:]
    return file


def main():
    folder = pathlib.Path(__file__).parent / "recorded"
    (folder / "activations").mkdir(parents=True, exist_ok=True)
    for old in (folder / "activations").glob("*.onnx.gz"):
        old.unlink()
    recorded = {}
    for name, activation in activations():
        model = network(name, activation).float()
        forms = {}
        for exporter, opset in FORMS:
            try:
                file = exported(model, exporter, opset)
            except Exception as error:
                print(f"{name}: not by {exporter}@{opset}: {str(error).splitlines()[0][:120]}")
                continue
            operators = " ".join(node.op_type for node in file.graph.node)
            if operators in forms.values():
                continue
            forms[f"{exporter}@{opset}"] = operators
            data = gzip.compress(file.SerializeToString(), 9, mtime=0)
            (folder / "activations" / f"{name}.{exporter}@{opset}.onnx.gz").write_bytes(data)
        x = image().requires_grad_()
        seen = {}
        model.double()[3].register_forward_hook(lambda _, __, y: seen.update(y=y))
        y = model(x)
        target = int(y.argmax())
        dy, dx = torch.autograd.grad(y[0, target], (seen["y"], x))
        cam = (dy.mean((2, 3), keepdim=True) * seen["y"]).sum(1)[0].flatten()
        dx = dx.flatten()
        places = dx.abs().topk(16).indices.tolist() if dx.abs().max() > 1e-9 else []
        recorded[name] = {
            "forms": list(forms),
            "target": target,
            "cam": [float(f"{v:.7g}") for v in cam.tolist()],
            "largest": dx.abs().max().item(),
            "gradient": {int(k): float(f"{dx[k].item():.9g}") for k in sorted(places)},
        }
    about = {"torch": torch.__version__, "activations": recorded}
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in recorded.items()]
    text = "{\n" + f'"torch": {json.dumps(about["torch"])},\n"activations": {{\n' + ",\n".join(lines) + "\n}\n}\n"
    (folder / "activations.json").write_text(text)
    print(sum(len(r["forms"]) for r in recorded.values()), "files of", len(recorded), "activations")


main()
