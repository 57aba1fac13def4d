"""What SHAP's DeepExplainer gives for networks that multiply, divide, compare and normalise moving values.

    python record_shap.py > ../../../packages/core/src/autodiff/rescale/shap-vectors.json        (shap 0.51, tensorflow-cpu 2.21)

The image has six values x; a is the first three, b the last three. Scores are weighted sums of what the operator gives.
For Softmax the largest values of image and baseline are equal: SHAP shifts each row by its own largest value and
corrects the multipliers for that, Whylight shifts both by one value, and there is nothing to correct.
"""

import json
import math
import os

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import shap
import tensorflow as tf
from tensorflow import keras


def wave(count, phase, around=0.0):
    return np.array([around + 0.8 * math.sin(1.7 * i + phase) for i in range(count)], np.float32)


image, baseline = wave(6, 0.3, 1.4), wave(6, 2.0, 1.1)
level = (np.append(image[:5], 2.5).astype(np.float32), np.append(np.float32(2.5), baseline[1:]))
OPERATORS = {
    "Mul": (lambda a, b: a * b, 3),
    "Div": (lambda a, b: a / b, 3),
    "Max": (lambda a, b: tf.maximum(a, b), 3),
    "Softmax": (lambda a, b: tf.nn.softmax(tf.concat([a, b], 1)), 6),
}


def recorded(operator, width, image, baseline):
    x = keras.Input((6,))
    y = keras.layers.Lambda(lambda v: operator(v[:, :3], v[:, 3:]))(x)
    weight = wave(width * 2, 0.9).reshape(width, 2)
    dense = keras.layers.Dense(2, use_bias=False)
    model = keras.Model(x, dense(y))
    dense.set_weights([weight])
    explainer = shap.DeepExplainer(model, baseline[None])
    values = np.asarray(explainer.shap_values(image[None], check_additivity=False))
    scores = model(np.stack([image, baseline])).numpy()
    return {
        "image": image.tolist(),
        "baseline": baseline.tolist(),
        "weight": weight.ravel().tolist(),
        "scores": scores[0].tolist(),
        "attributions": values.reshape(6, 2).T.tolist(),
    }


rows = {"Softmax": level}
print(json.dumps({name: recorded(*how, *rows.get(name, (image, baseline))) for name, how in OPERATORS.items()}))
