"""Ultralytics' classifiers with random weights, by its own export: softmax inside, everything else in the metadata.

    python from_ultralytics.py DIRECTORY [NAME...]
"""

import os
import sys

import torch
from ultralytics import YOLO

from case import Case, Preparation, each
from torch_case import settle, spread, torch_input, reference

NETWORKS = ["yolov8n-cls", "yolo11n-cls"]


class Logits(torch.nn.Module):
    """The network up to the softmax that its head puts on top when it does not train."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        y = self.network(x)
        return y[1] if isinstance(y, tuple) else y


def make(name: str, directory: str) -> None:
    torch.manual_seed(0)
    yolo = YOLO(f"{name}.yaml", task="classify", verbose=False)
    # What Ultralytics' classify_transforms do: the short side to 224, the centre, nothing but a division by 255.
    case = Case(directory, "ultralytics", name, Preparation((224, 224), (0.0,) * 3, (1.0,) * 3, resize=224), said=[])
    case.head = "probability"
    x = torch_input(case)
    settle(yolo.model, x)
    logits = Logits(yolo.model)
    spread(logits, x, [yolo.model.model[-1].linear])
    case.labels = [yolo.names[i] for i in range(len(yolo.names))]
    yolo.ckpt_path = os.path.join(directory, "model.pt")
    file = yolo.export(format="onnx", imgsz=224, simplify=False)
    if os.path.abspath(file) != os.path.abspath(f"{directory}/model.onnx"):
        os.replace(file, f"{directory}/model.onnx")
    target, gradient, floor = reference(logits, x)
    case.write(target=target, gradient=gradient, floor=floor)


if __name__ == "__main__":
    root, *names = sys.argv[1:]
    each(root, names or NETWORKS, make)
