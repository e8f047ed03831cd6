"""The language model and its dictionary as files: made from a config once, and kept for the next start."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pocketsphinx

from warmline.engines.pocketsphinx.everyday_speech import OPENINGS, WHOLE

__all__ = ["ModelFiles", "model_files"]

_FORMAT = 2  # to be raised whenever the same config has to give other files

_Slots = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Where the language model and its dictionary lie."""

    language_model: Path
    dictionary: Path


def model_files(phrases: Sequence[str], slots: _Slots, cache_dir: Path) -> ModelFiles:
    """The files of a model that expects these phrases and everyday speech, from the cache or made now, in some seconds.

    Blocks while another process makes files there.

    A file is only trusted when it holds what its name promises: names carry the hash of what the files were made from,
    and a file beside them the hashes of their content.

    Raises:
        OSError: the cache can not be used.
        ValueError: pocketsphinx's general model is laid out in another way.
    """
    cache_dir = cache_dir.expanduser()
    cache_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    _refuse_foreign(cache_dir)
    stem = cache_dir / f"adapted-{_hash_of_what(phrases, slots)}"
    files, sums = ModelFiles(stem.with_suffix(".lm.bin"), stem.with_suffix(".dict")), stem.with_suffix(".sum")
    if not _whole(files, sums):
        with _alone(cache_dir):
            if not _whole(files, sums):
                _write(files, phrases, slots)
                with _replacing(sums) as path:
                    path.write_text(_sums(files), encoding="utf-8")
    return files


def _hash_of_what(phrases: Sequence[str], slots: _Slots) -> str:
    plain_slots = {name: list(values) for name, values in slots.items()}
    made_from = [_FORMAT, _version(), list(phrases), plain_slots, OPENINGS, WHOLE]
    return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()[:32]


def _version() -> str:
    """Of pocketsphinx, by the name of what is installed beside it: `importlib.metadata` takes 30 ms of a start."""
    installed = Path(pocketsphinx.__file__).parents[1].glob("pocketsphinx-*.dist-info")
    found = next(installed, None)
    if found is not None:
        return found.name.removeprefix("pocketsphinx-").removesuffix(".dist-info")
    from importlib.metadata import version

    return version("pocketsphinx")


def _given(name: str) -> Path:
    return Path(pocketsphinx.get_model_path("en-us")) / name


def _write(files: ModelFiles, phrases: Sequence[str], slots: _Slots) -> None:
    # Heavy, and not needed in a start that finds its files.
    from warmline.engines.pocketsphinx.expected_speech import write_model

    with _replacing(files.language_model) as binary, _replacing(files.dictionary) as dictionary:
        write_model(
            binary,
            dictionary,
            general=_given("en-us.lm.bin"),
            pronunciations=_given("cmudict-en-us.dict"),
            phrases=phrases,
            slots=slots,
        )


def _whole(files: ModelFiles, sums: Path) -> bool:
    try:
        return sums.read_text(encoding="utf-8") == _sums(files)
    except (OSError, UnicodeDecodeError):
        return False


def _sums(files: ModelFiles) -> str:
    return "\n".join(hashlib.sha256(file.read_bytes()).hexdigest() for file in (files.language_model, files.dictionary))


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A file to write to; once written it takes the place of `path`, so that nobody ever reads half of one."""
    import tempfile  # not needed in a start that finds its files

    handle, name = tempfile.mkstemp(dir=path.parent)
    os.close(handle)
    try:
        yield Path(name)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Whoever makes files here: of processes that start together one makes the model, the others wait and take it."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _refuse_foreign(directory: Path) -> None:
    status = directory.stat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise PermissionError(f"{directory} belongs to somebody else or others may write to it")
