"""KServe's own Python client against a server: every call that it has, by V1 and by V2.

    WHYLIGHT_KEY=... python test/consumers/kserve_client.py URL MODEL PHOTO

The server is a lone worker, or a gateway if there is a key. Prints one JSON document, and ends with status 1 where the client and
the server do not agree. Needs kserve.
"""

import asyncio
import base64
import json
import os
import sys

import httpx
import numpy as np
from httpx import HTTPStatusError
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.errors import UnsupportedProtocol

url, model, path = sys.argv[1:4]
key = os.environ.get("WHYLIGHT_KEY")
with open(path, "rb") as file:
    photo = file.read()
shown: dict[str, object] = {}


class Bearer(httpx.Auth):
    def auth_flow(self, request):
        request.headers["Authorization"] = f"Bearer {key}"
        yield request


def client_of(protocol: str) -> InferenceRESTClient:
    return InferenceRESTClient(RESTConfig(protocol=protocol, auth=Bearer() if key else None))


async def v1() -> None:
    client = client_of("v1")
    instances = [{"b64": base64.b64encode(photo).decode()}]
    assert await client.is_server_live(url)
    assert await client.is_model_ready(url, model)
    answer = await client.infer(url, {"instances": instances}, model_name=model)
    shown["v1 predict"] = answer["predictions"][0][0]["label"]
    # A gateway always sends the picture, and keeps the array in its store.
    parameters = {"method": "grad-cam"} if key else {"method": "grad-cam", "overlay": True}
    explained = await client.explain(url, model, {"instances": instances, "parameters": parameters})
    [explanation] = explained["explanations"]
    if key:
        assert explanation["urls"]["attribution"].endswith("/attribution.npy")
    else:
        attribution = np.array(explanation["attribution"], dtype=np.float32)
        assert list(attribution.shape) == explanation["shape"]
    assert base64.b64decode(explanation["overlay"]["b64_png"]).startswith(b"\x89PNG")
    shown["v1 explain"] = [explanation["target"]["label"], explanation["shape"]]
    try:
        await client.infer(url, {"instances": ["?"]}, model_name=model)
    except HTTPStatusError as error:
        message = error.response.json()["error"]
        # The client shows the server's words only if it finds them where it looks.
        assert message in str(error)
        shown["v1 refusal"] = [error.response.status_code, message]
    assert "v1 refusal" in shown
    await client.close()


async def v2() -> None:
    client = client_of("v2")
    assert await client.is_server_live(url)
    assert await client.is_server_ready(url)
    assert await client.is_model_ready(url, model)
    assert not await client.is_model_ready(url, "nowhere")
    metadata = (await client._client.get(f"{url}/v2/models/{model}")).json()
    outputs = {output["name"] for output in metadata["outputs"]}

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
        assert {output.name for output in answer.outputs} == outputs
        top = answer.get_output_by_name("class_index").as_numpy()
        if "scores" in outputs:
            scores = answer.get_output_by_name("scores").as_numpy()
            assert int(scores.argmax()) == int(np.ravel(top)[0])
    shown["v2 infer"] = sorted(labels)
    assert len(labels) == 1

    floats = next((tensor for tensor in metadata["inputs"] if tensor["datatype"] == "FP32"), None)
    assert (floats is None) == bool(key)
    maps = []
    for binary in (True, False):
        if floats:
            image = np.random.default_rng(0).standard_normal([2, *floats["shape"][1:]]).astype(np.float32)
            sent = (floats["name"], image, "FP32")
        else:
            data = photo if binary else base64.b64encode(photo)
            sent = ("image_bytes", np.array([data], dtype=np.object_), "BYTES")
        # The client has no explain of V2: the explainer is a model of its own.
        asked = request(*sent, binary, {"method": "grad-cam"})
        explained = await client.infer(url, asked, model_name=f"{model}-explainer")
        maps.append(explained.get_output_by_name("attribution").as_numpy())
    assert list(maps[0].shape) == [2 if floats else 1, 224, 224] and np.array_equal(maps[0], maps[1])
    assert float(maps[0].max()) > 0
    shown["v2 explain"] = list(maps[0].shape)
    try:
        await client.explain(url, model, {})
    except UnsupportedProtocol as error:
        shown["v2 explain of the client"] = error.reason
    await client.close()


asyncio.run(v1())
asyncio.run(v2())
print(json.dumps(shown, indent=2))
