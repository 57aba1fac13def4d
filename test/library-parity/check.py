"""Holds Whylight to torchcam, pytorch-grad-cam and Captum on networks that nobody has seen: random small networks,
layers and parameters, explained by the real libraries and by `whylight attribute --jobs`.

    python test/library-parity/check.py [--rounds 5] [--seed 0] [--keep DIRECTORY]

Needs torch, onnx, onnxruntime, onnxscript, torchcam 0.5, grad-cam and captum, and node on the path. Prints a line for
each library, method and family of networks with its worst error, relative to the largest value of the reference, and
every call beyond tolerance; exits with 1 if there is one.

Tolerances: 1e-4, for what divides by a range or by differences 1e-3. Where the reference itself is undecided in float32 (its
own float64 is farther than a quarter of the tolerance away) a call is counted as undecided and not compared: a gate of
a ReLU or a maximum then hangs on the last bit.
"""

import argparse
import collections
import json
import os
import random
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from libraries import calls  # noqa: E402
from networks import FAMILIES, made  # noqa: E402
from tensors import exported  # noqa: E402

warnings.filterwarnings("ignore")
WHYLIGHT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../apps/cli/bin/whylight.js")


def error(found: np.ndarray, expected: np.ndarray) -> float:
    if found.shape != expected.shape:
        return float("inf")
    return float(np.abs(found - expected).max() / (np.abs(expected).max() or 1))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as fresh:
        return checked(options, options.keep or fresh)


def checked(options: argparse.Namespace, directory: str) -> int:
    os.makedirs(directory, exist_ok=True)
    jobs, references = [], []
    for round_ in range(options.rounds):
        for family in FAMILIES:
            rng = random.Random(f"{options.seed} {round_} {family}")
            torch.manual_seed(rng.randrange(2**31))
            model = made(family, rng)
            sizes = [16, 24] if family == "vgg" else [16, 17, 18, 21]  # its adaptive pool is exported for whole factors only
            images = torch.randn(2, 3, rng.choice(sizes), rng.choice(sizes))
            stem = os.path.join(directory, f"{family}{round_}")
            tensors = exported(model, images, stem, rng.choice(["torchscript", "dynamo"]))
            np.save(f"{stem}.npy", images.numpy())
            classes = [rng.randrange(5) for _ in images]
            for i, call in enumerate(calls(family, model, images, classes, tensors, rng)):
                aux = {}
                for name, value in call.pop("aux", {}).items():
                    aux[name] = f"{stem}.{i}.{name}.npy"
                    np.save(aux[name], value)
                reference, exact, tolerance = (call.pop(k) for k in ("reference", "exact", "tolerance"))
                label = (call.pop("library"), call.pop("name"), family)
                jobs.append(
                    {"model": f"{stem}.onnx", "tensor": f"{stem}.npy", "target": classes, "aux": aux,
                     "out": f"{stem}.{i}.out.npy", **call}
                )  # fmt: skip
                references.append((label, reference, exact, tolerance))
    path = os.path.join(directory, "jobs.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(jobs, file)
    run = subprocess.run(["node", WHYLIGHT, "attribute", "--jobs", path, "--json"], capture_output=True, text=True)
    return reported(jobs, json.loads(run.stdout), references)


def reported(jobs: list, answers: list, references: list) -> int:
    rows = collections.defaultdict(list)
    wrong = 0
    for job, answer, (label, reference, exact, tolerance) in zip(jobs, answers, references):
        if "error" in answer:
            rows[label].append(float("inf"))
            wrong += 1
            print("FAILED ", *label, answer["error"]["message"], json.dumps(job))
            continue
        if error(reference, exact) > tolerance / 4:
            rows[label].append(None)
            continue
        rows[label].append(error(np.load(job["out"]), reference))
        if not rows[label][-1] <= tolerance:
            wrong += 1
            print("DIFFERS", *label, f"{rows[label][-1]:.1e}", json.dumps({k: v for k, v in job.items() if k != "aux"}))
    print("| library | call | network | cases | undecided | worst |\n|---|---|---|---|---|---|")
    for label, errors in sorted(rows.items()):
        decided = [e for e in errors if e is not None]
        worst = f"{max(decided):.1e}" if decided else "-"
        print(f"| {' | '.join(label)} | {len(errors)} | {len(errors) - len(decided)} | {worst} |")
    print(f"{len(jobs)} calls, {wrong} beyond tolerance")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
