"""A process that ends while a model works in a thread of the warm-up."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

CANCELLED_AT_WORK = """
import asyncio, sys, threading, time
import numpy as np, onnxruntime
from warmline.startup import Plan, Step

session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
begun = threading.Event()

def work():
    until_sec = time.monotonic() + 0.5
    while time.monotonic() < until_sec:
        session.run(None, {"x": np.ones((200, 200), np.float32)})
        begun.set()
    print("it ended by itself")

async def main():
    async with Plan([Step(name="work", run=work)]):
        await asyncio.to_thread(begun.wait)

asyncio.run(main())
"""
HANGING = """
import asyncio, threading
from warmline.startup import Plan, Step

async def main():
    async with Plan([Step(name="hang", run=threading.Event().wait)]):
        await asyncio.sleep(0.1)

asyncio.run(main())
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    from onnx import TensorProto, helper, numpy_helper

    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [200, 200]) for name in "xy")
    weights = numpy_helper.from_array(np.eye(200, dtype=np.float32), "w")
    names = ["x", *(f"h{number}" for number in range(29)), "y"]
    nodes = [helper.make_node("MatMul", [before, "w"], [after]) for before, after in pairwise(names)]
    graph = helper.make_graph(nodes, "work", [x], [y], [weights])
    path = tmp_path / "work.onnx"
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.write_bytes(made.SerializeToString())
    return path


def test_it_ends_after_what_works_not_under_it(model: Path) -> None:
    """ONNX Runtime would abort the whole process: SIGABRT instead of status 0."""
    done = subprocess.run([sys.executable, "-c", CANCELLED_AT_WORK, str(model)], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "it ended by itself\n", "")


def test_it_ends_all_the_same_when_something_hangs() -> None:
    assert subprocess.run([sys.executable, "-c", HANGING], check=False, timeout=60).returncode == 0
