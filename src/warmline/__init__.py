"""Warmline: the first turn of a real-time voice agent, as fast as its hundredth."""

__version__ = "0.1.0"
__all__ = ["__version__"]
