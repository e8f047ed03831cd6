"""`warmline cache`: what is kept on disk between starts."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from warmline.models import CachedGraph, GraphCache
from warmline.settings import Settings, load_settings, prepare_cache_dir

__all__ = ["cache"]

_FILE = click.Path(path_type=Path)
# Folders of the cache directory that hold nothing but what can be made anew. Nothing else in there is ever removed.
_GRAPHS = "graphs"
_RECOGNISER = "pocketsphinx"
_MIB = 1024**2


@dataclass(frozen=True, slots=True)
class _Kept:
    kind: str
    what: str
    file: str
    bytes: int
    used_at: str
    made_by: str


@click.group(invoke_without_command=True)
@click.option("--config", type=_FILE, metavar="FILE", help="file of settings.  [default: ./warmline.toml]")
@click.option("--json", "as_json", is_flag=True, help="machine-readable: a list of what is kept.")
@click.pass_context
def cache(context: click.Context, config: Path | None, as_json: bool) -> None:
    """Show what is kept on disk between starts; `clear` removes it.

    Optimised graphs of models, and the recogniser's language models. All of it is made anew when it is missing, and
    nothing of it is about a caller. The directory is the setting `cache_dir` (WARMLINE_CACHE_DIR).
    """
    context.obj = load_settings({}, config=config)
    if context.invoked_subcommand is None:
        _show(context.obj, as_json)


@cache.command()
@click.pass_obj
def clear(settings: Settings) -> None:
    """Remove everything that can be made anew."""
    if settings.cache_dir.exists():
        prepare_cache_dir(settings.cache_dir)
    kept = _kept(settings.cache_dir)
    GraphCache(settings.cache_dir / _GRAPHS).clear()
    for path in _files(settings.cache_dir / _RECOGNISER):
        path.unlink(missing_ok=True)
    click.echo(f"Removed {len(kept)} files ({_size(kept)}) from {settings.cache_dir}")


def _show(settings: Settings, as_json: bool) -> None:
    kept = _kept(settings.cache_dir)
    if as_json:
        click.echo(json.dumps([asdict(each) for each in kept], indent=2))
        return
    click.echo(f"{settings.cache_dir}: {len(kept)} files ({_size(kept)})")
    for each in kept:
        click.echo(f"  {each.used_at}  {each.bytes / _MIB:8.1f} MiB  {each.what}  [{each.made_by or each.kind}]")


def _kept(directory: Path) -> list[_Kept]:
    graphs = [_graph(graph) for graph in GraphCache(directory / _GRAPHS).graphs()]
    return [*graphs, *(_recogniser_file(path) for path in _files(directory / _RECOGNISER))]


def _graph(graph: CachedGraph) -> _Kept:
    what = graph.label or "unreadable, will be replaced"
    return _Kept("graph", what, str(graph.path), graph.size_bytes, _moment(graph.used_at_sec), graph.runtime)


def _recogniser_file(path: Path) -> _Kept:
    status = path.lstat()
    return _Kept(_RECOGNISER, path.name, str(path), status.st_size, _moment(status.st_mtime), "")


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir() and not folder.is_symlink():
        yield from sorted(path for path in folder.iterdir() if path.is_file() or path.is_symlink())


def _moment(at_sec: float) -> str:
    return datetime.fromtimestamp(at_sec, UTC).isoformat(sep=" ", timespec="minutes").removesuffix("+00:00")


def _size(kept: list[_Kept]) -> str:
    return f"{sum(each.bytes for each in kept) / _MIB:.1f} MiB"
