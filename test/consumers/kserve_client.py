"""KServe's own Python client against a lone worker: every call that it has, by V1 and by V2.

    python test/consumers/kserve_client.py URL MODEL PHOTO

Prints one JSON document, and ends with status 1 where the client and the worker do not agree. Needs kserve.
"""

import asyncio
import base64
import json
import sys

import numpy as np
from httpx import HTTPStatusError
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.errors import UnsupportedProtocol

url, model, path = sys.argv[1:4]
with open(path, "rb") as file:
    photo = file.read()
shown: dict[str, object] = {}


async def v1() -> None:
    client = InferenceRESTClient(RESTConfig(protocol="v1"))
    instances = [{"b64": base64.b64encode(photo).decode()}]
    assert await client.is_server_live(url)
    assert await client.is_model_ready(url, model)
    answer = await client.infer(url, {"instances": instances}, model_name=model)
    shown["v1 predict"] = answer["predictions"][0][0]["label"]
    asked = {"instances": instances, "parameters": {"method": "grad-cam", "overlay": True}}
    explained = await client.explain(url, model, asked)
    [explanation] = explained["explanations"]
    attribution = np.array(explanation["attribution"], dtype=np.float32)
    assert list(attribution.shape) == explanation["shape"]
    assert base64.b64decode(explanation["overlay"]["b64_png"]).startswith(b"\x89PNG")
    shown["v1 explain"] = [explanation["target"]["label"], explanation["shape"]]
    try:
        await client.infer(url, {"instances": ["?"]}, model_name=model)
    except HTTPStatusError as error:
        shown["v1 refusal"] = [error.response.status_code, error.response.json()["error"]]
    await client.close()


async def v2() -> None:
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await client.is_server_live(url)
    assert await client.is_server_ready(url)
    assert await client.is_model_ready(url, model)
    assert not await client.is_model_ready(url, "nowhere")

    def request(name: str, data: np.ndarray, datatype: str, binary: bool, parameters: dict) -> InferRequest:
        tensor = InferInput(name, list(data.shape), datatype)
        tensor.set_data_from_numpy(data, binary_data=binary)
        asked = {**parameters, "binary_data_output": binary}
        return InferRequest(model_name=model, infer_inputs=[tensor], parameters=asked)

    labels = set()
    for binary, data in ((True, photo), (False, base64.b64encode(photo))):
        asked = request("image_bytes", np.array([data], dtype=np.object_), "BYTES", binary, {"top_k": 1})
        answer = await client.infer(url, asked, model_name=model)
        [label] = np.ravel(answer.get_output_by_name("label").as_numpy())
        labels.add(label.decode() if isinstance(label, bytes) else str(label))
        scores = answer.get_output_by_name("scores").as_numpy()
        top = answer.get_output_by_name("class_index").as_numpy()
        assert int(scores.argmax()) == int(np.ravel(top)[0])
    shown["v2 infer"] = sorted(labels)
    assert len(labels) == 1

    metadata = (await client._client.get(f"{url}/v2/models/{model}")).json()
    floats = next(tensor for tensor in metadata["inputs"] if tensor["datatype"] == "FP32")
    image = np.random.default_rng(0).standard_normal([2, *floats["shape"][1:]]).astype(np.float32)
    maps = []
    for binary in (True, False):
        asked = request(floats["name"], image, "FP32", binary, {"method": "grad-cam"})
        # The client has no explain of V2: the explainer is a model of its own.
        explained = await client.infer(url, asked, model_name=f"{model}-explainer")
        maps.append(explained.get_output_by_name("attribution").as_numpy())
    assert maps[0].shape[0] == 2 and np.array_equal(maps[0], maps[1])
    shown["v2 explain"] = list(maps[0].shape)
    try:
        await client.explain(url, model, {})
    except UnsupportedProtocol as error:
        shown["v2 explain of the client"] = error.reason
    await client.close()


asyncio.run(v1())
asyncio.run(v2())
print(json.dumps(shown, indent=2))
