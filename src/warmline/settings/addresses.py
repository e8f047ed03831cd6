"""What addresses, origins and hosts may look like, and which of them are this machine alone."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

__all__ = [
    "is_loopback",
    "own_hosts",
    "own_origins",
    "parse_allowed_host",
    "parse_base_url",
    "parse_listen_host",
    "parse_origin",
]

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.IGNORECASE)
_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host` (a name other than `localhost` is never trusted to be)."""
    if host.lower() == "localhost":
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def parse_listen_host(host: str) -> str:
    """An address or name to listen on, without port or brackets.

    Raises:
        ValueError: it is neither.
    """
    if _address(host) is None and not _NAME.fullmatch(host):
        raise ValueError("expected an IP address or a host name, without a port")
    return host


def own_hosts(host: str, port: int) -> tuple[str, ...]:
    """The `Host` headers that mean this server itself: loopback under any name, and where it listens."""
    names = (*_LOOPBACK_NAMES, *([] if _is_wildcard(host) else [host.lower()]))
    return tuple(dict.fromkeys(_host_header(name, port) for name in names))


def own_origins(host: str, port: int) -> tuple[str, ...]:
    """The origins of the pages that this server serves itself."""
    return tuple(f"http://{header}" for header in own_hosts(host, port))


def parse_origin(origin: str) -> str:
    """`scheme://host[:port]` as a browser writes it: lower case, no default port.

    Raises:
        ValueError: it has a path, no scheme, or is a wildcard.
    """
    parts = _split(origin)
    if parts.scheme not in _DEFAULT_PORTS or parts.path or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("expected an origin such as https://voice.example.org, without a path")
    return f"{parts.scheme}://{_netloc(parts)}"


def parse_allowed_host(host: str) -> str:
    """`host[:port]` as a `Host` header has it, in lower case.

    Raises:
        ValueError: it is something else, or a wildcard.
    """
    parts = _split(f"//{host}")
    if parts.netloc != host or parts.username is not None:
        raise ValueError("expected a host such as voice.example.org or 192.0.2.7:7860")
    return host.lower()


def parse_base_url(url: str, *, has_key: bool) -> str:
    """The base URL of an API, without a closing slash.

    Raises:
        ValueError: it is not http(s), carries a user, a password, a query or a fragment (they may be secrets), or would
            send a key unencrypted to another machine.
    """
    parts = _split(url)
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError("expected a URL that begins with http:// or https://")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("a base URL has no user, password, query or fragment; a key belongs into llm_api_key")
    if has_key and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError("a key is not sent over plain http to another machine; use https")
    return url.rstrip("/")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError("not a valid address") from error
    if not host or (_address(host) is None and not _NAME.fullmatch(host)):
        raise ValueError("expected a host name or an IP address (wildcards are not supported)")
    return parts


def _netloc(parts: SplitResult) -> str:
    netloc = parts.netloc.lower()
    return netloc.removesuffix(f":{_DEFAULT_PORTS[parts.scheme]}")


def _host_header(name: str, port: int) -> str:
    bracketed = f"[{name}]" if ":" in name else name
    return bracketed if port == _DEFAULT_PORTS["http"] else f"{bracketed}:{port}"


def _is_wildcard(host: str) -> bool:
    address = _address(host)
    return address is not None and address.is_unspecified


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
