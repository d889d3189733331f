"""Backups: what is in the file, that it is one state, and that no damage of it goes unseen."""

from __future__ import annotations

import contextlib
import io
import resource
import signal
import stat
import subprocess
import sys
import threading
import tracemalloc

import pytest

from custinfo.crypto import HpkeKeyProvider, LocalKeyProvider, Signer, decrypt_stream, encrypt_stream
from custinfo.errors import (
    AccessDeniedError,
    CustInfoError,
    DecryptionError,
    KeyUnavailableError,
    SchemaVersionError,
    StoreError,
)
from custinfo.store import (
    START,
    Key,
    MemoryStore,
    Record,
    RecordKeyStore,
    SqliteStore,
    SupportsKeyRange,
    backup,
    drill,
    restore,
    verify_backup,
)
from custinfo.store._backup_format import CONTEXT, HEAD, MAGIC, frame
from custinfo.store._backup_read import BackupReader, Nothing

PROVIDER = LocalKeyProvider(bytes(range(32)))
SECRET = b"Wilhelmina Overstreet, 12 Example Road"


def fill(store):
    with store.unit() as unit:
        unit.put(Record("customer", "c1", 0, SECRET), [Key("external", "x:1", unique=True), Key("tag", "vip")], 0)
        unit.put(Record("customer", "c2", 0, b""), [], 0)
        unit.put(Record("audit", "a\u00e9", 0, bytes(range(256))), [Key("open", "")], 0)
        unit.emit("customer.created", "c1", b"")
        unit.emit("customer.created", "c2", b"\0data")
    with store.unit() as unit:
        unit.put(Record("customer", "c1", 0, SECRET + b"!"), [Key("external", "x:1", unique=True)], 1)
    return store


@pytest.fixture
def path(tmp_path):
    return tmp_path / "shop.backup"


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    with contextlib.closing(MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "shop.db")) as made:
        yield made


def code_of(error, call):
    with pytest.raises(error) as caught:
        call()
    return caught.value.code


def plain_of(path):
    out = io.BytesIO()
    decrypt_stream(path, out, PROVIDER, context=CONTEXT)
    return out.getvalue()


def sealed(path, plain):
    encrypt_stream(io.BytesIO(plain), path, PROVIDER, context=CONTEXT)
    return path


def read(plain):
    reader = BackupReader(Nothing())
    reader.write(plain)
    return reader.finish(None)[0]


def read_or_code(plain):
    try:
        return read(plain)
    except StoreError as error:
        return error.code


def test_a_backup_says_what_is_in_it_and_so_does_its_check(store, path):
    report = backup(fill(store), path, PROVIDER)
    assert report.counts == {"audit": 1, "customer": 2}
    assert [(section.kind, section.keys) for section in report.manifest.kinds] == [("audit", 1), ("customer", 1)]
    assert report.manifest.events == 2
    with store.unit(write=False) as unit:
        assert report.manifest.cursor == unit.feed(START, 10)[-1].cursor
    assert report.size_bytes == path.stat().st_size
    assert verify_backup(path, PROVIDER).manifest == report.manifest
    assert verify_backup(path, PROVIDER).manifest.digest == report.manifest.digest
    assert not report.signed
    assert report.to_dict()["manifest"]["kinds"][1]["records"] == 2


def test_the_file_is_for_its_owner_only_and_tells_nothing(store, path):
    backup(fill(store), path, PROVIDER)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    data = path.read_bytes()
    assert not any(part in data for part in (SECRET, b"customer", b"external"))
    assert SECRET in plain_of(path)


def test_the_same_state_has_the_same_hashes_in_every_backend(tmp_path):
    with contextlib.closing(SqliteStore(tmp_path / "shop.db")) as sqlite:
        one = backup(fill(MemoryStore()), tmp_path / "1", PROVIDER).manifest
        other = backup(fill(sqlite), tmp_path / "2", PROVIDER).manifest
    assert (one.kinds, one.events_sha256) == (other.kinds, other.events_sha256)


def test_an_empty_store_has_a_backup_too(store, path):
    assert backup(store, path, PROVIDER).counts == verify_backup(path, PROVIDER).counts == {}


def test_a_kind_without_records_has_no_section(path):
    class Lists(Made):
        def kinds(self):
            return ["empty", "thing"]

        def page(self, kind, after, limit):
            return super().page(kind, after, limit) if kind == "thing" else []

    assert backup(Lists(3), path, PROVIDER).counts == verify_backup(path, PROVIDER).counts == {"thing": 3}


def test_who_makes_backups_need_not_be_able_to_read_them(store, path):
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    private = X25519PrivateKey.generate()
    public = HpkeKeyProvider(private.public_key())
    backup(fill(store), path, public)
    for call in (verify_backup, drill, lambda path, provider: restore(path, MemoryStore(), provider)):
        assert code_of(AccessDeniedError, lambda call=call: call(path, public)) == "backup.write_only"
    assert verify_backup(path, HpkeKeyProvider(private)).counts == {"audit": 1, "customer": 2}


def test_a_name_that_is_taken_is_never_overwritten(store, path, tmp_path):
    path.write_bytes(b"precious")
    assert code_of(StoreError, lambda: backup(store, path, PROVIDER)) == "backup.exists"
    assert path.read_bytes() == b"precious"
    assert {p.name for p in tmp_path.iterdir()} <= {path.name, "shop.db", "shop.db-wal", "shop.db-shm"}


def test_a_name_that_is_taken_meanwhile_is_not_overwritten_either(store, path):
    class Slow:
        def wrap(self, key, context):
            path.write_bytes(b"precious")
            return PROVIDER.wrap(key, context)

    assert code_of(StoreError, lambda: backup(store, path, Slow())) == "backup.exists"
    assert path.read_bytes() == b"precious"


def test_a_file_system_without_links_gets_the_file_by_a_rename(store, path, monkeypatch):
    def refuse(self, target):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(type(path), "hardlink_to", refuse)
    backup(fill(store), path, PROVIDER)
    assert verify_backup(path, PROVIDER).counts == {"audit": 1, "customer": 2}
    assert not list(path.parent.glob("*.partial"))


# one state, while others write


def test_what_is_written_after_a_backup_began_is_not_in_it(tmp_path, path):
    with contextlib.closing(fill(SqliteStore(tmp_path / "shop.db"))) as store:

        class WritesMeanwhile:
            def wrap(self, key, context):
                thread = threading.Thread(target=write)
                thread.start()
                thread.join()
                return PROVIDER.wrap(key, context)

        def write():
            with store.unit() as unit:
                unit.put(Record("customer", "c2", 0, b"new"), [], 1)
                unit.put(Record("later", "l1", 0, b"new"), [], 0)
                unit.delete("audit", "a\u00e9", 1)
                unit.emit("later", "l1", b"")

        report = backup(store, path, WritesMeanwhile())
        assert report.counts == {"audit": 1, "customer": 2}
        assert report.manifest.events == 2
        comparison = drill(path, PROVIDER, against=store)
    assert comparison.ok
    assert (comparison.compared, comparison.newer, comparison.gone, comparison.added) == (1, 1, 1, 1)


def test_a_backup_made_while_others_write_is_one_consistent_state(tmp_path, path):
    """Money moves between 40 accounts; in a half-seen move the sum would differ."""
    with contextlib.closing(SqliteStore(tmp_path / "shop.db", synchronous="NORMAL")) as store:
        with store.unit() as unit:
            unit.put_many((Record("account", f"{n:03}", 0, b"100" + bytes(9000)), [], 0) for n in range(40))
        stop = threading.Event()

        def move():
            for turn in range(10_000):
                if stop.is_set():
                    return
                ids = [f"{turn % 40:03}", f"{(turn + 1 + turn * 7 % 39) % 40:03}"]
                with store.unit() as unit:
                    for record, change in zip(unit.get("account", ids), (-1, 1), strict=True):
                        amount = int(record.data.rstrip(b"\0")) + change
                        unit.put(record._replace(data=b"%d" % amount + bytes(9000)), [], record.version)

        mover = threading.Thread(target=move)
        mover.start()
        try:
            for number in range(6):
                backup(store, path.with_suffix(f".{number}"), PROVIDER)
        finally:
            stop.set()
            mover.join()
    for number in range(6):
        target = MemoryStore()
        restore(path.with_suffix(f".{number}"), target, PROVIDER)
        with target.unit(write=False) as unit:
            assert sum(int(record.data.rstrip(b"\0")) for record in unit.page("account", "", 100)) == 4000


class Made:
    """A store of any size that holds nothing: its records are made when they are asked for."""

    def __init__(self, count, *, at=None, then=lambda: None):
        self.count, self.at, self.then = count, at, then

    @contextlib.contextmanager
    def unit(self, *, write=True):
        yield self

    def close(self):
        pass

    def kinds(self):
        return ["thing"]

    def keys(self, kind, id):
        return [Key("tag", id)]

    def page(self, kind, after, limit):
        first = int(after) + 1 if after else 0
        if self.at is not None and first > self.at:
            self.then()
        return [Record(kind, f"{n:08}", 1, bytes(300)) for n in range(first, min(first + limit, self.count))]

    def feed(self, after, limit):
        return []


def peak_of(call):
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_store(tmp_path):
    def peaks_of(count):
        path = tmp_path / f"{count}"
        with contextlib.closing(SqliteStore(tmp_path / f"{count}.db", synchronous="NORMAL")) as target:
            written = peak_of(lambda: backup(Made(count), path, PROVIDER))
            assert path.stat().st_size > count * 300
            return written, peak_of(lambda: restore(path, target, PROVIDER))

    for small, large in zip(peaks_of(3000), peaks_of(9000), strict=True):
        assert large < small * 1.2 + 200_000
        assert large < 10_000_000


def test_progress_counts_records(path):
    seen = []

    def note(done, total):
        seen.append((done, total))

    backup(Made(2500), path, PROVIDER, progress=note)
    assert seen[-1] == (2500, 0)
    for call in (
        verify_backup,
        drill,
        lambda path, provider, progress: restore(path, MemoryStore(), provider, progress=progress),
    ):
        seen.clear()
        call(path, PROVIDER, progress=note)
        assert seen == [(1000, 0), (2000, 0), (2500, 0)]


def test_large_records_are_read_one_by_one(path):
    store = MemoryStore()
    with store.unit() as unit:
        for number in range(5):
            unit.put(Record("blob", f"{number}", 0, bytes([number]) * 3_000_000), [], 0)
    backup(store, path, PROVIDER)
    assert drill(path, PROVIDER, against=store).compared == 5


def test_events_that_the_feed_still_holds_back_are_in_the_backup(path):
    """As on a backend where an older unit is open: its feed shows them later, and a backup would miss them."""

    class HoldsBack(MemoryStore):
        @contextlib.contextmanager
        def unit(self, *, write=True):
            with super().unit(write=write) as unit:
                unit.pending, unit.feed = unit.feed, lambda after, limit: []
                yield unit

    assert backup(fill(HoldsBack()), path, PROVIDER).manifest.events == 2


# damage


def test_every_byte_that_is_flipped_in_the_file_is_noticed(path, tmp_path):
    backup(fill(MemoryStore()), path, PROVIDER, signer=Signer(bytes(32)))
    good = path.read_bytes()
    bad = tmp_path / "bad"
    for place in range(len(good)):
        bad.write_bytes(good[:place] + bytes([good[place] ^ (1 << place % 8)]) + good[place + 1 :])
        with pytest.raises(CustInfoError) as caught:
            verify_backup(bad, PROVIDER)
        assert isinstance(caught.value, DecryptionError | SchemaVersionError) or caught.value.code == "backup.damaged"


def test_every_cut_and_everything_appended_or_exchanged_is_noticed(path, tmp_path):
    backup(fill(MemoryStore()), path, PROVIDER)
    good = path.read_bytes()
    bad = tmp_path / "bad"
    cuts = [good[:end] for end in range(0, len(good), 3)]
    swapped = [good[:n] + good[n + 8 : n + 16] + good[n : n + 8] + good[n + 16 :] for n in range(0, len(good) - 16, 16)]
    for data in (*cuts, *swapped, good + b"\0", good + good, good[1:]):
        bad.write_bytes(data)
        with pytest.raises(DecryptionError):
            verify_backup(bad, PROVIDER)


def test_every_byte_that_is_flipped_before_encryption_is_noticed_but_for_words_of_the_manifest(path):
    report = backup(fill(MemoryStore()), path, PROVIDER)
    plain = plain_of(path)
    assert read(plain) == report.manifest
    for place in range(len(plain)):
        altered = plain[:place] + bytes([plain[place] ^ 1]) + plain[place + 1 :]
        found = read_or_code(altered)
        if found != "backup.damaged":  # time, version or cursor: the encryption and the signature cover these
            assert found.digest != report.manifest.digest
            assert (found.kinds, found.events_sha256) == (report.manifest.kinds, report.manifest.events_sha256)


def frames_of(plain):
    frames, place = [], len(MAGIC)
    while place < len(plain):
        end = place + HEAD.size + HEAD.unpack_from(plain, place)[1]
        frames.append(plain[place:end])
        place = end
    return frames


@pytest.mark.parametrize(
    "change",
    [
        lambda frames: frames[:-1],
        lambda frames: [*frames, frames[-1]],
        lambda frames: [*frames, frame(b"S", b"")] * 2,
        lambda frames: [*frames, frame(b"S", b""), frame(b"S", b"")],
        lambda frames: frames[1:],
        lambda frames: [frames[0], *frames],
        lambda frames: [frames[0], frames[1], *frames[1:]],
        lambda frames: [*frames[2:5], *frames[:2], *frames[5:]],
        lambda frames: [*frames[:2], frames[2], frames[4], frames[3], *frames[5:]],
        lambda frames: [*frames[5:7], *frames[:5], frames[7]],
        lambda frames: [*frames[:5], frames[6], frames[5], frames[7]],
        lambda frames: [*frames[:5], *frames[6:]],
        lambda frames: [*frames[:3], *frames[4:]],
        lambda frames: [frame(b"X", b""), *frames],
        lambda frames: [frame(b"K", b"\xff"), *frames],
        lambda frames: [frame(b"K", b""), *frames],
        lambda frames: [frame(b"K", b"aaa"), *frames],
        lambda frames: [*frames, b"S"],
        lambda frames: [b"R" + b"\xff" * 8, *frames],
        lambda frames: [*frames[:-1], frame(b"M", b"{}")],
        lambda frames: [*frames[:-1], frame(b"M", b"[]")],
        lambda frames: [*frames[:-1], frame(b"M", b"\xff")],
        lambda frames: [*frames[:-1], frame(b"M", frames[-1][HEAD.size :] + b" ")],
        lambda frames: [*frames[:-1], frames[-1].replace(b'"format":1', b'"format":9')],
        lambda frames: [*frames[:-1], frames[-1].replace(b'"data"', b'"tada"')],
        lambda frames: [*frames[:-1], frames[-1].replace(b"+00:00", b"+01:00")],
        lambda frames: [*frames[:3], frame(b"R", frames[3][HEAD.size : -len(SECRET) - 10]), *frames[4:]],
        lambda frames: [*frames[:5], frame(b"E", b"\0\0"), *frames[6:]],
        lambda frames: [*frames[:5], frame(b"E", b"\0\0\0\1\xff\0\0\0\0"), *frames[6:]],
        lambda frames: [*frames[:3], frame(b"R", b"\0\0\0\1x" + bytes(8) + bytes(4)), *frames[4:]],
    ],
)
def test_a_stream_that_decrypts_and_is_no_whole_backup_is_refused(change, path, tmp_path):
    backup(fill(MemoryStore()), path, PROVIDER)
    frames = frames_of(plain_of(path))
    assert [f[:1] for f in frames] == [b"K", b"R", b"K", b"R", b"R", b"E", b"E", b"M"]
    bad = sealed(tmp_path / "bad", MAGIC + b"".join(change(frames)))
    assert code_of(StoreError, lambda: verify_backup(bad, PROVIDER)) == "backup.damaged"


@pytest.mark.parametrize("order", [[0, 0], [1, 0]])
def test_keys_out_of_order_are_damage(order, path, tmp_path):
    keys = [b"\0\0\0\0\1a\0\0\0\1x", b"\0\0\0\0\1b\0\0\0\1x"]
    body = b"\0\0\0\1x" + b"\0" * 7 + b"\1" + b"\0\0\0\2" + keys[order[0]] + keys[order[1]]
    bad = sealed(tmp_path / "bad", MAGIC + frame(b"K", b"thing") + frame(b"R", body))
    assert code_of(StoreError, lambda: verify_backup(bad, PROVIDER)) == "backup.damaged"


@pytest.mark.parametrize("plain", [b"", b"\xc6", b"\xc7\x01", b"hello world, this is no backup"])
def test_another_encrypted_file_is_no_backup(plain, path):
    assert code_of(StoreError, lambda: verify_backup(sealed(path, plain), PROVIDER)) == "backup.damaged"


def test_a_backup_of_a_newer_release_is_refused_as_such(path):
    with pytest.raises(SchemaVersionError):
        verify_backup(sealed(path, b"\xc6\x02anything"), PROVIDER)


def test_an_encrypted_file_of_another_context_is_refused(path):
    encrypt_stream(io.BytesIO(MAGIC), path, PROVIDER, context="something else")
    with pytest.raises(DecryptionError):
        verify_backup(path, PROVIDER)


# signatures


def test_a_signature_is_checked_where_a_key_is_given(path, tmp_path):
    signer = Signer(bytes(32))
    public = Signer.from_pem(signer.public_pem())
    assert backup(fill(MemoryStore()), path, PROVIDER, signer=signer).signed
    report = verify_backup(path, PROVIDER, verify_key=public)
    assert (report.signed, report.verified) == (True, True)
    assert not verify_backup(path, PROVIDER).verified
    other = Signer(bytes(31) + b"\1")
    for call in (verify_backup, drill):
        assert code_of(StoreError, lambda call=call: call(path, PROVIDER, verify_key=other)) == "backup.signature"
    target = MemoryStore()
    assert code_of(StoreError, lambda: restore(path, target, PROVIDER, verify_key=other)) == "backup.signature"
    with target.unit() as unit:
        assert unit.kinds() == []
    assert restore(path, target, PROVIDER, verify_key=public).verified


def test_a_backup_without_a_signature_is_refused_where_one_is_asked_for(path):
    backup(fill(MemoryStore()), path, PROVIDER)
    call = lambda: verify_backup(path, PROVIDER, verify_key=Signer(bytes(32)))  # noqa: E731
    assert code_of(StoreError, call) == "backup.signature"


def test_a_signature_covers_the_words_of_the_manifest(path, tmp_path):
    signer = Signer(bytes(32))
    backup(fill(MemoryStore()), path, PROVIDER, signer=signer)
    plain = plain_of(path)
    place = plain.index(b'"created_at":"20') + len(b'"created_at":"20')
    bad = sealed(tmp_path / "bad", plain[:place] + b"1" + plain[place + 1 :])
    call = lambda: verify_backup(bad, PROVIDER, verify_key=signer)  # noqa: E731
    assert code_of(StoreError, call) == "backup.signature"


# keys


def test_keys_are_not_in_a_backup_of_data(path):
    store = fill(MemoryStore())
    RecordKeyStore(store).put([("root", b"wrapped", 0)])
    assert code_of(StoreError, lambda: backup(store, path, PROVIDER)) == "backup.keys"
    assert code_of(StoreError, lambda: backup(store, path, PROVIDER, keys=True)) == "backup.keys"
    assert not path.exists()


def test_a_key_store_has_a_backup_of_its_own_with_its_tombstones(path):
    keys = RecordKeyStore(MemoryStore())
    keys.put([("root", b"wrapped", 0), ("gone", b"wrapped", 0)])
    keys.put([("gone", None, 1)])
    assert backup(keys.store, path, PROVIDER, keys=True).manifest.content == "keys"
    restored = RecordKeyStore(MemoryStore())
    restore(path, restored.store, PROVIDER)
    assert restored.get("root") == (b"wrapped", 1)
    assert restored.get("gone") == (None, 2)
    assert restored.generation() == keys.generation()


# what goes wrong while writing


class Down:
    def wrap(self, key, context):
        raise ConnectionError("no route to host")

    unwrap = wrap


def test_a_provider_that_is_down_leaves_nothing_behind(store, path):
    with pytest.raises(KeyUnavailableError):
        backup(fill(store), path, Down())
    assert not list(path.parent.glob("*backup*"))
    backup(store, path, PROVIDER)
    for call in (verify_backup, drill):
        with pytest.raises(KeyUnavailableError):
            call(path, Down())
    with pytest.raises(KeyUnavailableError):
        restore(path, MemoryStore(), Down())


def test_another_provider_cannot_read_it(store, path):
    backup(fill(store), path, PROVIDER)
    with pytest.raises(DecryptionError):
        verify_backup(path, LocalKeyProvider.generate())


def test_a_closed_store_is_told_and_leaves_nothing_behind(store, path):
    store.close()
    assert code_of(StoreError, lambda: backup(store, path, PROVIDER)) == "store.closed"
    assert not list(path.parent.glob("*backup*"))


@pytest.mark.parametrize("name", ["missing/shop.backup", "file/shop.backup"])
def test_a_folder_that_cannot_be_written_is_told(name, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    assert code_of(StoreError, lambda: backup(MemoryStore(), tmp_path / name, PROVIDER)) == "backup.write"
    assert code_of(StoreError, lambda: verify_backup(tmp_path / name, PROVIDER)) == "backup.read"


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_a_path_that_names_no_file_is_refused(name):
    assert code_of(StoreError, lambda: backup(MemoryStore(), name, PROVIDER)) == "backup.path"
    assert code_of(StoreError, lambda: verify_backup(name, PROVIDER)) == "backup.path"


def test_a_full_disk_is_told_and_leaves_nothing_behind(path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        assert code_of(StoreError, lambda: backup(Made(1000), path, PROVIDER)) == "backup.write"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(path.parent.iterdir()) == []


def test_an_error_of_the_store_in_the_middle_passes_on_and_leaves_nothing_behind(path):
    def fail():
        raise StoreError("the disk is gone", code="store.io")

    assert code_of(StoreError, lambda: backup(Made(5000, at=3000, then=fail), path, PROVIDER)) == "store.io"
    assert list(path.parent.iterdir()) == []


def test_a_backend_that_cannot_say_what_it_holds_is_refused(path):
    class Mute:
        @contextlib.contextmanager
        def unit(self, *, write=True):
            yield object()

    assert code_of(StoreError, lambda: backup(Mute(), path, PROVIDER)) == "backup.unsupported"
    backup(MemoryStore(), path, PROVIDER)
    assert code_of(StoreError, lambda: restore(path, Mute(), PROVIDER)) == "backup.unsupported"
    assert code_of(StoreError, lambda: drill(path, PROVIDER, against=Mute())) == "backup.unsupported"


KILLED = """if True:
    import sys, time
    from custinfo.crypto import LocalKeyProvider
    from custinfo.store import MemoryStore, Record, backup
    store = MemoryStore()
    with store.unit() as unit:
        unit.load((Record("thing", f"{n:08}", 1, bytes(300)), []) for n in range(9000))
    def wait(done, total):
        if done > 6000:
            print("middle", flush=True)
            time.sleep(60)
    backup(store, sys.argv[1], LocalKeyProvider(bytes(range(32))), progress=wait)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill on this system")
def test_a_backup_that_is_killed_has_no_file_of_its_name(path):
    command = [sys.executable, "-c", KILLED, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "middle\n"
        process.kill()
    assert not path.exists()
    [partial] = path.parent.iterdir()
    assert partial.name.startswith(".shop.backup.")
    assert b"00000100" not in partial.read_bytes()
    assert backup(Made(10), path, PROVIDER).counts == {"thing": 10}


def test_the_made_store_has_no_faster_way_to_its_keys():
    assert not isinstance(Made(0), SupportsKeyRange)
