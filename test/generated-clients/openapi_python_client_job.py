"""One job by the client that openapi-python-client has generated: `python openapi_python_client_job.py URL KEY PHOTO`.

It is checked by `mypy --strict` together with the client.
"""

import hashlib
import sys
from pathlib import Path
from urllib.request import Request, urlopen

from whylight_client import AuthenticatedClient
from whylight_client.api.explanations import artifacts_get, explanations_create
from whylight_client.api.uploads import uploads_create
from whylight_client.models.class_target import ClassTarget
from whylight_client.models.class_target_score import ClassTargetScore
from whylight_client.models.class_target_type import ClassTargetType
from whylight_client.models.artifact_url import ArtifactUrl
from whylight_client.models.explanation import Explanation
from whylight_client.models.explanation_request import ExplanationRequest
from whylight_client.models.explanation_request_input_type_0 import ExplanationRequestInputType0
from whylight_client.models.method_id import MethodId
from whylight_client.models.photo_upload import PhotoUpload
from whylight_client.models.problem import Problem
from whylight_client.models.upload_request import UploadRequest
from whylight_client.models.upload_request_content_type import UploadRequestContentType


def main(url: str, key: str, photo: Path) -> None:
    client = AuthenticatedClient(base_url=url, token=key)
    data = photo.read_bytes()
    announced = uploads_create.sync(
        client=client,
        body=UploadRequest(
            content_type=UploadRequestContentType.IMAGEJPEG,
            content_length=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
        ),
    )
    assert isinstance(announced, PhotoUpload), announced
    if announced.upload is not None:
        headers = announced.upload.headers.to_dict()
        with urlopen(Request(announced.upload.url, data=data, headers=headers, method="PUT")) as stored:
            assert stored.status == 200
    explanation = explanations_create.sync(
        client=client,
        prefer="wait=60",
        body=ExplanationRequest(
            input_=ExplanationRequestInputType0(upload=announced.id),
            method=MethodId.GRAD_CAM,
            target=ClassTarget(type_=ClassTargetType.CLASS, index=0, score=ClassTargetScore.LOGIT),
        ),
    )
    assert isinstance(explanation, Explanation), explanation
    assert explanation.status == "succeeded", explanation
    artifact = artifacts_get.sync_detailed(client=client.with_headers({"Accept": "application/json"}), id=explanation.id, name="overlay.png")
    assert isinstance(artifact.parsed, ArtifactUrl), artifact
    with urlopen(artifact.parsed.url) as picture:
        assert picture.read(4) == b"\x89PNG"
    missing = artifacts_get.sync(client=client, id="exp_0", name="overlay.png")
    assert isinstance(missing, Problem), missing
    assert missing.code == "resource_not_found"
    print(f"{explanation.id}: {explanation.method}, target {explanation.target}")


main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
