"""Field encryption against a bare AES-GCM loop in the same process.

    python benchmarks/crypto/bench_fields.py [--records 4000] [--rounds 7]

The floor is AESGCM.encrypt with os.urandom(12), AAD built per field and nonce + ciphertext stored, and the like to
decrypt. All take turns, CPU time is taken, and the best round counts. Only the ratios mean anything elsewhere.

- tenant: one data key per process; decrypted by a second keyring, whose cache is cold at the start of each round
- subject: a new subject, and so a new data key, for each record; decrypted cold (no key in memory) and warm
- batch: the same through encrypt_records / decrypt_records, where all new keys are one write
- SQLite: keys in a file by store.RecordKeyStore, warm; the figure to hold against is "subject, warm"
- SM4: tenant mode with suite 2, against the same floor of AES-GCM
- Tink: KmsEnvelopeAead over a key in the process, if the package tink is installed
"""

from __future__ import annotations

import argparse
import gc
import os
import struct
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from custinfo.crypto import FieldCipher, Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.store import RecordKeyStore, SqliteStore

try:
    import tink
    from tink import aead
except ModuleNotFoundError:
    tink = None

FIELDS = ("name", "email", "phone", "id_no", "address")
GOALS = {
    "tenant": (1.3, 1.8),
    "subject": (3.0, 3.7),
    "subject, batch": (3.0, 3.7),
}


def make_records(count: int, size: int, as_text: bool) -> list[tuple[str, dict[str, str | bytes]]]:
    def value() -> str | bytes:
        text = os.urandom(size).hex()[:size]
        return text if as_text else text.encode()

    return [(f"cust-{number:08}", {field: value() for field in FIELDS}) for number in range(count)]


def floor(records):
    gcm = AESGCM(AESGCM.generate_key(256))
    framed = {field: struct.pack(">I", len(field)) + field.encode() for field in FIELDS}
    urandom = os.urandom
    plain = [(rid.encode(), {f: v if type(v) is bytes else v.encode() for f, v in rec.items()}) for rid, rec in records]

    def encrypt(rid, values):
        prefix = struct.pack(">I", len(rid)) + rid
        out = {}
        for field, value in values.items():
            nonce = urandom(12)
            out[field] = nonce + gcm.encrypt(nonce, value, prefix + framed[field])
        return out

    def decrypt(rid, tokens):
        prefix = struct.pack(">I", len(rid)) + rid
        return {f: gcm.decrypt(t[:12], t[12:], prefix + framed[f]) for f, t in tokens.items()}

    start = time.process_time()
    tokens = [encrypt(rid, values) for rid, values in plain]
    middle = time.process_time()
    back = [decrypt(rid, token) for (rid, _), token in zip(plain, tokens, strict=True)]
    end = time.process_time()
    assert back == [values for _, values in plain]
    return middle - start, end - middle


def single(mode: str, *, warm: bool = False, sqlite: bool = False, suite: str = "AES-256-GCM"):
    def run(records):
        if not sqlite:
            return measure(records, MemoryKeyStore())
        with tempfile.TemporaryDirectory() as folder:
            store = SqliteStore(Path(folder) / "keys.db")
            try:
                return measure(records, RecordKeyStore(store))
            finally:
                store.close()

    def measure(records, store):
        provider = LocalKeyProvider.generate()
        writer = FieldCipher(Keyring(provider, store, mode=mode, suite=suite))
        reader = FieldCipher(Keyring(provider, store, mode=mode, suite=suite))
        if sqlite:  # one write for the keys of all; one by one each would wait for the disk
            writer.encrypt_records([(rid, None, {}) for rid, _ in records], entity="customer")
        start = time.process_time()
        tokens = [writer.encrypt_record(values, entity="customer", record=rid) for rid, values in records]
        middle = time.process_time()
        encrypt_s = middle - start
        if warm:
            for (rid, _), token in zip(records, tokens, strict=True):
                reader.decrypt_record(token, entity="customer", record=rid)
            start = time.process_time()
            tokens = [reader.encrypt_record(values, entity="customer", record=rid) for rid, values in records]
            middle = time.process_time()
            encrypt_s = middle - start
        back = [
            reader.decrypt_record(token, entity="customer", record=rid)
            for (rid, _), token in zip(records, tokens, strict=True)
        ]
        end = time.process_time()
        assert back == [values for _, values in records]
        return encrypt_s, end - middle

    return run


def batch(records):
    provider, store = LocalKeyProvider.generate(), MemoryKeyStore()
    writer, reader = FieldCipher(Keyring(provider, store)), FieldCipher(Keyring(provider, store))
    start = time.process_time()
    tokens = writer.encrypt_records([(rid, None, values) for rid, values in records], entity="customer")
    middle = time.process_time()
    rows = [(rid, None, token) for (rid, _), token in zip(records, tokens, strict=True)]
    back = reader.decrypt_records(rows, entity="customer")
    end = time.process_time()
    assert back == [values for _, values in records]
    return middle - start, end - middle


def tink_envelope(records):
    aead.register()
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    envelope = aead.KmsEnvelopeAead(aead.aead_key_templates.AES256_GCM, handle.primitive(aead.Aead))
    framed = {field: struct.pack(">I", len(field)) + field.encode() for field in FIELDS}
    part = [
        (rid.encode(), {f: v if type(v) is bytes else v.encode() for f, v in rec.items()})
        for rid, rec in records[: len(records) // 10]
    ]
    start = time.process_time()
    tokens = [{f: envelope.encrypt(v, rid + framed[f]) for f, v in values.items()} for rid, values in part]
    middle = time.process_time()
    for (rid, _), token in zip(part, tokens, strict=True):
        for field, sealed in token.items():
            envelope.decrypt(sealed, rid + framed[field])
    end = time.process_time()
    scale = len(records) / len(part)
    return (middle - start) * scale, (end - middle) * scale


RUNS = {
    "floor": floor,
    "tenant": single("tenant"),
    "subject": single("subject"),
    "subject, batch": batch,
    "subject, warm": single("subject", warm=True),
    "subject, SQLite": single("subject", warm=True, sqlite=True),
    "tenant, SM4": single("tenant", suite="SM4-GCM"),
}
if tink:
    RUNS["Tink envelope"] = tink_envelope


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sizes", default="20,200")
    args = parser.parse_args()
    print(f"{'values':12} {'':16} {'enc us':>8} {'dec us':>8} {'enc x':>7} {'goal':>5} {'dec x':>7} {'goal':>5}")
    for as_text in (False, True):
        for size in map(int, args.sizes.split(",")):
            records = make_records(args.records, size, as_text)
            best = dict.fromkeys(RUNS, (9e9, 9e9))
            for _ in range(args.rounds):
                for label, run in RUNS.items():
                    gc.collect()
                    gc.disable()
                    took = run(records)
                    gc.enable()
                    best[label] = min(best[label][0], took[0]), min(best[label][1], took[1])
            fields = len(records) * len(FIELDS)
            for label, (encrypt_s, decrypt_s) in best.items():
                goal = GOALS.get(label, ("", ""))
                print(
                    f"{size:4} {'text' if as_text else 'bytes':7} {label:16} {encrypt_s / fields * 1e6:8.2f} "
                    f"{decrypt_s / fields * 1e6:8.2f} {encrypt_s / best['floor'][0]:7.2f} {goal[0]:>5} "
                    f"{decrypt_s / best['floor'][1]:7.2f} {goal[1]:>5}"
                )


if __name__ == "__main__":
    main()
