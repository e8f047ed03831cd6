"""A wide-area network on one machine: every round trip costs what it would cost over a distance.

`WanProxy` needs no privileges and models round trips; `TunWan` carries every packet, and needs root.
"""

from warmline.emulators.wan.namespace import entered
from warmline.emulators.wan.plan import available_controls
from warmline.emulators.wan.proxy import WanProxy
from warmline.emulators.wan.tun import TunWan, why_no_tun

__all__ = ["TunWan", "WanProxy", "available_controls", "entered", "why_no_tun"]
