"""What every script of this folder writes: a folder for each network, with the file as the tool wrote it and what is right.

case.json says the group, the flags, the class that is explained, and what must be shown for it; gradient.npy is the
gradient of that class's score in the network's input, where a framework could say it.
"""

import json
import os
import shutil
import traceback
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

PHOTO = os.path.join(os.path.dirname(__file__), "../../apps/cli/photos/coffee.jpg")
SAMPLING = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "nearest": Image.Resampling.NEAREST,
    "lanczos": Image.Resampling.LANCZOS,
}
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


@dataclass
class Preparation:
    """How a network's input is made from a photo, by PIL and NumPy; `flags` says the same to Whylight."""

    size: tuple[int, int]
    mean: tuple[float, ...] = IMAGENET["mean"]
    std: tuple[float, ...] = IMAGENET["std"]
    scale: float = 1 / 255
    layout: str = "NCHW"
    channels: str = "rgb"
    resample: str = "bilinear"
    #: The short side before the centre is cropped, or both sides; None: stretched to exactly `size`.
    resize: int | tuple[int, int] | None = None

    @staticmethod
    def imagenet(side: int) -> "Preparation":
        return Preparation((side, side), resize=round(side * 256 / 224))

    def flags(self) -> list[str]:
        h, w = self.size
        numbers = lambda values: ",".join(repr(float(v)) for v in values)
        resized = "x".join(map(str, np.atleast_1d(self.resize)))
        fit = ["--fit", "stretch"] if self.resize is None else ["--resize", resized, "--crop", f"{h}x{w}"]
        scale = "1/255" if self.scale == 1 / 255 else repr(self.scale)
        said = ["--size", f"{h}x{w}", "--channels", self.channels, "--scale", scale, "--resample", self.resample]
        return [*said, f"--mean={numbers(self.mean)}", f"--std={numbers(self.std)}", *fit]

    def picture(self, photo: Image.Image) -> np.ndarray:
        """The pixels [H, W, C] that the network sees, 0 to 255."""
        h, w = self.size
        photo = photo.convert("L" if self.channels == "gray" else "RGB")
        if self.resize is None:
            photo = photo.resize((w, h), SAMPLING[self.resample])
        else:
            width, height = photo.size
            short = min(width, height)
            if isinstance(self.resize, tuple):
                high, wide = self.resize
            else:
                wide, high = int(self.resize * width / short), int(self.resize * height / short)
            photo = photo.resize((wide, high), SAMPLING[self.resample])
            left, top = round((wide - w) / 2), round((high - h) / 2)
            photo = photo.crop((left, top, left + w, top + h))
        pixels = np.asarray(photo).reshape(h, w, -1)
        return pixels[:, :, ::-1] if self.channels == "bgr" else pixels

    def input(self, photo: Image.Image) -> np.ndarray:
        """One input of the network, with its batch axis."""
        x = (self.picture(photo).astype(np.float64) * self.scale - np.array(self.mean)) / np.array(self.std)
        x = x.astype(np.float32)[None]
        return x if self.layout == "NHWC" else np.ascontiguousarray(x.transpose(0, 3, 1, 2))


def photo() -> Image.Image:
    """A photo of 320 x 240, as a PNG: how a JPEG is decoded is not the question here."""
    return Image.open(PHOTO).convert("RGB").resize((320, 240), Image.Resampling.BICUBIC)


def softmax(y: np.ndarray) -> np.ndarray:
    e = np.exp(y.astype(np.float64) - y.max())
    return e / e.sum()


def sigmoid(y: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-y.astype(np.float64)))


#: What is shown for one row of the network's output, by what the output is.
SHOWN = {"softmax": softmax, "sigmoid": sigmoid, "probability": lambda y: y, "number": lambda y: y}


@dataclass
class Case:
    """One network in its folder."""

    directory: str
    group: str
    name: str
    preparation: Preparation
    #: What the output is: `softmax` and `sigmoid`: logits of one; `probability`, `number`: itself.
    head: str = "softmax"
    #: The file or folder that Whylight is given, in `directory`.
    model: str = "model.onnx"
    #: Flags beside those of the preparation.
    flags: list[str] = field(default_factory=list)
    #: What has to be said of the preparation; None: all of it. Files beside the model or the file itself may say it.
    said: list[str] | None = None
    #: The output that scores classes, of several.
    output: str | None = None
    #: The relative error of the gradient that counts as right; None: by finite differences on the file.
    tolerance: float | None = 1e-3
    #: What the class that is explained must be called, by its index.
    labels: list[str] | None = None
    photo: str = "photo.png"
    #: A rounding that moves one number over the edge of two levels moves all that follow: what is shown may then be as far
    #: from what ONNX Runtime says as that is from itself, unoptimised or for an input that differs by less than one level of a pixel.
    quantized: bool = False

    def run(self, file: str, x: np.ndarray, optimised: bool = True) -> np.ndarray:
        """One row of the output, by ONNX Runtime."""
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.log_severity_level = 3
        if not optimised:
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        put = session.get_inputs()[0]
        kinds = {"tensor(float16)": np.float16, "tensor(uint8)": np.uint8, "tensor(double)": np.float64}
        outputs = [o.name for o in session.get_outputs()]
        y = session.run([self.output or outputs[0]], {put.name: x.astype(kinds.get(put.type, np.float32))})[0]
        return y.astype(np.float32).reshape(-1)

    def write(self, *, x=None, target=None, gradient=None, floor=0.0, file=None, scores=None, shown_tolerance=1e-4) -> None:
        """Runs the file by ONNX Runtime, and writes what must be shown.

        `x` is the input, where the tool's own code prepares it; `file` the ONNX file, where `model` is a folder; `scores`
        (file, output) whose differences are taken, where the file itself ends in probabilities.
        """
        image = photo()
        image.save(os.path.join(self.directory, "photo.png"))
        x = self.preparation.input(image) if x is None else x
        file = file or os.path.join(self.directory, self.model)
        y = self.run(file, x)
        shown = SHOWN[self.head](y)
        target = int(y.argmax()) if target is None else target
        if self.quantized:
            near = x + 0.01 * np.random.default_rng(0).standard_normal(x.shape).astype(np.float32)
            others = [self.run(file, near), self.run(file, x, optimised=False)]
            moved = max(abs(float(SHOWN[self.head](other)[target] - shown[target])) for other in others)
            shown_tolerance = max(shown_tolerance, 2 * moved)
        if gradient is not None:
            np.save(os.path.join(self.directory, "gradient.npy"), gradient.astype(np.float32))
        np.save(os.path.join(self.directory, "x.npy"), x)
        case = {
            "group": self.group,
            "name": self.name,
            "model": self.model,
            "photo": self.photo,
            "file": os.path.relpath(file, self.directory),
            "flags": self.flags,
            "preparation": self.preparation.flags() if self.said is None else self.said,
            "head": self.head,
            "classes": int(y.size),
            "output": self.output,
            "target": target,
            "shown": float(shown[target]),
            "shown_tolerance": shown_tolerance,
            "label": self.labels[target] if self.labels else None,
            "scores": {"file": scores[0], "output": scores[1]} if scores else None,
            "gradient": gradient is not None,
            "tolerance": self.tolerance,
            "floor": float(floor),
        }
        with open(os.path.join(self.directory, "case.json"), "w") as out:
            json.dump(case, out, indent=1)


def each(root: str, names, make) -> None:
    """Calls make(name, directory) for each name; why one could not be exported is written in its folder."""
    for name in names:
        directory = os.path.join(root, name.replace("/", "_"))
        if os.path.exists(os.path.join(directory, "case.json")):
            continue
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        try:
            make(name, directory)
            print("exported", name, flush=True)
        except Exception as error:
            said = traceback.format_exc()
            with open(os.path.join(directory, "not_exported.txt"), "w") as out:
                out.write(f"{type(error).__name__}: {error}\n\n{said}")
            print("NOT", name, f"{type(error).__name__}: {error}".split("\n")[0][:150], flush=True)
