"""The language model and its dictionary as files: made from a config once, and kept for the next start."""

import fcntl
import hashlib
import importlib.metadata
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pocketsphinx

from warmline.engines.pocketsphinx.adapted_model import adapted_model
from warmline.engines.pocketsphinx.arpa_file import write_arpa
from warmline.engines.pocketsphinx.dictionary import dictionary_text, read_dictionary
from warmline.engines.pocketsphinx.everyday_speech import OPENINGS, WHOLE
from warmline.engines.pocketsphinx.general_ngrams import read_general_ngrams
from warmline.engines.pocketsphinx.ngram import BEGIN, END, Counts, expected_counts, summed

__all__ = ["ModelFiles", "model_files"]

_FORMAT = 2  # to be raised whenever the same config has to give other files
# How often an everyday sentence, and a mere beginning, is expected beside one of the scenario's phrases.
_WHOLE_WEIGHT, _OPENING_WEIGHT = 0.5, 0.3

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
    made_from = [_FORMAT, importlib.metadata.version("pocketsphinx"), list(phrases), plain_slots, OPENINGS, WHOLE]
    return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()[:32]


def _everything_expected(phrases: Sequence[str], slots: _Slots) -> Counts:
    return summed(
        [
            expected_counts(phrases, slots),
            expected_counts(WHOLE, slots, weight=_WHOLE_WEIGHT),
            expected_counts(OPENINGS, slots, weight=_OPENING_WEIGHT, open_ended=True),
        ]
    )


def _given(name: str) -> Path:
    return Path(pocketsphinx.get_model_path("en-us")) / name


def _write(files: ModelFiles, phrases: Sequence[str], slots: _Slots) -> None:
    pronounced = read_dictionary(_given("cmudict-en-us.dict"))
    model = adapted_model(_everything_expected(phrases, slots), read_general_ngrams(_given("en-us.lm.bin")), pronounced)
    with _replacing(files.language_model) as binary, tempfile.TemporaryDirectory(dir=binary.parent) as folder:
        # pocketsphinx reads its own format a hundred times faster than ARPA, which is the one that can be written here.
        arpa = Path(folder, "model.lm")
        write_arpa(model, arpa)
        as_binary = pocketsphinx.NGramModel.str_to_type("bin")
        pocketsphinx.NGramModel.readfile(str(arpa)).write(str(binary), as_binary)
    with _replacing(files.dictionary) as path:
        path.write_text(dictionary_text(set(model.words) - {BEGIN, END}, pronounced), encoding="utf-8")


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
