import contextlib

with contextlib.suppress(ImportError):  # the core's suite runs without it
    from loguru import logger

    # It logs every frame processor of every call.
    logger.disable("pipecat")
