"""Stand-ins for providers, each run as a child process with its URL passed on."""

from warmline.emulators.process import EmulatorProcess

__all__ = ["EmulatorProcess"]
