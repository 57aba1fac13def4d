"""One job by the client that openapi-generator has generated: `python openapi_generator_job.py URL KEY PHOTO`.

It is checked by `mypy --strict` and by pyright; of the client itself only what its types say counts there.
"""

import hashlib
import sys
from pathlib import Path
from urllib.request import Request, urlopen

from whylight_api import (
    ApiClient,
    ClassTargetIndex,
    Configuration,
    ExplanationRequest,
    ExplanationRequestInput,
    ExplanationRequestInputAnyOf,
    ExplanationsApi,
    MethodId,
    Target,
    TargetRequest,
    UploadRequest,
    UploadsApi,
)
from whylight_api.exceptions import NotFoundException


def main(url: str, key: str, photo: Path) -> None:
    client = ApiClient(Configuration(host=url, access_token=key))
    data = photo.read_bytes()
    announced = UploadsApi(client).uploads_create(
        UploadRequest(
            content_type="image/jpeg",
            content_length=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
        )
    )
    if announced.upload is not None:
        headers = announced.upload.headers
        with urlopen(Request(announced.upload.url, data=data, headers=headers, method="PUT")) as stored:
            assert stored.status == 200
    explanations = ExplanationsApi(client)
    target = Target(type="class", index=ClassTargetIndex(0), score="logit")
    explanation = explanations.explanations_create(
        ExplanationRequest(
            input=ExplanationRequestInput(ExplanationRequestInputAnyOf(upload=announced.id)),
            method=MethodId.GRAD_MINUS_CAM,
            target=TargetRequest(target),
        ),
        prefer="wait=60",
    )
    assert explanation.status == "succeeded", explanation
    [attribution] = explanation.attributions
    signed_url = attribution.artifacts.overlay.signed_url
    assert signed_url is not None, attribution
    with urlopen(signed_url) as picture:
        assert picture.read(4) == b"\x89PNG"
    artifact = explanations.artifacts_get(explanation.id, "overlay.png")
    with urlopen(artifact.url) as picture:
        assert picture.read(4) == b"\x89PNG"
    try:
        explanations.artifacts_get("exp_0", "overlay.png")
    except NotFoundException as error:
        assert error.data is not None and error.data.code.actual_instance == "resource_not_found", error
    else:
        raise AssertionError("expected a problem")
    print(f"{explanation.id}: {explanation.method.actual_instance}, class {attribution.output_index}")


main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
