"""One family of errors: catch `WarmlineError` to catch everything that Warmline raises on purpose."""

__all__ = ["ConfigError", "EngineError", "ProtocolError", "WarmUpFailed", "WarmlineError", "WorkerDied"]


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
