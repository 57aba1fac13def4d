"""Exports a network of keras.applications with random weights by tf2onnx, and what TensorFlow says its gradient is.

    python from_keras.py NETWORK DIRECTORY keras@OPSET...

Needs tensorflow and tf2onnx. Writes what export.py does; images are [2, H, W, 3], and the score is that before Softmax.
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
import tf2onnx

SEEDS = (0, 1, 2)
tf.config.threading.set_intra_op_parallelism_threads(2)


def gradient(model, x, classes, dtype):
    x = tf.constant(x, dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.gather(model(x, training=False), classes, batch_dims=1)
    return tape.gradient(y, x).numpy().astype(np.float32)


def main() -> None:
    name, directory, *forms = sys.argv[1:]
    size = 331 if name == "NASNetLarge" else 224 if name.startswith("NASNet") else 128
    tf.keras.utils.set_random_seed(0)
    build = getattr(tf.keras.applications, name)
    model = build(weights=None, input_shape=(size, size, 3), classifier_activation=None)
    model(np.random.default_rng(5).standard_normal((4, size, size, 3)).astype(np.float32), training=True)
    for layer in model.layers:  # statistics of noise, so that signals neither vanish nor explode
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(np.random.default_rng(5).standard_normal((4, size, size, 3)).astype(np.float32), training=True)
    tf.keras.config.set_dtype_policy("float64")
    exact = build(weights=None, input_shape=(size, size, 3), classifier_activation=None)
    exact.set_weights([w.astype(np.float64) for w in model.get_weights()])
    tf.keras.config.set_dtype_policy("float32")
    rows = []
    for seed in SEEDS:
        x = np.random.default_rng(seed).standard_normal((2, size, size, 3)).astype(np.float32)
        classes = exact(x.astype(np.float64), training=False).numpy().argmax(1)
        np.save(f"{directory}/x_{seed}.npy", x)
        np.save(f"{directory}/grad_{seed}.npy", gradient(exact, x, classes, tf.float64))
        np.save(f"{directory}/floor_{seed}.npy", gradient(model, x, classes, tf.float32))
        rows.append(classes.tolist())
    failed = {}
    for form in forms:
        signature = (tf.TensorSpec((None, size, size, 3), tf.float32, name="x"),)
        try:
            opset = int(form.split("@")[1])
            tf2onnx.convert.from_keras(model, signature, opset=opset, output_path=f"{directory}/{form}.onnx")
        except Exception as error:
            failed[form] = f"{type(error).__name__}: {error}".strip().split("\n")[0]
    about = {"seeds": SEEDS, "classes": rows, "size": size, "layout": "NHWC", "failed": failed}
    with open(f"{directory}/about.json", "w") as file:
        json.dump(about, file)


main()
