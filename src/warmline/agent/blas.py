"""Keeps NumPy from starting threads that nobody needs."""

import os

__all__ = ["use_one_blas_thread"]


def use_one_blas_thread() -> None:
    """Let OpenBLAS compute in the thread that asks, unless the environment says otherwise.

    The agent's matrices are small, and a thread a core costs the start 60 ms of a core when NumPy is imported. To be
    called before that; child processes inherit it.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
