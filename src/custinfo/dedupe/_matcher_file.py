"""A matcher as one file: a ZIP of JSON and NumPy arrays, stored as they are, with a checksum of each."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from custinfo.dedupe._frozen import need_pinyin
from custinfo.dedupe._learn import Answer
from custinfo.dedupe._matcher_state import EMPTY, GONE, MatcherState
from custinfo.dedupe._model_json import model_from, model_to
from custinfo.errors import CustInfoError, SchemaVersionError

__all__ = ["load", "save"]

Arrays = dict[str, np.ndarray[Any, Any]]
_FORMAT, _VERSION = "custinfo.matcher", 1
_MAIN, _SUMS = "matcher.json", "sha256.json"
_FLOATS = ("m", "m_given", "rho", "linked", "table")
_INTS = ("parent", "order", "entry", "label", "component")
_DTYPES = {**dict.fromkeys(_FLOATS, np.float64), **dict.fromkeys(_INTS, np.int64), "codes": np.int32}
# What reading a file that was made to do harm can end in, besides our own errors.
_ODD = (
    zipfile.BadZipFile, KeyError, TypeError, ValueError, IndexError, OverflowError, EOFError, NotImplementedError,
    AttributeError, RecursionError, RuntimeError, MemoryError,
)  # fmt: skip


def save(path: str | os.PathLike[str], state: MatcherState, answers: Sequence[Answer]) -> None:
    """Write it beside its place, then rename it there."""
    target = Path(path)
    told, arrays = _content(state, answers)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            _write(file, told, arrays)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _content(state: MatcherState, answers: Sequence[Answer]) -> tuple[dict[str, Any], Arrays]:
    model, arrays = model_to(state.model)
    alive = np.flatnonzero(state.entries.alive.view)
    # Numbers of the entries as they will be read: those without a row any more are left out.
    number = np.full(len(state.entries) + 2, -1, np.int64)
    number[alive] = np.arange(len(alive))
    entry = state.entry.view
    texts = []
    codes = state.entries.codes.view[alive].copy()
    for values, (start, end) in zip(state.entries.values, state.entries.spans, strict=True):
        used = np.unique(codes[:, start:end])
        used = used[used >= 0]
        texts.append([values.texts[code] for code in used.tolist()])
        part = codes[:, start:end]
        codes[:, start:end] = np.where(part < 0, -1, np.searchsorted(used, part))
    arrays |= {
        "codes": codes,
        "entry": np.where(entry < 0, entry, number[entry]),
        "label": state.label.view,
        "component": number[state.component.view[alive]],
    }
    told = {
        "format": _FORMAT,
        "version": _VERSION,
        "model": model,
        "texts": texts,
        "answers": [[a.left, a.right, a.bits, a.match] for a in answers],
    }
    return told, arrays


def _write(file: Any, told: Mapping[str, Any], arrays: Arrays) -> None:
    sums = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:

        def put(name: str, data: bytes) -> None:
            # One fixed time: the same matcher gives the same bytes.
            archive.writestr(zipfile.ZipInfo(name), data)
            sums[name] = hashlib.sha256(data).hexdigest()

        put(_MAIN, json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array, _DTYPES[name]), allow_pickle=False)
            put(f"{name}.npy", buffer.getvalue())
        put(_SUMS, json.dumps(sums).encode())


def load(path: str | os.PathLike[str], workers: int) -> tuple[MatcherState, list[Answer]]:
    """State and answers out of a file; see `Matcher.load` for the errors."""
    data = Path(path).read_bytes()
    try:
        told, arrays = _read(data)
        model = model_from(told["model"], arrays)
        need_pinyin(model.pinyin)
        state = MatcherState(model, workers)
        _fill(state, told["texts"], arrays)
        answers = [Answer(int(a), int(b), float(bits), bool(match)) for a, b, bits, match in told["answers"]]
        if any(not -1 <= row < len(state.label) for a in answers for row in (a.left, a.right)):
            raise ValueError("an answer about no row")
    except CustInfoError:
        raise
    except _ODD:
        raise _broken() from None
    return state, answers


def _broken() -> CustInfoError:
    return CustInfoError(
        "this is no file of a matcher, or it was cut off or altered; take another copy, or fit the matcher again",
        code="dedupe.file",
    )


def _read(content: bytes) -> tuple[Mapping[str, Any], Arrays]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            # Nothing is packed, so that no small file grows large in memory.
            if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
                raise ValueError("packed")
        told = json.loads(archive.read(_MAIN).decode("utf-8", "surrogatepass"))
        if told["format"] != _FORMAT or not isinstance(told["version"], int):
            raise ValueError("another format")
        if told["version"] > _VERSION:
            raise SchemaVersionError(
                f"the file has version {told['version']}, this custinfo reads up to {_VERSION}; upgrade to read it",
                version=told["version"],
            )
        sums = json.loads(archive.read(_SUMS))
        data = {name: archive.read(f"{name}.npy") for name in _DTYPES}
        data[_MAIN] = archive.read(_MAIN)
        for name, part in data.items():
            known = sums[name if name == _MAIN else f"{name}.npy"]
            if hashlib.sha256(part).hexdigest() != known:
                raise ValueError("altered")
        return told, {name: _array(data[name], dtype) for name, dtype in _DTYPES.items()}


def _array(data: bytes, dtype: Any) -> np.ndarray[Any, Any]:
    """An array whose header tells neither another type nor another size than there is."""
    stream = io.BytesIO(data)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("another version of the array format")
    shape, fortran, kind = np.lib.format.read_array_header_1_0(stream)
    if fortran or kind != np.dtype(dtype):
        raise ValueError("another type")
    array = np.frombuffer(data, kind, offset=stream.tell())
    return array.reshape(shape).copy()


def _fill(state: MatcherState, texts: Any, arrays: Arrays) -> None:
    entries = state.entries
    codes, entry, label, component = (arrays[name] for name in ("codes", "entry", "label", "component"))
    count, rows = len(codes), len(entry)
    spans = entries.spans
    if codes.ndim != 2 or codes.shape[1] != (spans[-1][1] if spans else 0) or len(texts) != len(spans):
        raise ValueError("codes do not fit the fields")
    own = np.arange(rows)
    first = np.full(count, rows, np.int64)
    known = entry >= 0
    if entry.ndim != 1 or entry.min(initial=0) < GONE or entry.max(initial=EMPTY) >= count:
        raise ValueError("rows of no entry")
    np.minimum.at(first, entry[known], own[known])
    if (first == rows).any() or label.shape != entry.shape or component.shape != (count,):
        raise ValueError("entries without rows")
    right = (label >= -1) & (label <= own) & ((label == -1) == (entry == GONE))
    if not right.all() or not ((component >= 0) & (component <= np.arange(count))).all():
        raise ValueError("labels of no row")
    for values, part, (start, end) in zip(entries.values, texts, spans, strict=True):
        if not all(isinstance(text, str) for text in part) or len(set(part)) != len(part):
            raise ValueError("texts must be different")
        if not ((codes[:, start:end] >= -1) & (codes[:, start:end] < len(part))).all():
            raise ValueError("codes of no text")
        values.intern(part)
    numbers = entries.append(codes, entries.content_of(codes))
    state.postings.insert(entries.keys(numbers), numbers)
    state.entry.append(entry)
    state.label.append(label)
    state.first.append(first)
    state.component.append(component)
    state.restore()
    state.doubtful = None
