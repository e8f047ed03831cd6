"""What is wrong with a language model, in one line that holds neither a key nor anybody's words."""

from dataclasses import dataclass
from enum import StrEnum

import openai

from warmline.errors import CredentialError

__all__ = ["Trouble", "TroubleKind", "diagnose", "no_model_offered", "too_slow"]

_MAX_CODE_CHARS = 40
# https://platform.openai.com/docs/guides/error-codes; Azure answers with its own codes, and status 429, too.
_USED_UP = frozenset({"insufficient_quota", "billing_hard_limit_reached"})


class TroubleKind(StrEnum):
    """Who has to do what."""

    KEY = "key"
    """Refused: somebody must give another key, or allow this one."""
    MODEL = "model"
    """There is no such model or deployment."""
    QUOTA = "quota"
    """Used up: somebody must pay."""
    RATE = "rate"
    """Too many requests: it passes."""
    UNREACHABLE = "unreachable"
    """No connection, or no answer on it."""
    FAILED = "failed"
    """It answered with an error of its own, or with nonsense."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """`why` reads on after "the language model". `retry_after_sec` is how long the server asks to be left alone."""

    kind: TroubleKind
    why: str
    retry_after_sec: float = 0.0


def diagnose(failure: Exception, model: str | None = None, *, by_token: bool = False) -> Trouble:
    """What a failed request says. Of messages only types and codes are kept: they may quote a key or the caller.

    `by_token`: the request showed the token of an identity in place of a key.
    """
    shown, remedy = ("identity", "give it a role there") if by_token else ("key", "give it the right API key")
    match failure:
        case CredentialError():
            return Trouble(TroubleKind.KEY, f"can not be asked without a token: {failure}")
        case openai.AuthenticationError():
            return Trouble(TroubleKind.KEY, f"refuses the {shown}{_status(failure)}: {remedy}")
        case openai.PermissionDeniedError():
            return Trouble(
                TroubleKind.KEY, f"does not let this {shown} use the model{_status(failure)}: allow it, or give another"
            )
        case openai.NotFoundError():
            named = f"model or deployment {model!r}" if model else "such address"
            return Trouble(TroubleKind.MODEL, f"has no {named}{_status(failure)}: correct its name or the base URL")
        case openai.RateLimitError():
            return _quota(failure)
        case openai.APIConnectionError():
            cause = type(failure.__cause__ or failure).__name__
            return Trouble(TroubleKind.UNREACHABLE, f"cannot be reached ({cause}): check its address and the network")
        case openai.APIStatusError():
            return Trouble(TroubleKind.FAILED, f"fails{_status(failure)}", _retry_after_sec(failure))
        case openai.OpenAIError():
            return Trouble(TroubleKind.FAILED, f"fails ({type(failure).__name__})")
    return Trouble(TroubleKind.FAILED, f"broke off its answer ({type(failure).__name__})")


def no_model_offered() -> Trouble:
    """No model was chosen, and there is no first one to take."""
    return Trouble(TroubleKind.MODEL, "offers no model: name one")


def too_slow(limit_sec: float) -> Trouble:
    """No token in time."""
    return Trouble(TroubleKind.FAILED, f"gave no token for {limit_sec:g} s")


def _quota(failure: openai.RateLimitError) -> Trouble:
    if failure.code in _USED_UP or failure.type in _USED_UP:
        return Trouble(TroubleKind.QUOTA, f"has no quota left{_status(failure)}: see plan and billing at the provider")
    why = f"takes no more requests for now{_status(failure)}: its rate or quota is exhausted"
    return Trouble(TroubleKind.RATE, why, _retry_after_sec(failure))


def _status(failure: openai.APIStatusError) -> str:
    code = failure.code if _is_code(failure.code) else None
    return f" (HTTP {failure.status_code}{f', {code}' if code else ''})"


def _is_code(code: object) -> bool:
    """A word of the API's, and not something that a proxy on the way has put there."""
    return isinstance(code, str) and code.replace("_", "").isalpha() and len(code) <= _MAX_CODE_CHARS


def _retry_after_sec(failure: openai.APIStatusError) -> float:
    try:
        return max(0.0, float(failure.response.headers.get("retry-after", 0)))
    except ValueError:  # a date: our own back-off will do
        return 0.0
