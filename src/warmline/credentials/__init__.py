"""Tokens that are fresh before anyone asks.

A `TokenKeeper` asks a source (`StaticKey`, `KeyExchange`, `AzureIdentity`, or your own `TokenSource`) in the
background, serves the token at hand meanwhile, and tells who holds what was made with the old one.
"""

from warmline.credentials.azure_identity import AzureCredential, AzureIdentity
from warmline.credentials.consumers import AccessToken, KeptCredential
from warmline.credentials.gate import CredentialGate
from warmline.credentials.keeper import TokenKeeper
from warmline.credentials.keeper_thread import KeeperThread
from warmline.credentials.key_exchange import KeyExchange
from warmline.credentials.redaction import CauseWithheld
from warmline.credentials.rotation import Rotatable, Subscription
from warmline.credentials.source import RefreshPolicy, TokenSource
from warmline.credentials.static_key import StaticKey
from warmline.credentials.token import IssuedToken, Token

__all__ = [
    "AccessToken",
    "AzureCredential",
    "AzureIdentity",
    "CauseWithheld",
    "CredentialGate",
    "IssuedToken",
    "KeeperThread",
    "KeptCredential",
    "KeyExchange",
    "RefreshPolicy",
    "Rotatable",
    "StaticKey",
    "Subscription",
    "Token",
    "TokenKeeper",
    "TokenSource",
]
