"""What schemathesis cannot read in the document: ids of things that are there, or nothing but 404
would be seen, and what is said in words there because JSON Schema cannot say it."""

import json
import os
import re
import urllib.request
import zlib

import schemathesis

URL = os.environ["MILLRACE_URL"]

# A request that its schema allows may be refused with these words.
SAID_IN_WORDS = {
    "submitJob": ("is not before the deadline", "are allowed are 1 to 200", "has more than 16384",
                  "The URL of `webhook`"),
    "listWebhookDeliveries": ("There is no delivery",),
    "listJobs": ("There is no job", "allowed are 1 to 200"),
    "createResponse": ("at least one item is required", "Previous response with id",
                       "item_not_found"),
    "getResponse": ("is allowed only when `stream` is true", "the sequence_number of an event"),
    "cancelResponse": ("Cannot cancel a synchronous response",),
    "listResponseInputItems": ("must be the id of an input item",),
    "readJobEvents": ("The parameter 'limit' is not known",),
    "readEventsOfJobs": ("a job that is not in 'jobs'", "is not a place in this stream"),
    "readEventsOfSession": ("is not a place in this stream", "allowed are at most 200 bytes"),
}


def _posted(path, body):
    request = urllib.request.Request(URL + path, json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


JOB = _posted("/v1/jobs", {"input": "하늘은 왜 파란가요?", "webhook": URL + "/livez"})["id"]
DELIVERY = "msg_" + JOB.replace("-", "")
SESSION = _posted("/api/sessions", {"metadata": {"user": "민지"}})["session_id"]
RESPONSE = _posted("/v1/responses", {"input": "하늘은?", "model": "sim-5ms-5tok-1gap"})["id"]
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# What there is below a path, and which texts may stand for it.
THERE_IS = {"/v1/jobs/{id}": (JOB, UUID), "/v1/responses/{id}": (RESPONSE, re.compile(".+")),
            "/api/sessions/{id}/messages": (SESSION, re.compile(".+")),
            "/api/chat/stream/{message_id}": (JOB, UUID),
            "/v1/webhooks/deliveries/{id}": (DELIVERY, re.compile("msg_[0-9a-fA-F]{32}"))}


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Every second id is one of something that is there, unless it is to be deleted."""
    if context.operation.method.lower() == "delete":
        return path_parameters
    for path, (known, fits) in THERE_IS.items():
        name, value = next(iter((path_parameters or {"": ""}).items()))
        if context.operation.path.startswith(path) and fits.fullmatch(str(value)) \
                and zlib.crc32(str(value).encode(errors="replace")) % 2:
            return {**path_parameters, name: known}
    return path_parameters


@schemathesis.hook
def map_body(_context, body):
    """A webhook that was made up is sent nowhere but to this machine, where nobody listens."""
    if isinstance(body, dict) and isinstance(body.get("webhook"), (str, dict)):
        return {**body, "webhook": "http://127.0.0.1:9/"}
    return body


@schemathesis.serializer("application/x-ndjson")
def lines(_context, value):
    return (value if isinstance(value, str) else json.dumps(value)).encode()


@schemathesis.hook
def filter_failure(context, failure, case, response):
    name = case.operation.definition.raw.get("operationId")
    kind = type(failure).__name__
    if kind == "RejectedPositiveData" and response.status_code == 400:
        return not any(words in response.text for words in SAID_IN_WORDS.get(name, ()))
    if kind == "AcceptedNegativeData":
        # Any text is lines, each with an answer of its own; and HTTP lets unknown headers be.
        unknown_header = "object with unexpected properties" in failure.message \
            and "in header" in failure.message
        return not unknown_header and case.media_type != "application/x-ndjson"
    return True
