"""Microsoft Entra tokens by azure-identity: managed identity, workload identity, App Service, client secret and so on.

azure-identity keeps a cache of its own and renews it inside the call of whoever happens to ask once `refresh_on`, or
five minutes before the end, has come (`GetTokenMixin`, azure-identity 1.27). It is asked every minute in the
background, so that it happens there.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import re
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard, cast

from warmline.credentials.daemon_calls import DaemonCalls
from warmline.credentials.redaction import safe_cause
from warmline.credentials.source import RefreshPolicy
from warmline.credentials.token import IssuedToken
from warmline.errors import CredentialError, CredentialRefused, CredentialUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["AzureCredential", "AzureIdentity"]

POLL_SEC = 60.0
FETCH_TIMEOUT_SEC = 30.0  # the instance metadata service is retried for 25 s by azure-identity itself
ENTRA_CODE = re.compile(r"AADSTS\d{4,8}")
# The libraries have one type of exception for refusals and outages alike. OAuth's codes (RFC 6749, 5.2), as
# azure-identity quotes them, without `invalid_scope`, which msal says of every App Service answer without a token.
REFUSAL = re.compile(r"\((invalid_client|invalid_grant|invalid_request|unauthorized_client|access_denied)\)")
REFUSING_STATUSES = (400, 401, 403)
SECRET_VARIABLES = ("AZURE_CLIENT_SECRET", "IDENTITY_HEADER", "MSI_SECRET", "AZURE_PASSWORD")


class AzureCredential(Protocol):
    """Any credential of `azure.identity` (then called in a thread) or `azure.identity.aio` (awaited)."""

    def get_token(self, *scopes: str) -> Any:
        """An `AccessToken`, or a coroutine that gives one."""
        ...

    def close(self) -> Any:
        """Close its connections."""
        ...


class AzureIdentity:
    """Asks azure-identity. Needs the extra `[azure]`.

    Args:
        credential: a credential, which stays yours to close; or what makes one (`ManagedIdentityCredential`, a
            lambda), which allows to start afresh when a token is refused or a request hangs.
        scope: what the token is for.
        secrets: what else must not be quoted by an error's cause, besides the usual variables of the environment.
    """

    def __init__(
        self,
        credential: AzureCredential | Callable[[], AzureCredential],
        *,
        scope: str = "https://cognitiveservices.azure.com/.default",
        secrets: Iterable[str] = (),
    ) -> None:
        self._make: Callable[[], AzureCredential] | None = None
        self._credential: AzureCredential | None = None
        if _is_credential(credential):
            self._credential = credential
        else:
            self._make = cast("Callable[[], AzureCredential]", credential)
        self._scope = scope
        self._secrets = tuple(secrets)
        self._calls = DaemonCalls("warmline-azure-identity")
        self._outdated: list[AzureCredential] = []

    @property
    def policy(self) -> RefreshPolicy:
        """Every minute."""
        return RefreshPolicy(poll_sec=POLL_SEC, fetch_timeout_sec=FETCH_TIMEOUT_SEC)

    async def fetch(self) -> IssuedToken:
        """Its token, from its cache or fresh.

        Raises:
            CredentialRefused: Entra does not accept the identity or the secret.
            CredentialUnreachable: no identity endpoint gave a token.
        """
        failure: CredentialError
        try:
            return await self._ask()
        except CredentialError as error:
            failure = error
        except Exception as error:
            failure = _told_apart(error)
            failure.__cause__ = safe_cause(error, (*self._secrets, *_secrets_of_environment()))
        # Raised out here, so that what was caught does not become its context.
        raise failure

    def renew(self) -> None:
        """Drop the credential with its cache, if another can be made."""
        if self._make is not None and self._credential is not None:
            self._outdated.append(self._credential)
            self._credential = None

    async def aclose(self) -> None:
        """Close the credentials that were made here."""
        self.renew()
        await self._close_outdated()

    def __repr__(self) -> str:
        return f"AzureIdentity(scope={self._scope!r})"

    async def _ask(self) -> IssuedToken:
        await self._close_outdated()
        if self._credential is None and self._make is not None:
            self._credential = await self._calls.run(self._make)
        credential = self._credential
        if credential is None:
            raise CredentialUnreachable("there is no credential to ask")
        if _is_async(credential):
            return _issued(await _method(credential)(self._scope))
        return await self._calls.run(lambda: _issued(_method(credential)(self._scope)))

    async def _close_outdated(self) -> None:
        while self._outdated:
            credential = self._outdated.pop()
            with contextlib.suppress(Exception):  # it is of no use any more, nor is what it says
                if _is_async(credential):
                    await credential.close()
                else:
                    await self._calls.run(credential.close)


def _is_credential(candidate: AzureCredential | Callable[[], AzureCredential]) -> TypeGuard[AzureCredential]:
    return hasattr(candidate, "get_token") and not inspect.isclass(candidate)


def _is_async(credential: AzureCredential) -> bool:
    return hasattr(credential, "__aenter__") or inspect.iscoroutinefunction(credential.get_token)


def _method(credential: AzureCredential) -> Callable[[str], Any]:
    """`get_token_info` tells `refresh_on`; older and foreign credentials have `get_token` alone."""
    method: Callable[[str], Any] = getattr(credential, "get_token_info", credential.get_token)
    return method


def _issued(answer: Any) -> IssuedToken:
    refresh_on = getattr(answer, "refresh_on", None)
    return IssuedToken(value=answer.token, expires_on=answer.expires_on, refresh_on=refresh_on)


def _told_apart(error: Exception) -> CredentialError:
    """One line of ours: the issuer's own text stays with the cause."""
    text = str(error)
    code = ENTRA_CODE.search(text)
    status = getattr(getattr(error, "response", None), "status_code", None)
    what = ", ".join(str(each) for each in (type(error).__name__, status, code and code.group()) if each)
    if status in REFUSING_STATUSES or code or REFUSAL.search(text) or type(error) is ValueError:
        return CredentialRefused(f"the identity is not accepted ({what}): wrong secret, tenant, client or permission")
    return CredentialUnreachable(f"the identity endpoint gave no token ({what})")


def _secrets_of_environment() -> tuple[str, ...]:
    return tuple(value for name in SECRET_VARIABLES if (value := os.environ.get(name)))
