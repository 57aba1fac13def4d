"""Rules of the API that JSON Schema cannot state.

schemathesis skips bodies that break them; the service answers 400.
"""

from typing import Any

import requests
import schemathesis


def visualization_of(body: dict[str, Any]) -> Any:
    output = body.get("output")
    return output.get("visualization") if isinstance(output, dict) else body.get("visualization")


@schemathesis.hook
def filter_body(ctx: schemathesis.HookContext, body: Any) -> bool:
    if not isinstance(body, dict):
        return True
    visualization = visualization_of(body)
    if not isinstance(visualization, dict):
        return True
    lower, upper = visualization.get("clip_percent_lowerbound"), visualization.get("clip_percent_upperbound")
    if not all(isinstance(bound, (int, float, type(None))) for bound in (lower, upper)):
        return True
    return (0 if lower is None else lower) < (100 if upper is None else upper)


@schemathesis.hook
def after_call(ctx: schemathesis.HookContext, case: schemathesis.Case, response: schemathesis.Response) -> None:
    """Deletes webhook endpoints: a tenant has at most 20, and the next would be refused for that."""
    if case.operation.label == "POST /v1/webhook_endpoints" and response.status_code == 201:
        url = f"{response.request.url}/{response.json()['id']}"
        requests.delete(url, headers={"Authorization": response.request.headers["Authorization"]}, timeout=30)
