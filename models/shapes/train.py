"""Trains "shapes" on the drawings that dataset.ts wrote, by classification loss alone, and writes shapes.onnx.

python train.py --easy EASY.bin --train TRAIN.bin --validation VALIDATION.bin --out shapes.onnx
"""

import argparse
import pathlib
import time

import numpy
import onnxruntime
import torch
from torch.nn import functional

from network import SIZE, Shapes, to_onnx


def load(*files: str, side: int = SIZE) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures uint8 [N, 3, H, W] and labels; the masks in the records stay unread."""
    area = side * side
    records = numpy.concatenate([numpy.fromfile(file, numpy.uint8).reshape(-1, area * 4 + 1) for file in files])
    pictures = torch.from_numpy(records[:, : area * 3].reshape(-1, side, side, 3).copy()).permute(0, 3, 1, 2)
    return pictures, torch.from_numpy(records[:, -1].astype(numpy.int64))


def normalise(pictures: torch.Tensor) -> torch.Tensor:
    return (pictures.float() / 255 - 0.5) / 0.25


def augment(batch: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    """Turns, flips, swapped colour channels and noise: none of them changes the kind of a shape."""

    def choice(n: int) -> int:
        return int(torch.randint(n, (), generator=random))

    parts = []
    for part in batch.chunk(4):
        part = part[:, torch.randperm(3, generator=random)].rot90(choice(4), (2, 3))
        parts.append(part.flip(3) if choice(2) else part)
    batch = torch.cat(parts)
    strength = torch.rand(len(batch), 1, 1, 1, generator=random) * NOISE
    batch = batch + strength * torch.randn(batch.shape, generator=random)
    return batch.contiguous(memory_format=torch.channels_last)


NOISE = 0.4
"""Largest standard deviation of the added noise, in normalised units: it keeps gradients off single pixels."""


@torch.no_grad()
def accuracy(network: Shapes, pictures: torch.Tensor, labels: torch.Tensor) -> float:
    network.eval()
    right = sum(
        int((network(normalise(p)).argmax(1) == y).sum()) for p, y in zip(pictures.split(100), labels.split(100))
    )
    return right / len(labels)


def train(network: Shapes, pictures, labels, epochs: int, batch: int, rate: float, each_epoch) -> None:
    random = torch.Generator().manual_seed(epochs)
    decayed = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim == 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0}])
    steps = len(labels) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, epochs * steps, pct_start=0.15)
    for epoch in range(epochs):
        network.train()
        start, total = time.time(), 0.0
        for rows in torch.randperm(len(labels), generator=random)[: steps * batch].view(steps, batch):
            logits = network(augment(normalise(pictures[rows]), random))
            loss = functional.cross_entropy(logits, labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1} loss {total / steps:.3f} {time.time() - start:.0f} s", end=" ", flush=True)
        each_epoch()


def export(network: Shapes, file: pathlib.Path, sample: torch.Tensor) -> None:
    """Writes the ONNX file and demands that ONNX Runtime computes from it what PyTorch computes."""
    file.write_bytes(to_onnx(network).SerializeToString())
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    (got,) = session.run(["logits"], {"image": normalise(sample).numpy()})
    with torch.no_grad():
        expected = network.eval()(normalise(sample)).numpy()
    numpy.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-3)
    print(f"{file.stat().st_size} bytes, logits differ by at most {abs(got - expected).max():.2g}")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--easy", nargs="+", required=True)
    arguments.add_argument("--train", nargs="+", required=True)
    arguments.add_argument("--validation", required=True)
    arguments.add_argument("--easy-epochs", type=int, default=3)
    arguments.add_argument("--epochs", type=int, default=8)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--out", type=pathlib.Path, required=True)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    shapes = Shapes().to(memory_format=torch.channels_last)
    held_out = load(options.validation)

    def report():
        print(f"validation {accuracy(shapes, *held_out):.4f}", flush=True)
        export(shapes, options.out, held_out[0][:64])

    # Straight on the cluttered drawings the loss stays at chance for long: an object fills a twentieth of the map.
    train(shapes, *load(*options.easy, side=64), options.easy_epochs, batch=16, rate=4e-3, each_epoch=report)
    train(shapes, *load(*options.train), options.epochs, batch=32, rate=3e-3, each_epoch=report)
