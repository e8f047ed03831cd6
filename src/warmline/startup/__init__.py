"""The warm-up plan: what is made ready before the first call, side by side, each step bounded and proved.

It takes callables and knows nothing of what they warm. Needs the standard library alone.
"""

from warmline.startup.gating import Gating, Policy
from warmline.startup.last_moment import wait_for_at_exit
from warmline.startup.lines import progress_line
from warmline.startup.plan import Plan
from warmline.startup.progress import StepState
from warmline.startup.proof import Verified
from warmline.startup.report import Report, StepReport
from warmline.startup.step import Criticality, Scope, Step

__all__ = [
    "Criticality",
    "Gating",
    "Plan",
    "Policy",
    "Report",
    "Scope",
    "Step",
    "StepReport",
    "StepState",
    "Verified",
    "progress_line",
    "wait_for_at_exit",
]
