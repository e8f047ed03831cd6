"""The bodies of `POST /v1/chat/completions` and `/v1/responses`, checked as OpenAI checks them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from warmline.emulators.openai.api_error import ApiError
from warmline.engines import ChatMessage

__all__ = ["ChatRequest", "content_of", "parse_chat_request", "parse_response_request"]

_Role = Literal["system", "developer", "user", "assistant"]
_ROLES = ("system", "developer", "user", "assistant")
# Their messages are legal, but a receptionist without tools has no use for them.
_UNREAD_ROLES = ("tool", "function")
# Chat completions call it text, responses and realtime sessions say which way it goes.
_TEXT_PARTS = ("text", "input_text", "output_text")
_KINDS = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    list: "an array",
    dict: "an object",
}


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What of a request the emulator heeds; everything else is accepted and ignored. `max_tokens` None: no limit."""

    model: str
    messages: tuple[ChatMessage, ...]
    stream: bool = False
    include_usage: bool = False
    max_tokens: int | None = None


def parse_chat_request(body: bytes, deployment: str | None = None) -> ChatRequest:
    """Read a request body. With a `deployment`, as in a path of Azure, the body needs no model.

    Raises:
        ApiError: it is no JSON object, or a field is missing or of the wrong type.
    """
    fields = _json_object(body)
    model = deployment or _field(fields, "model", str)
    messages = _field(fields, "messages", list)
    if not model or not messages:
        name = "messages" if model else "model"
        raise ApiError(400, f"Invalid '{name}': must not be empty.", param=name, code="invalid_value")
    stream = bool(_field(fields, "stream", bool, default=False))
    return ChatRequest(
        model=str(model),
        messages=_messages(cast("list[object]", messages)),
        stream=stream,
        include_usage=_include_usage(fields, stream=stream),
        max_tokens=_max_tokens(fields, ("max_completion_tokens", "max_tokens")),
    )


def parse_response_request(body: bytes) -> ChatRequest:
    """Read the body of a request for a response; its input is a text or a list of messages.

    Raises:
        ApiError: it is no JSON object, or a field is missing or of the wrong type.
    """
    fields = _json_object(body)
    model = _field(fields, "model", str)
    said = fields.get("input")
    if not model or not said:
        name = "input" if model else "model"
        raise ApiError(400, f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter")
    if not isinstance(said, str | list):
        raise _wrong_type("input", "a string or an array", said)
    instructions = _field(fields, "instructions", str, default="")
    asked = (ChatMessage("user", said),) if isinstance(said, str) else _messages(said, "input")
    return ChatRequest(
        model=str(model),
        messages=(ChatMessage("system", str(instructions)), *asked) if instructions else asked,
        stream=bool(_field(fields, "stream", bool, default=False)),
        max_tokens=_max_tokens(fields, ("max_output_tokens",)),
    )


def _json_object(body: bytes) -> Mapping[str, object]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "We could not parse the JSON body of your request.") from error
    if not isinstance(fields, dict):
        raise ApiError(400, f"Invalid body: expected an object, but got {_kind(fields)} instead.", code="invalid_type")
    return fields


def _field(fields: Mapping[str, object], name: str, kind: type, *, default: object = None) -> object:
    """A field of this type; one without a default is required, one that is null counts as missing."""
    value = fields.get(name)
    if value is None and default is None:
        raise ApiError(400, f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter")
    if value is None:
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise _wrong_type(name, _KINDS[kind], value)
    return value


def _messages(messages: list[object], name: str = "messages") -> tuple[ChatMessage, ...]:
    read = [_message(message, f"{name}[{place}]") for place, message in enumerate(messages)]
    return tuple(message for message in read if message is not None)


def _message(message: object, where: str) -> ChatMessage | None:
    if not isinstance(message, dict):
        raise _wrong_type(where, "an object", message)
    role = message.get("role")
    if role in _UNREAD_ROLES:
        return None
    if role not in _ROLES:
        raise ApiError(
            400, f"Invalid value for '{where}.role': supported are {', '.join(_ROLES)}, {', '.join(_UNREAD_ROLES)}.",
            param=f"{where}.role", code="invalid_value",
        )  # fmt: skip
    return ChatMessage(cast("_Role", role), content_of(message.get("content"), role, f"{where}.content"))


def content_of(content: object, role: str, where: str) -> str:
    """The text of a message's content: a string, or parts.

    Raises:
        ApiError: it is neither, or a part is no text.
    """
    if isinstance(content, str):
        return content
    if content is None and role == "assistant":
        return ""
    if not isinstance(content, list):
        raise _wrong_type(where, "a string or an array of text parts", content)
    for place, part in enumerate(content):
        if not (isinstance(part, dict) and part.get("type") in _TEXT_PARTS and isinstance(part.get("text"), str)):
            raise ApiError(
                400, f"Invalid '{where}[{place}]': text alone is supported.", param=where, code="invalid_value"
            )
    return "\n".join(part["text"] for part in content)


def _include_usage(fields: Mapping[str, object], *, stream: bool) -> bool:
    options = _field(fields, "stream_options", dict, default={})
    if options and not stream:
        raise ApiError(
            400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options"
        )
    return bool(_field(cast("Mapping[str, object]", options), "include_usage", bool, default=False))


def _max_tokens(fields: Mapping[str, object], names: tuple[str, ...]) -> int | None:
    for name in names:
        limit = cast("int", _field(fields, name, int, default=0))
        if limit < 0 or (limit == 0 and fields.get(name) is not None):
            raise ApiError(400, f"Invalid '{name}': must be at least 1.", param=name, code="integer_below_min_value")
        if limit:
            return limit
    return None


def _wrong_type(where: str, expected: str, value: object) -> ApiError:
    return ApiError(
        400, f"Invalid type for '{where}': expected {expected}, but got {_kind(value)} instead.",
        param=where, code="invalid_type",
    )  # fmt: skip


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "null")
