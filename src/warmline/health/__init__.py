"""Honest readiness: what is missing, by name, and a way out that cuts nobody off. Plain ASGI, without a dependency."""

from warmline.health.app import HealthApp, HealthMiddleware
from warmline.health.drain import Drain
from warmline.health.health import FloorCount, Gate, Gated, Health, WarmUp
from warmline.health.readiness import Facts, Phase, Readiness, Verdict

__all__ = [
    "Drain",
    "Facts",
    "FloorCount",
    "Gate",
    "Gated",
    "Health",
    "HealthApp",
    "HealthMiddleware",
    "Phase",
    "Readiness",
    "Verdict",
    "WarmUp",
]
