"""Writes onnx-history.json: since when ONNX's standard domain has each operator, and what changed in it after opset 18
beside the types that it takes. Needs `pip install onnx==1.23.2`."""

import json
import pathlib

from onnx import AttributeProto, defs

BASE = 18


def signature(schema):
    """What nodes of an operator are written with, but for types."""
    return (
        {name: (a.type, a.required, str(a.default_value)) for name, a in schema.attributes.items()},
        [(p.name, p.option) for p in schema.inputs],
        [(p.name, p.option) for p in schema.outputs],
    )


def attribute_types(schema):
    return {name: AttributeProto.AttributeType.Name(int(a.type.value)) for name, a in schema.attributes.items()}


versions = {}
for schema in defs.get_all_schemas_with_history():
    if schema.domain == "":
        versions.setdefault(schema.name, {})[schema.since_version] = schema

history = {}
for name, of in sorted(versions.items()):
    numbers = sorted(of)
    changes = {
        after: {
            attribute: kind
            for attribute, kind in attribute_types(of[after]).items()
            if attribute not in of[before].attributes
        }
        for before, after in zip(numbers, numbers[1:])
        if after > BASE and signature(of[before]) != signature(of[after])
    }
    history[name] = {"first": numbers[0], **({"changes": changes} if changes else {})}

out = pathlib.Path(__file__).with_name("onnx-history.json")
lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(of)}" for name, of in history.items())
out.write_text("{\n" + lines + "\n}\n")
