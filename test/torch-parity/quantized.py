"""Quantizes or halves a network and compares its explainer with the straight-through gradient, a Markdown row per form.

    python quantized.py NETWORK FORM@OPSET...

FORM is `qdq` (int8, calibrated on noise, a scale per channel), `qoperator` (the same as QLinearConv and QLinearMatMul),
`dynamic` (ConvInteger and MatMulInteger) or `float16`. The reference runs the file node by node in PyTorch, in float64:
rounding counts as the identity and what is cut off as constant. One level more or less in one place moves everything after
it, so the reference takes the levels that ONNX Runtime found. Needs node: the explainer is what `whylight compile` writes.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn.functional as F
from export import SEEDS, export, network, settle
from onnx import numpy_helper

RANGES = {np.int8: (-128, 127), np.uint8: (0, 255)}


class Fake(torch.autograd.Function):
    """The number that a level stands for; straight through where clip(round(x / scale) + zero) cuts nothing off."""

    @staticmethod
    def forward(ctx, x, scale, zero, low, high, level):
        own = torch.round(x / scale) + zero
        ctx.save_for_backward((own >= low) & (own <= high))
        return (level - zero) * scale

    @staticmethod
    def backward(ctx, dy):
        return dy * ctx.saved_tensors[0], None, None, None, None, None


def double(array):
    return torch.from_numpy(array.astype(np.float64))


def along(parameter, rank, axis):
    """A scale per element of `axis`, in a shape that broadcasts."""
    return parameter.reshape([-1 if i == axis % rank else 1 for i in range(rank)]) if parameter.numel() > 1 else parameter


class Interpreter:
    """Runs an ONNX file in PyTorch. A quantized value is held as the real number that it stands for."""

    def __init__(self, path):
        self.graph = onnx.load(path).graph
        self.weights = {i.name: numpy_helper.to_array(i) for i in self.graph.initializer}

    def __call__(self, x, levels):
        self.values = {self.graph.input[0].name: x}
        for node in self.graph.node:
            self.level = levels.get(node.output[0])
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            results = getattr(self, node.op_type)(node.input, attributes)
            results = results if isinstance(results, tuple) else (results,)
            self.values.update(zip(node.output, results))
        return self.values[self.graph.output[0].name]

    def get(self, name):
        return self.values[name] if name in self.values else double(self.weights[name])

    def range(self, zero):
        return RANGES[self.weights[zero].dtype.type]

    # Quantization

    def QuantizeLinear(self, i, a):
        x = self.get(i[0])
        scale, zero = (along(self.get(n), x.dim(), a.get("axis", 1)) for n in i[1:3])
        return Fake.apply(x, scale, zero, *self.range(i[2]), self.level)

    def DequantizeLinear(self, i, a):
        if i[0] in self.values:
            return self.values[i[0]]
        q = self.get(i[0])
        axis = a.get("axis", 1)
        zero = along(self.get(i[2]), q.dim(), axis) if len(i) > 2 else 0
        return (q - zero) * along(self.get(i[1]), q.dim(), axis)

    def DynamicQuantizeLinear(self, i, a):
        x = self.get(i[0])
        with torch.no_grad():
            low, high = x.min().clamp(max=0), x.max().clamp(min=0)
            scale = (high - low) / 255
            zero = torch.round(-low / scale).clamp(0, 255)
        return Fake.apply(x, scale, zero, 0, 255, self.level), scale, zero

    def QLinearConv(self, i, a):
        bias = self.get(i[8]) * self.get(i[1]) * self.get(i[4]) if len(i) > 8 else None
        y = self.conv(self.DequantizeLinear(i[:3], {}), self.DequantizeLinear(i[3:6], {"axis": 0}), bias, a)
        return Fake.apply(y, self.get(i[6]), self.get(i[7]), *self.range(i[7]), self.level)

    def QLinearMatMul(self, i, a):
        y = self.DequantizeLinear(i[:3], {}) @ self.DequantizeLinear(i[3:6], {"axis": -1})
        return Fake.apply(y, self.get(i[6]), self.get(i[7]), *self.range(i[7]), self.level)

    def levels(self, name):
        """A dynamically quantized value over its scale, in whole numbers."""
        maker = next(n for n in self.graph.node if name in n.output)
        return self.get(name) / self.get(maker.output[1])

    def MatMulInteger(self, i, a):
        zero = self.get(i[3]) if len(i) > 3 else 0
        return self.levels(i[0]) @ (self.get(i[1]) - zero)

    def ConvInteger(self, i, a):
        w = self.get(i[1])
        zero = along(self.get(i[3]), w.dim(), 0) if len(i) > 3 else 0
        return self.conv(self.levels(i[0]), w - zero, None, a)

    # Everything else

    def conv(self, x, w, b, a):
        n = w.dim() - 2
        pads = a.get("pads", [0] * 2 * n)
        x = F.pad(x, [p for k in reversed(range(n)) for p in (pads[k], pads[k + n])])
        dilation = a.get("dilations", [1] * n)
        return F.conv2d(x, w, b, a.get("strides", [1] * n), 0, dilation, a.get("group", 1))

    def Conv(self, i, a):
        return self.conv(self.get(i[0]), self.get(i[1]), self.get(i[2]) if len(i) > 2 else None, a)

    def MaxPool(self, i, a):
        n = len(a["kernel_shape"])
        pads = a.get("pads", [0] * 2 * n)
        x = F.pad(self.get(i[0]), [p for k in reversed(range(n)) for p in (pads[k], pads[k + n])], value=-1e30)
        return F.max_pool2d(x, a["kernel_shape"], a.get("strides", [1] * n), ceil_mode=bool(a.get("ceil_mode")))

    def Gemm(self, i, a):
        w = self.get(i[1])
        y = self.get(i[0]) @ (w.T if a.get("transB") else w)
        return y + self.get(i[2]) if len(i) > 2 else y

    def Reshape(self, i, a):
        x = self.get(i[0])
        shape = [int(d) for d in self.shape_of(i[1])]
        return x.reshape([x.shape[k] if d == 0 else d for k, d in enumerate(shape)])

    def shape_of(self, name):
        return self.values[name] if name in self.values else self.weights[name]

    def Clip(self, i, a):
        low, high = (float(self.get(n)) if n else None for n in (*i[1:], "", "")[:2])
        return F.hardtanh(self.get(i[0]), low, high)

    def Constant(self, i, a):
        return double(numpy_helper.to_array(a["value"]))

    def Relu(self, i, a):
        return F.relu(self.get(i[0]))

    def Add(self, i, a):
        return self.get(i[0]) + self.get(i[1])

    def Mul(self, i, a):
        return self.get(i[0]) * self.get(i[1])

    def MatMul(self, i, a):
        return self.get(i[0]) @ self.get(i[1])

    def Cast(self, i, a):
        return self.get(i[0])

    def Identity(self, i, a):
        return self.get(i[0])

    def Sigmoid(self, i, a):
        return torch.sigmoid(self.get(i[0]))

    def Concat(self, i, a):
        return torch.cat([self.get(n) for n in i], a["axis"])

    def Flatten(self, i, a):
        return self.get(i[0]).flatten(a.get("axis", 1))

    def GlobalAveragePool(self, i, a):
        return self.get(i[0]).mean((2, 3), keepdim=True)

    def ReduceMean(self, i, a):
        axes = a.get("axes") or [int(d) for d in self.shape_of(i[1])]
        return self.get(i[0]).mean(list(axes), keepdim=bool(a.get("keepdims", 1)))

    def Transpose(self, i, a):
        return self.get(i[0]).permute(a["perm"])


def convert(form: str, source: str, target: str, size: int) -> None:
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static

    class Noise(CalibrationDataReader):
        def __init__(self):
            generator = torch.Generator().manual_seed(9)
            self.rest = [torch.randn(2, 3, size, size, generator=generator).numpy() for _ in range(4)]

        def get_next(self):
            return {"x": self.rest.pop()} if self.rest else None

    if form == "float16":
        from onnxruntime.transformers.float16 import convert_float_to_float16

        onnx.save(convert_float_to_float16(onnx.load(source)), target)
    elif form == "dynamic":
        quantize_dynamic(source, target, weight_type=QuantType.QUInt8)
    else:
        formats = {"qdq": QuantFormat.QDQ, "qoperator": QuantFormat.QOperator}
        standard = {} if form == "qdq" else {"op_types_to_quantize": ["Conv", "MatMul"]}
        quantize_static(source, target, Noise(), quant_format=formats[form], per_channel=True, **standard)


def session(path, *more):
    """Runs a file as it stands: fused kernels round elsewhere."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 2
    model = onnx.load(path)
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in more)
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def errors(path, scratch, size):
    """Relative L2 error of the explainer's gradient, for each of six images."""
    whylight = pathlib.Path(__file__).parents[2] / "apps/cli/src/index.ts"
    saliency = ["--method", "saliency", "--param", "abs=false", "-o", f"{scratch}/explainer.onnx"]
    subprocess.run(["node", whylight, "compile", path, *saliency], check=True, stdout=subprocess.DEVNULL)
    explainer = session(f"{scratch}/explainer.onnx")
    interpreter = Interpreter(path)
    makers = {"QuantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul"}
    wanted = [node.output[0] for node in interpreter.graph.node if node.op_type in makers]
    model = session(path, *wanted)
    half = interpreter.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT16
    for seed in SEEDS:
        batch = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(seed))
        for image in batch.half().float().split(1):
            feed = image.numpy()
            scores, *levels = model.run(None, {model.get_inputs()[0].name: feed.astype(np.float16) if half else feed})
            target = int(scores.argmax())
            found = explainer.run(["attribution"], {"image": feed, "class_index": np.array([target])})[0]
            x = image.double().requires_grad_()
            y = interpreter(x, {name: double(level) for name, level in zip(wanted, levels)})
            exact = torch.autograd.grad(y[0, target], x)[0]
            yield float((torch.from_numpy(found) - exact).norm() / exact.norm())


def main() -> None:
    name, *forms = sys.argv[1:]
    model, size = network(name)
    settle(model, size)
    for form in forms:
        kind, opset = form.split("@")
        with tempfile.TemporaryDirectory() as scratch:
            path = f"{scratch}/{kind}.onnx"
            export(model, torch.randn(2, 3, size, size), "torchscript", int(opset), f"{scratch}/float.onnx")
            convert(kind, f"{scratch}/float.onnx", path, size)
            found = list(errors(path, scratch, size))
            nodes = len(onnx.load(path).graph.node)
            print(f"| {name} | {kind} | {opset} | {nodes} | {min(found):.0e} | {max(found):.0e} |", flush=True)


main()
