"""Keras' classifiers with random weights on its PyTorch backend, by `model.export(format="onnx")`.

    python from_keras_on_torch.py DIRECTORY [NETWORK...]

It is the one way for Keras' ConvNeXt: on the TensorFlow backend its depthwise convolution is a compiled call, which tf2onnx 1.17
writes as an operator that ONNX does not have.
"""

import os
import sys

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch

from case import Case, Preparation, each, photo

RAW = {"mean": (0.0,) * 3, "std": (1.0,) * 3, "scale": 1.0, "layout": "NHWC"}
NETWORKS = {"ConvNeXtTiny": 96, "EfficientNetV2B0": 96, "MobileNetV3Small": 96}
torch.set_num_threads(1)


def make(name: str, directory: str) -> None:
    network, _, _ = name.partition("@")
    size = NETWORKS[network]
    keras.utils.set_random_seed(0)
    build = getattr(keras.applications, network)
    model = build(weights=None, input_shape=(size, size, 3), classes=10, classifier_activation=None)
    case = Case(directory, "keras", name, Preparation((size, size), **RAW))
    x = case.preparation.input(photo())
    noise = np.random.default_rng(5).uniform(0, 255, (4, size, size, 3)).astype(np.float32)
    for layer in model.layers:  # statistics of noise, so that signals neither vanish nor explode
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(noise, training=True)
    head = next(layer for layer in reversed(model.layers) if layer.get_weights())
    factor = 2 / (float(model(x, training=False).std()) + 1e-12)
    head.set_weights([w * factor for w in head.get_weights()])
    variable = torch.from_numpy(x).requires_grad_()
    y = model(variable, training=False)
    target = int(y.argmax())
    y[0, target].backward()
    signature = [keras.InputSpec(shape=(1, size, size, 3), dtype="float32", name="image")]
    model.export(f"{directory}/model.onnx", format="onnx", verbose=False, input_signature=signature)
    case.tolerance = 1e-3
    case.write(target=target, gradient=variable.grad[0].numpy())


if __name__ == "__main__":
    root, *names = sys.argv[1:]
    each(root, names or [f"{network}@torch" for network in NETWORKS], make)
