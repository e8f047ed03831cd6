"""What is written: the table and the plot."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def table(results: dict[str, Any]) -> str:
    lines = [
        "# What lending costs",
        "",
        f"Python {platform.python_version()}, CPU time, medians; x is the ratio to",
        "",
    ]
    lines[-2] += " `asyncio.LifoQueue` in the same round. " + ", ".join(
        f"{k} {v}" for k, v in results["versions"].items()
    )
    for name, title in (
        ("uncontended", "One task, ten resources, acquire and release"),
        ("contended", "100 tasks, 10"),
    ):
        lines += [f"## {title}", "", "| pool | us | x | Jain |", "|---|---:|---:|---:|"]
        for pool, row in sorted(results[name].items(), key=lambda item: item[1]["us"]):
            jain = f"{row['jain']:.2f}" if "jain" in row else ""
            lines.append(f"| {pool} | {row['us']:.2f} | {row['ratio']:.2f} | {jain} |")
        lines.append("")
    lines += [
        "## Burst of ten on an empty pool: when the last is served, in creations",
        "",
        "| pool | x |",
        "|---|---:|",
    ]
    lines += [f"| {pool} | {value:.2f} |" for pool, value in sorted(results["burst"].items(), key=lambda item: item[1])]
    sweep = results["sweep"]
    lines += ["", "## 10,000 leased sessions", ""]
    lines.append(f"One sweep: {sweep['sweep_ms']:.2f} ms. Memory: {sweep['bytes_a_session']:.0f} bytes a session.")
    return "\n".join(lines) + "\n"


def plot(results: dict[str, Any], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "warmline"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), constrained_layout=True)
    for axis, name in zip(axes, ("uncontended", "contended", "burst"), strict=True):
        rows = results[name]
        values = {pool: row if isinstance(row, float) else row["ratio"] for pool, row in rows.items()}
        pools = sorted(values, key=values.__getitem__, reverse=True)
        colours = ["#c2410c" if pool.startswith("Warmline") else "#94a3b8" for pool in pools]
        axis.barh(pools, [values[pool] for pool in pools], color=colours)
        axis.set_title(name)
        axis.set_xlabel("creations" if name == "burst" else "x asyncio.LifoQueue")
    figure.savefig(path, metadata={"Date": None})
