"""An OpenAI-compatible server whose model is a receptionist by rules: for agents without an account, for benches."""

from warmline.emulators.openai.app import create_app
from warmline.emulators.openai.command import main
from warmline.emulators.openai.emulation import Emulation
from warmline.emulators.openai.models import EMULATED_MODEL
from warmline.emulators.openai.pace import Pace

__all__ = ["EMULATED_MODEL", "Emulation", "Pace", "create_app", "main"]
