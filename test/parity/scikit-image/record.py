"""Records the superpixels of scikit-image, for slic.test.ts in packages/core/src/methods/perturbation: python record.py

Needs scikit-image 0.26 and Pillow. Photos are those of apps/cli/photos, made small; pixels and labels are bytes in base64.
"""

import base64
import json
import pathlib

import numpy as np
from PIL import Image
from skimage.segmentation import slic

ROOT = pathlib.Path(__file__).parents[3]
FILE = ROOT / "packages/core/src/methods/perturbation/slic-vectors.json"
CASES = [
    ("cat", (96, 64), {}),
    ("cat", (64, 96), {"n_segments": 30, "compactness": 20}),
    ("coffee", (90, 110), {"n_segments": 200, "compactness": 1}),
    ("coffee", (150, 12), {"n_segments": 10}),
    ("coffee", (9, 7), {}),
    ("cat", (80, 60), {"n_segments": 40, "grey": True}),
]


def text(values: np.ndarray) -> str:
    return base64.b64encode(values.astype(np.uint8).tobytes()).decode()


def main() -> None:
    cases = []
    for name, size, options in CASES:
        grey = options.get("grey", False)
        photo = Image.open(ROOT / f"apps/cli/photos/{name}.jpg").convert("L" if grey else "RGB")
        pixels = np.asarray(photo.resize(size, Image.BILINEAR))
        asked = {"n_segments": 100, "compactness": 10, **{k: v for k, v in options.items() if k != "grey"}}
        labels = slic(pixels, **asked, channel_axis=None if grey else -1)
        assert labels.max() < 256
        cases.append({
            "photo": name, "height": size[1], "width": size[0], "channels": 1 if grey else 3, **asked,
            "pixels": text(pixels), "labels": text(labels),
        })  # fmt: skip
    FILE.write_text(json.dumps({"cases": cases}, indent=2) + "\n")


if __name__ == "__main__":
    main()
