import contextlib

from hypothesis import settings

with contextlib.suppress(ImportError):  # the core's suite runs without it
    from loguru import logger

    # It logs every frame processor of every call.
    logger.disable("pipecat")

settings.register_profile("machines are shared", deadline=None)
settings.load_profile("machines are shared")
