"""Records what Xplique's Sobol and HSIC say of the tiny network, for xplique.test.ts in packages/core/src/methods/perturbation: python record.py

Needs TensorFlow, Xplique 2.0.2. The network is that of testing/network.ts, written out in TensorFlow; its masks are recorded
with the maps, as [S, rows, columns]. The maps are in float32, as the library computes them.
"""

import json
import pathlib

import numpy as np
import tensorflow as tf
from xplique.attributions import HsicAttributionMethod, SobolAttributionMethod

FILE = pathlib.Path(__file__).parents[3] / "packages/core/src/methods/perturbation/xplique-vectors.json"
CLASSES = [1, 2]
CALLS = [
    ("sobol", SobolAttributionMethod, {"grid_size": 3, "nb_design": 8}),
    ("sobol", SobolAttributionMethod, {"grid_size": 4, "nb_design": 4}),
    ("hsic", HsicAttributionMethod, {"grid_size": 3, "nb_design": 40}),
    ("hsic", HsicAttributionMethod, {"grid_size": 4, "nb_design": 33}),
]


def parameters() -> list[np.ndarray]:
    """Parameter k, counted through weights and biases in order, is 0.6·sin(1.3k + 0.5); PyTorch's layouts."""
    k, made = 0, []
    for shape in ((3, 2, 3, 3), (3,), (4, 3, 3, 3), (4,), (3, 4), (3,)):
        values = 0.6 * np.sin(1.3 * np.arange(k, k + np.prod(shape)) + 0.5)
        made.append(values.astype(np.float32).reshape(shape))
        k += values.size
    return made


def tiny() -> tf.keras.Model:
    w1, b1, w2, b2, w3, b3 = parameters()
    x = image = tf.keras.Input((6, 6, 2))
    layers = [tf.keras.layers.Conv2D(3, 3, padding="same", activation="relu"), tf.keras.layers.ZeroPadding2D(1),
              tf.keras.layers.Conv2D(4, 3, strides=2, activation="relu"), tf.keras.layers.GlobalAveragePooling2D(),
              tf.keras.layers.Dense(3)]  # fmt: skip
    for layer in layers:
        x = layer(x)
    layers[0].set_weights([w1.transpose(2, 3, 1, 0), b1])
    layers[2].set_weights([w2.transpose(2, 3, 1, 0), b2])
    layers[4].set_weights([w3.T, b3])
    return tf.keras.Model(image, x)


def main() -> None:
    i = np.arange(144)
    images = (0.25 * np.sin(0.11 * i * i) + np.cos(0.37 * i)).astype(np.float32).reshape(2, 2, 6, 6).transpose(0, 2, 3, 1)
    model = tiny()
    calls = []
    for method, kind, options in CALLS:
        explainer = kind(model, **options)
        maps = explainer.explain(images, tf.one_hot(CLASSES, 3)).numpy()
        calls.append({
            "method": method, "parameters": {"grid_size": options["grid_size"], "normalized": False},
            "masks": [float(f"{v:.9g}") for v in np.ravel(explainer.masks)],
            "data": [float(f"{v:.9g}") for v in maps.ravel()],
        })  # fmt: skip
    scores = [float(f"{v:.9g}") for v in model(images).numpy().ravel()]
    FILE.write_text(json.dumps({"classes": CLASSES, "scores": scores, "calls": calls}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
