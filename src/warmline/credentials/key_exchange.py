"""Azure's key exchange: a subscription key buys a token of ten minutes (`POST .../sts/v1.0/issueToken`).

Protocol: learn.microsoft.com/azure/ai-services/speech-service/rest-speech-to-text-short, "Authentication".
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from warmline.credentials.daemon_calls import DaemonCalls
from warmline.credentials.redaction import safe_cause
from warmline.credentials.source import RefreshPolicy
from warmline.credentials.token import LONGEST_TOKEN_CHARS, IssuedToken
from warmline.errors import ConfigError, CredentialError, CredentialRefused, CredentialUnreachable

if TYPE_CHECKING:
    import requests

__all__ = ["KeyExchange"]

LIFETIME_SEC = 600.0
SOCKET_TIMEOUT_SEC = 5.0
REGION = re.compile(r"[a-z0-9]{1,40}")
TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # b64token of RFC 6750, 2.1: a JWT is one, HTML and JSON are none


class KeyExchange:
    """Exchanges a subscription key for short tokens. Needs the extra `[azure]` (requests).

    Args:
        key: the subscription key.
        region: e.g. "westeurope"; or
        url: the whole address of `issueToken`, https unless it is on this machine.
        lifetime_sec: how long a token lasts; ten minutes is what Azure documents.
        ca_file: a PEM file to trust instead of the system's.

    Raises:
        ConfigError: neither or both of region and url, or one that is malformed; a key that no header can carry.
    """

    def __init__(
        self,
        key: str,
        *,
        region: str | None = None,
        url: str | None = None,
        lifetime_sec: float = LIFETIME_SEC,
        ca_file: str | None = None,
    ) -> None:
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise ConfigError("a subscription key is empty, or has characters that no header can carry")
        if lifetime_sec <= 0:
            raise ConfigError(f"a token's lifetime is positive, not {lifetime_sec}")
        self._key = key
        self._url = _issue_token_url(region, url)
        self._lifetime_sec = lifetime_sec
        self._verify: str | bool = ca_file or True
        self._calls = DaemonCalls("warmline-key-exchange")

    @property
    def policy(self) -> RefreshPolicy:
        """Another token at half of the lifetime."""
        return RefreshPolicy()

    async def fetch(self) -> IssuedToken:
        """A fresh token; every call asks the endpoint.

        Raises:
            CredentialRefused: the key, or the address, is wrong.
            CredentialUnreachable: the endpoint gave no token.
        """
        return await self._calls.run(self._exchange)

    def renew(self) -> None:
        """Nothing: every fetch has a connection of its own."""

    async def aclose(self) -> None:
        """Nothing to release: connections end with their fetch."""

    def __repr__(self) -> str:
        return f"KeyExchange(url={self._url!r})"

    def _exchange(self) -> IssuedToken:
        import requests  # costs 60 ms, and who has no key exchange need not have it

        try:
            with requests.Session() as session, self._post(session) as answer:
                status, retry_after = answer.status_code, answer.headers.get("Retry-After", "")
                body = answer.raw.read(LONGEST_TOKEN_CHARS + 1, decode_content=True)
                failure = _failure(status, retry_after)
        except Exception as error:
            failure = CredentialUnreachable(f"the key exchange cannot be reached ({type(error).__name__})")
            failure.__cause__ = safe_cause(error, (self._key,))
        # Raised out here, so that what was caught does not become its context.
        if failure is not None:
            raise failure
        value = body.decode("ascii", "replace").strip()
        if not TOKEN.fullmatch(value):
            raise CredentialUnreachable("the answer holds no token: it is a page, or a message")
        return IssuedToken(value=value, lifetime_sec=self._lifetime_sec)

    def _post(self, session: requests.Session) -> requests.Response:
        return session.post(
            self._url,
            data=b"",
            headers={"Ocp-Apim-Subscription-Key": self._key},
            timeout=SOCKET_TIMEOUT_SEC,
            allow_redirects=False,  # a redirect would carry the key elsewhere
            stream=True,
            verify=self._verify,
        )


def _failure(status: int, retry_after: str) -> CredentialError | None:
    if status == 200:
        return None
    if status in (401, 403):
        return CredentialRefused(f"the key exchange refuses the key ({status}): wrong key, or a key of another region")
    if status < 500 and status not in (408, 429):
        return CredentialRefused(f"the key exchange answers {status}: wrong address or region")
    wait_sec = float(retry_after) if retry_after.isdecimal() else None
    return CredentialUnreachable(f"the key exchange answers {status}", retry_after_sec=wait_sec)


def _issue_token_url(region: str | None, url: str | None) -> str:
    if (region is None) == (url is None):
        raise ConfigError("a key exchange takes a region or a url, one of them")
    if region is not None:
        if not REGION.fullmatch(region):
            raise ConfigError(f"a region is like 'westeurope', not {region!r}")
        return f"https://{region}.api.cognitive.microsoft.com/sts/v1.0/issueToken"
    parts = urlsplit(url or "")
    if parts.username or parts.password:
        raise ConfigError("the address of a key exchange holds a user name or password")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        raise ConfigError(f"a key goes over https, or stays on this machine: {url!r}")
    return url or ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
