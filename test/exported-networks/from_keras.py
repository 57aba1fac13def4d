"""Keras' classifiers with random weights, by tf2onnx and by `model.export(format="onnx")`.

    python from_keras.py DIRECTORY [NETWORK@EXPORTER...]

Needs tensorflow, tf2onnx and keras. Images are [N, H, W, 3]; what scales them lies in the network, where Keras puts it.
"""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
from keras.src.backend.tensorflow import nn as tensorflow_nn

from case import Case, Preparation, each, photo

tf.config.threading.set_intra_op_parallelism_threads(1)


def gelu(x, approximate=True):
    """As TensorFlow wrote it before 2.21, which writes Erfc: tf2onnx 1.17 leaves that as it is, and ONNX has no such operator."""
    if approximate:
        return tf.nn.gelu(x, approximate=True)
    return 0.5 * x * (1 + tf.math.erf(x / tf.cast(2.0, x.dtype) ** 0.5))


tensorflow_nn.gelu = gelu
RAW = {"mean": (0.0,) * 3, "std": (1.0,) * 3, "scale": 1.0, "layout": "NHWC"}


def vit(size: int) -> tf.keras.Model:
    """A ViT as Keras' own example builds it: a class token, MultiHeadAttention, `x[:, 0]`."""
    layers = tf.keras.layers

    class Tokens(layers.Layer):
        def build(self, shape):
            self.token = self.add_weight(shape=(1, 1, 48), initializer="random_normal", name="token")
            self.position = self.add_weight(shape=(1, shape[1] + 1, 48), initializer="random_normal", name="position")

        def call(self, x):
            token = tf.broadcast_to(self.token, [tf.shape(x)[0], 1, 48])
            return tf.concat([token, x], axis=1) + self.position

    image = tf.keras.Input((size, size, 3), name="image")
    x = layers.Rescaling(1 / 127.5, -1)(image)
    x = layers.Conv2D(48, 16, strides=16)(x)
    x = Tokens()(layers.Reshape((-1, 48))(x))
    for _ in range(2):
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        x = layers.Add()([x, layers.MultiHeadAttention(3, 16)(y, y)])
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        y = layers.Dense(96, activation="gelu")(y)
        x = layers.Add()([x, layers.Dense(48)(y)])
    x = layers.LayerNormalization(epsilon=1e-6)(x)
    return tf.keras.Model(image, layers.Dense(10, name="predictions")(x[:, 0]))


def built(network: str, size: int) -> tf.keras.Model:
    if network == "ViT":
        return vit(size)
    applications = tf.keras.applications
    build = getattr(applications, network)
    return build(weights=None, input_shape=(size, size, 3), classes=10, classifier_activation=None, **BUILT.get(network, {}))


#: With its own preprocessing inside, tf2onnx 1.17 makes two constants of EfficientNetV2's first layer inputs of the file.
BUILT = {"EfficientNetV2B0": {"include_preprocessing": False}}
PREPARED = {"EfficientNetV2B0": {**RAW, "scale": 1 / 127.5, "mean": (1.0,) * 3}}
NETWORKS = {"EfficientNetV2B0": 96, "MobileNetV3Small": 96, "ViT": 96}
EXPORTERS = ["tf2onnx", "export"]


def settle(model, x: np.ndarray) -> None:
    """Statistics of noise for batch norms, and scores of a deviation of 2."""
    noise = x.mean() + x.std() * np.random.default_rng(5).standard_normal((8, *x.shape[1:])).astype(np.float32)
    for _ in range(2):
        model(noise, training=True)
        for layer in model.layers:
            if isinstance(layer, tf.keras.layers.BatchNormalization):
                layer.momentum = 0.0
    head = next(layer for layer in reversed(model.layers) if layer.get_weights())
    factor = 2 / (np.std(model(x, training=False)) + 1e-12)
    head.set_weights([w * factor for w in head.get_weights()])


def make(name: str, directory: str) -> None:
    network, exporter = name.split("@")
    size = NETWORKS[network]
    tf.keras.utils.set_random_seed(0)
    logits = built(network, size)
    case = Case(directory, "keras", name, Preparation((size, size), **PREPARED.get(network, RAW)), head="probability")
    x = case.preparation.input(photo())
    settle(logits, x)
    variable = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        y = logits(variable, training=False)
        target = int(np.argmax(y))
        score = y[0, target]
    gradient = tape.gradient(score, variable).numpy()[0]
    model = tf.keras.Model(logits.input, tf.keras.layers.Softmax()(logits.output))
    model(x, training=False)  # Keras exports no model that was never called
    path = f"{directory}/model.onnx"
    if exporter == "export":
        model.export(path, format="onnx", verbose=False)
    else:
        import tf2onnx

        signature = (tf.TensorSpec((None, size, size, 3), tf.float32, name="image"),)
        tf2onnx.convert.from_keras(model, signature, opset=17, output_path=path)
    case.tolerance = 2e-3
    case.write(target=target, gradient=gradient, floor=0.0)


if __name__ == "__main__":
    root, *names = sys.argv[1:]
    each(root, names or [f"{network}@{exporter}" for network in NETWORKS for exporter in EXPORTERS], make)
