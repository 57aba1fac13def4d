"""The network "shapes", and its ONNX form."""

import copy

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

SIZE, CLASSES = 128, 10
WIDTHS = (16, 32, 64)
POOL = 32
"""Training divides the sum over the map by this, so that smaller pictures of equal objects give equal features."""


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outputs)
    )


class EdgeConvolution(nn.Conv2d):
    """A convolution whose kernels sum to zero per input channel: it sees edges, and no flat colour at all."""

    def centred(self):
        return self.weight - self.weight.mean((2, 3), keepdim=True)

    def forward(self, x):
        return self._conv_forward(x, self.centred(), self.bias)


class Residual(nn.Module):
    """relu(x + conv(relu(conv(x))))"""

    def __init__(self, width: int):
        super().__init__()
        self.conv1, self.conv2 = convolution(width, width), convolution(width, width)

    def forward(self, x):
        return torch.relu(x + self.conv2(torch.relu(self.conv1(x))))


class Shapes(nn.Module):
    """[N, 3, 128, 128], normalised, to logits [N, 10]; the last map is [N, 64, 16, 16]."""

    def __init__(self):
        super().__init__()
        a, b, c = WIDTHS
        self.stem = nn.Sequential(EdgeConvolution(3, a, 3, 2, padding=1, bias=False), nn.BatchNorm2d(a))
        self.down1, self.down2 = convolution(a, b, stride=2), convolution(b, c, stride=2)
        self.block1, self.block2, self.block3 = Residual(c), Residual(c), Residual(c)
        self.classifier = nn.Linear(c, CLASSES)

    def features(self, x):
        for layer in (self.stem, self.down1, self.down2):
            x = torch.relu(layer(x))
        return self.block3(self.block2(self.block1(x)))

    def forward(self, x):
        return self.classifier(self.features(x).sum((2, 3)) / POOL)


def to_onnx(network: Shapes) -> onnx.ModelProto:
    """Writes the graph node by node: standard operators of opset 17, batch norm folded, names that can be read."""
    nodes, weights = [], []

    def weight(name: str, value: torch.Tensor) -> str:
        weights.append(numpy_helper.from_array(value.detach().contiguous().numpy(), name))
        return name

    def node(operator: str, name: str, *inputs: str, output: str = "", **attributes) -> str:
        nodes.append(helper.make_node(operator, inputs, [output or f"{name}_output"], name, **attributes))
        return nodes[-1].output[0]

    def conv(name: str, x: str) -> str:
        layer = copy.deepcopy(network.get_submodule(name))
        if isinstance(layer[0], EdgeConvolution):
            layer[0].weight.data = layer[0].centred().data
        folded = fuse_conv_bn_eval(layer[0], layer[1])
        return node(
            "Conv", name, x, weight(f"{name}.weight", folded.weight), weight(f"{name}.bias", folded.bias),
            kernel_shape=folded.kernel_size, strides=folded.stride, pads=folded.padding * 2,
        )  # fmt: skip

    def relu(name: str, x: str) -> str:
        return node("Relu", f"{name}.relu", x)

    def residual(name: str, x: str) -> str:
        inner = relu(f"{name}.conv1", conv(f"{name}.conv1", x))
        return relu(name, node("Add", f"{name}.add", x, conv(f"{name}.conv2", inner)))

    network.eval()
    x = "image"
    for name in ("stem", "down1", "down2"):
        x = relu(name, conv(name, x))
    for name in ("block1", "block2", "block3"):
        x = residual(name, x)
    x = node("Flatten", "flatten", node("GlobalAveragePool", "pool", x), axis=1)
    mean = (SIZE // 8) ** 2 / POOL  # the graph takes the average over the map
    scores = [weight("classifier.weight", mean * network.classifier.weight)]
    scores.append(weight("classifier.bias", network.classifier.bias))
    node("Gemm", "classifier", x, *scores, output="logits", transB=1)
    graph = helper.make_graph(
        nodes,
        "shapes",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", CLASSES])],
        weights,
    )
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8, producer_name="whylight")
    onnx.checker.check_model(model, full_check=True)
    return model
