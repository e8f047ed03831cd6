"""TLS with a certificate authority of the emulator's own, made anew at each start."""

import ssl
from pathlib import Path

from trustme import CA

__all__ = ["NAMES", "tls_context"]

# Names are listed one by one: OpenSSL refuses a wildcard directly under a top-level domain.
NAMES = ("localhost", "127.0.0.1", "::1", "llm.warmline.test", "openai.warmline.test", "azure.warmline.test")


def tls_context(ca_file: Path, *, http2: bool, addresses: tuple[str, ...] = ()) -> ssl.SSLContext:
    """A server's context, for `NAMES` and `addresses`; the authority's certificate is written to `ca_file`.

    Raises:
        OSError: the file cannot be written.
    """
    authority = CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2", "http/1.1"] if http2 else ["http/1.1"])
    authority.issue_cert(*dict.fromkeys((*NAMES, *addresses))).configure_cert(context)
    authority.cert_pem.write_to_path(str(ca_file))
    return context
