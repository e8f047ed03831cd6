"""How many turns are understood: ten calls of five turns for each of four synthetic voices, against a real server.

    python bench/intents.py                # about 20 minutes; PARALLEL=2 calls two at a time, which disturbs the times
    python bench/intents.py --quick        # two calls by one voice: a smoke test

Every call is placed by `warmline call`, with the scripts bench/calls/call_*.toml. Writes
bench/results/intents.{json,md} (intents_quick.* with --quick). Exits with 1 when slt or rms fall short, or a call was
not completed.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from first_turn_arms import WARM
from first_turn_servers import run_to_end, running
from warmline.emulators import EmulatorProcess
from warmline.report import markdown_table

_BENCH = Path(__file__).parent
_VOICES = ("slt", "rms", "awb", "espeak")
_LEAST_SHARE = {"slt": 0.9, "rms": 0.9}
_CALL = [sys.executable, "-c", "import sys; from warmline.cli import main; sys.exit(main())", "call"]

Document = dict[str, Any]


def main() -> int:
    """Call, write, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two calls by one voice: a smoke test")
    parser.add_argument("--output", type=Path, default=_BENCH / "results", help="folder of the results")
    options = parser.parse_args()
    scripts = sorted((_BENCH / "calls").glob("call_*.toml"))
    voices: Sequence[str] = _VOICES
    if options.quick:
        scripts, voices = scripts[:2], _VOICES[:1]
    found = run_to_end(_measure(scripts, voices))
    name = "intents_quick" if options.quick else "intents"
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    page = _page(found)
    (options.output / f"{name}.md").write_text(page)
    print(page)
    return 0 if all(_good_enough(voice, document) for voice, document in found.items()) else 1


async def _measure(scripts: Sequence[Path], voices: Sequence[str]) -> dict[str, Document]:
    emulator = await EmulatorProcess.start()
    try:
        async with running(WARM, emulator.url) as caller:
            return {voice: await asyncio.to_thread(_call, caller.url, scripts, voice) for voice in voices}
    finally:
        await emulator.aclose()


def _call(url: str, scripts: Sequence[Path], voice: str) -> Document:
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder, "calls.json")
        options = [option for script in scripts for option in ("--script", str(script))]
        parallel = os.environ.get("PARALLEL", "1")
        command = [*_CALL, url, *options, "--voice", voice, "--parallel", parallel, "--json", str(results)]
        # Its own exit status tells failed calls and unmet expectations apart; both are in the JSON.
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        if not results.exists():
            raise SystemExit(f"warmline call gave no results for {voice}")
        document: Document = json.loads(results.read_text())
        return document


def _good_enough(voice: str, document: Document) -> bool:
    right, summary = document["summary"]["right"], document["summary"]
    share = right["right"] / right["of"] if right["of"] else 0.0
    return summary["completed"] == summary["calls"] and share >= _LEAST_SHARE.get(voice, 0.0)


def _page(found: dict[str, Document]) -> str:
    headers = ["voice", "calls", "turns right", "known wording", "unseen wording", "V2V median ms", "V2V p95 ms"]
    missed = [
        [voice, turn["wording"], turn["said"], turn["transcript"] or "-", turn["reply"] or turn["failure"] or "-"]
        for voice, document in found.items()
        for call in document["calls"]
        for turn in call["turns"]
        if not turn["expectation_held"]
    ]
    parts = [
        "# Intents",
        "Calls of five turns by synthetic voices through `warmline call`, measured by `bench/intents.py`. A turn is "
        "right when the reply is the one that its script expects; unseen wordings are unlike its phrases.",
        markdown_table(headers, [_row(voice, document["summary"]) for voice, document in found.items()]),
    ]
    if missed:
        parts += [
            "## Turns that were not right",
            markdown_table(["voice", "wording", "said", "heard", "reply"], missed, text_columns=5),
        ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _row(voice: str, summary: Document) -> list[str]:
    v2v = summary["v2v_ms"]
    return [
        voice,
        f"{summary['completed']} of {summary['calls']}",
        _tally(summary["right"]),
        _tally(summary["right_known"]),
        _tally(summary["right_unseen"]),
        f"{v2v['median']['value']:.0f}" if v2v else "-",
        f"{v2v['p95']:.0f}" if v2v else "-",
    ]


def _tally(tally: Document) -> str:
    share = f" ({100 * tally['right'] / tally['of']:.0f} %)" if tally["of"] else ""
    return f"{tally['right']}/{tally['of']}{share}"


if __name__ == "__main__":
    sys.exit(main())
