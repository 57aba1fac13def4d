"""Runs compiled explainers in Python's ONNX Runtime: DIR holds NAME.onnx, image.npy and class_index.npy.

Writes NAME.attribution.npy, NAME.logits.npy and NAME.target.npy beside them, and says on standard output, as JSON, what
each file's domains and metadata are. Fails where the checker of the `onnx` package, if it is there, does.
"""

import json
import pathlib
import sys

import numpy
import onnxruntime

try:
    import onnx
except ImportError:
    onnx = None

directory = pathlib.Path(sys.argv[1])
image = numpy.load(directory / "image.npy")
class_index = numpy.load(directory / "class_index.npy")
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.log_severity_level = 3


def domains(graph):
    for node in graph.node:
        yield node.domain
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from domains(attribute.g)


report = {}
for file in sorted(directory.glob("*.onnx")):
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    for name, value in zip(names, session.run(names, {"image": image, "class_index": class_index})):
        numpy.save(directory / f"{file.stem}.{name}.npy", value)
    report[file.stem] = {"metadata": session.get_modelmeta().custom_metadata_map, "domains": None}
    if onnx is not None:
        model = onnx.load(file)
        onnx.checker.check_model(model, full_check=True)
        report[file.stem]["domains"] = sorted(set(domains(model.graph)))
print(json.dumps({"onnxruntime": onnxruntime.__version__, "checked": onnx is not None, "files": report}))
