"""Local keys: files that only their owner reads."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from custinfo.crypto import LocalKeyProvider
from custinfo.errors import InvalidFieldError, KeyUnavailableError

posix = pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX")


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33), "0" * 32, None], ids=repr)
def test_a_key_has_32_bytes(key):
    with pytest.raises(InvalidFieldError) as caught:
        LocalKeyProvider(key)
    assert caught.value.code == "key.length"


def test_generated_keys_differ():
    assert LocalKeyProvider.generate().key_uri != LocalKeyProvider.generate().key_uri


@posix
def test_a_key_file_is_readable_by_its_owner_alone_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        made = LocalKeyProvider.create_file(tmp_path / "kek")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "kek").stat().st_mode) == 0o600
    assert LocalKeyProvider.from_file(str(tmp_path / "kek")).key_uri == made.key_uri


def test_a_key_file_is_never_overwritten(tmp_path):
    LocalKeyProvider.create_file(tmp_path / "kek")
    before = (tmp_path / "kek").read_bytes()
    with pytest.raises(InvalidFieldError) as caught:
        LocalKeyProvider.create_file(tmp_path / "kek")
    assert caught.value.code == "key.file_exists"
    assert (tmp_path / "kek").read_bytes() == before


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o444])
def test_a_key_file_open_to_others_is_refused(tmp_path, mode):
    LocalKeyProvider.create_file(tmp_path / "kek")
    (tmp_path / "kek").chmod(mode)
    with pytest.raises(InvalidFieldError, match="chmod 600") as caught:
        LocalKeyProvider.from_file(tmp_path / "kek")
    assert caught.value.code == "key.file_mode"


def test_a_missing_key_file_says_so(tmp_path):
    with pytest.raises(KeyUnavailableError) as caught:
        LocalKeyProvider.from_file(tmp_path / "none")
    assert caught.value.code == "key.file_missing"


@pytest.mark.parametrize(
    "content",
    [b"", b"00" * 31, b"00" * 33, b"zz" * 32, bytes(32), b"00 " * 32, b"\xff" * 64, b" " + b"00" * 32],
    ids=["empty", "short", "long", "no hex", "raw", "spaced", "no ASCII", "shifted"],
)
def test_a_file_that_holds_something_else_is_refused_and_not_shown(tmp_path, content):
    path = tmp_path / "kek"
    path.touch(0o600)
    path.write_bytes(content)
    with pytest.raises(InvalidFieldError) as caught:
        LocalKeyProvider.from_file(path)
    assert caught.value.code == "key.file_format"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_line_end_of_another_system_is_taken(tmp_path):
    path = tmp_path / "kek"
    path.touch(0o600)
    path.write_bytes(b"00" * 32 + b"\r\n")
    assert LocalKeyProvider.from_file(path).key_uri == LocalKeyProvider(bytes(32)).key_uri


@posix
def test_a_link_to_a_key_file_open_to_others_is_refused(tmp_path):
    LocalKeyProvider.create_file(tmp_path / "kek")
    (tmp_path / "kek").chmod(0o640)
    (tmp_path / "link").symlink_to(tmp_path / "kek")
    with pytest.raises(InvalidFieldError) as caught:
        LocalKeyProvider.from_file(tmp_path / "link")
    assert caught.value.code == "key.file_mode"


@posix
def test_a_key_file_is_not_made_behind_a_link(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidFieldError) as caught:
        LocalKeyProvider.create_file(tmp_path / "link")
    assert caught.value.code == "key.file_exists"
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_is_not_there_says_so(tmp_path):
    with pytest.raises(KeyUnavailableError) as caught:
        LocalKeyProvider.create_file(tmp_path / "none" / "kek")
    assert caught.value.code == "key.file_write"


def test_a_full_disk_leaves_no_half_of_a_key_file(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyUnavailableError, match="space") as caught:
        LocalKeyProvider.create_file(tmp_path / "kek")
    assert caught.value.code == "key.file_write"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_place_of_a_key_file_says_so(tmp_path):
    with pytest.raises(KeyUnavailableError) as caught:
        LocalKeyProvider.from_file(tmp_path)
    assert caught.value.code == "key.file_missing"


@pytest.mark.parametrize("make", [LocalKeyProvider.from_file, LocalKeyProvider.create_file])
def test_a_path_that_no_file_can_have_says_so(tmp_path, make):
    with pytest.raises(KeyUnavailableError, match="no path") as caught:
        make(f"{tmp_path}/k\0ek")
    assert caught.value.code in ("key.file_missing", "key.file_write")
