"""Stand-ins for providers, each run as a child process with its URL passed on, and for the network before them."""

from warmline.emulators.process import EmulatorProcess
from warmline.emulators.remote_control import EmulatorControl

__all__ = ["EmulatorControl", "EmulatorProcess"]
