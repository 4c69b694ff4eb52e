"""Laws of the codec: botocore's serializer and parser are its judges."""

from __future__ import annotations

import json
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel as BotocoreModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import given
from hypothesis import strategies as st

from reconciler.emulator.answers import ServiceError
from reconciler.emulator.codec import decode_request, encode
from reconciler.emulator.model import service_model

RAW = Loader().load_service_model("amplifybackend", "service-2")
BOTOCORE = BotocoreModel(RAW)
OPERATIONS = sorted(RAW["operations"])
NUMBERS = st.integers(-(2**31), 2**31) | st.floats(allow_nan=False, allow_infinity=False)


def values(shape: str) -> st.SearchStrategy[Any]:
    """Return values of a shape in API names."""
    entry = RAW["shapes"][shape]
    match entry["type"]:
        case "structure":
            members = {
                name: st.text(min_size=1) if member.get("location") == "uri" else values(member["shape"])
                for name, member in entry["members"].items()
            }
            required = {name: members.pop(name) for name in entry.get("required", ())}
            return st.fixed_dictionaries(required, optional=members)
        case "list":
            return st.lists(values(entry["member"]["shape"]), max_size=4)
        case "string":
            return st.sampled_from(entry["enum"]) if "enum" in entry else st.text(max_size=20)
        case "boolean":
            return st.booleans()
        case "double":
            return NUMBERS
        case kind:
            assert kind == "integer"
            return st.integers(entry.get("min"), entry.get("max"))


@given(data=st.data(), name=st.sampled_from(OPERATIONS))
def test_what_botocore_serialises_decodes_to_the_same(data: st.DataObject, name: str) -> None:
    request = data.draw(values(RAW["operations"][name]["input"]["shape"]))
    sent = create_serializer("rest-json").serialize_to_request(request, BOTOCORE.operation_model(name))
    route = service_model().route(sent["method"], sent["url_path"])
    assert route is not None
    operation, path_values = route
    assert operation.name == name
    assert decode_request(service_model(), operation, path_values, sent["body"]) == request


@given(data=st.data(), name=st.sampled_from(OPERATIONS))
def test_what_we_encode_botocore_parses_to_the_same(data: st.DataObject, name: str) -> None:
    shape = RAW["operations"][name]["output"]["shape"]
    answer = data.draw(values(shape))
    body = json.dumps(encode(service_model(), shape, answer)).encode()
    response = {"status_code": 200, "headers": {}, "body": body}
    output = BOTOCORE.operation_model(name).output_shape
    assert output is not None
    parsed = create_parser("rest-json").parse(response, output)
    del parsed["ResponseMetadata"]
    assert parsed == answer


@given(
    body=st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["resourceName"]), inner),
    ).map(lambda value: json.dumps(value).encode()),
    name=st.sampled_from(OPERATIONS),
)
def test_no_body_does_worse_than_a_bad_request(body: bytes, name: str) -> None:
    operation = service_model().operations[name]
    path_values = {segment[1:-1]: "x" for segment in operation.segments if segment.startswith("{")}
    status = 200
    try:
        decode_request(service_model(), operation, path_values, body)
    except ServiceError as error:
        status = error.response().status
    assert status in (200, 400)
