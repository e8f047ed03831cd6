"""One family of errors: catch `WarmlineError` to catch everything that Warmline raises on purpose."""

__all__ = [
    "ConfigError",
    "CreateFailed",
    "CredentialClosed",
    "CredentialError",
    "CredentialExpired",
    "CredentialRefused",
    "CredentialUnreachable",
    "EngineError",
    "ForeignResource",
    "PoolClosed",
    "PoolError",
    "PoolNotReady",
    "PoolSaturated",
    "PoolTimeout",
    "ProtocolError",
    "WarmUpFailed",
    "WarmlineError",
    "WorkerDied",
]


class WarmlineError(Exception):
    """Anything that Warmline raises on purpose."""


class ConfigError(WarmlineError):
    """A setting or scenario is wrong; the message names where, what was found and what was expected."""


class EngineError(WarmlineError):
    """A speech or language engine could not do what was asked; `__cause__` is the vendor's own error."""


class WarmUpFailed(WarmlineError):  # noqa: N818 - it names what happened, like the pool's PoolClosed
    """A warm-up step ended without the proof it owes (a byte, a token, a label)."""


class WorkerDied(WarmlineError):  # noqa: N818
    """A worker process ended while somebody still needed it."""

    def __init__(self, name: str, exit_status: int | None = None) -> None:
        super().__init__(f"worker {name!r} died (exit status {exit_status})")
        self.name = name
        self.exit_status = exit_status


class ProtocolError(WarmlineError):
    """A peer broke the wire protocol; `close_code` is the WebSocket close code that answers it."""

    def __init__(self, close_code: int, reason: str) -> None:
        super().__init__(f"{reason} (close code {close_code})")
        self.close_code = close_code
        self.reason = reason


class CredentialError(WarmlineError):
    """A key or token is not to be had. The message is one line that holds no secret.

    Attributes:
        credential: its name.
        retry_after_sec: how long the issuer asks to be left alone; None if it did not.
    """

    def __init__(self, message: str, *, credential: str = "", retry_after_sec: float | None = None) -> None:
        super().__init__(f"{credential}: {message}" if credential else message)
        self.credential = credential
        self.retry_after_sec = retry_after_sec


class CredentialRefused(CredentialError):  # noqa: N818
    """The issuer, or the service itself, does not accept the key, the secret or the identity: someone must act."""


class CredentialUnreachable(CredentialError):  # noqa: N818
    """The issuer gave no usable answer (down, slow, overloaded, broken): trying again may help."""


class CredentialExpired(CredentialError):  # noqa: N818
    """What was held has run out, and no replacement has come; `__cause__` says why."""


class CredentialClosed(CredentialError):  # noqa: N818
    """Its keeper has not been started, or is closed."""


class PoolError(WarmlineError):
    """A pool could not do what was asked. Carries what the pool held at that moment; `__cause__` is the last failure.

    Attributes:
        pool: name of the pool.
        spare, leased, creating, waiting: how many resources, and callers, it had.
    """

    def __init__(
        self, message: str, *, pool: str = "", spare: int = 0, leased: int = 0, creating: int = 0, waiting: int = 0
    ) -> None:
        counts = f"spare={spare} leased={leased} creating={creating} waiting={waiting}"
        super().__init__(f"[{pool}] {message} ({counts})")
        self.pool = pool
        self.spare = spare
        self.leased = leased
        self.creating = creating
        self.waiting = waiting


class PoolNotReady(PoolError):  # noqa: N818
    """The pool was used before `prepare()`, or from another event loop than its own."""


class PoolClosed(PoolError):  # noqa: N818
    """The pool is shut down, or was shut down while the caller waited."""


class PoolTimeout(PoolError, TimeoutError):  # noqa: N818
    """No resource came before the caller's deadline."""


class PoolSaturated(PoolError):  # noqa: N818
    """As many callers wait as `max_waiting` allows."""


class ForeignResource(PoolError):  # noqa: N818
    """Something was released that this pool never made."""


class CreateFailed(PoolError):  # noqa: N818
    """The provider keeps failing; `__cause__` is its last error."""
