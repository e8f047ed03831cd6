"""The narrow model as files: made from a config once, and kept for the next start."""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pocketsphinx

from warmline.engines.pocketsphinx.dictionary import dictionary_text, read_dictionary
from warmline.engines.pocketsphinx.ngram import BEGIN, END, arpa, expected_counts

__all__ = ["NarrowModel", "narrow_model"]

_FORMAT = 1  # to be raised whenever the same config has to give other files


@dataclass(frozen=True, slots=True)
class NarrowModel:
    """Where the language model (ARPA) and its dictionary lie."""

    language_model: Path
    dictionary: Path


def narrow_model(phrases: Sequence[str], slots: Mapping[str, Sequence[str]], cache_dir: Path) -> NarrowModel:
    """The files for these phrases, from the cache or made now.

    A file is only trusted when it holds what its name promises: both carry the hash of what they were made from, and
    of their own content. Files are written beside and renamed, so that nobody ever reads half of one.

    Raises:
        OSError: the cache can not be used.
    """
    cache_dir = cache_dir.expanduser()
    cache_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    _refuse_foreign(cache_dir)
    made_from = json.dumps([_FORMAT, pocketsphinx.__name__, list(phrases), {k: list(v) for k, v in slots.items()}])
    stem = cache_dir / f"narrow-{hashlib.sha256(made_from.encode()).hexdigest()[:32]}"
    model = NarrowModel(stem.with_suffix(".lm"), stem.with_suffix(".dict"))
    if not _whole(model, stem.with_suffix(".sum")):
        _make(model, stem.with_suffix(".sum"), phrases, slots)
    return model


def _make(model: NarrowModel, sums: Path, phrases: Sequence[str], slots: Mapping[str, Sequence[str]]) -> None:
    counts = expected_counts(phrases, slots)
    words = {gram[-1] for gram in counts} - {BEGIN, END}
    known = read_dictionary(Path(pocketsphinx.get_model_path("en-us")) / "cmudict-en-us.dict")
    _write(model.language_model, arpa(counts))
    _write(model.dictionary, dictionary_text(words, known))
    _write(sums, _sums(model))


def _whole(model: NarrowModel, sums: Path) -> bool:
    try:
        return sums.read_text() == _sums(model)
    except (OSError, UnicodeDecodeError):
        return False


def _sums(model: NarrowModel) -> str:
    files = (model.language_model, model.dictionary)
    return "\n".join(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)


def _write(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).replace(path)


def _refuse_foreign(directory: Path) -> None:
    status = directory.stat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise PermissionError(f"{directory} belongs to somebody else or others may write to it")
