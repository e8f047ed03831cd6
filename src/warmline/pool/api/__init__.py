"""What people call on a pool, by concern; `WarmableResourcePool` is all of it together."""

from warmline.pool.api.acquire import Acquires
from warmline.pool.api.operate import FloorPolicy, Operates

__all__ = ["Acquires", "FloorPolicy", "Operates"]
