"""A small stand-in for Vault's transit engine on loopback, with the answers and the faults that matter here.

Source of statuses and texts: Vault API documentation, transit and system health (2026), and the texts of its errors as
users report them.
"""

from __future__ import annotations

import base64
import json
import os
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN = "s.3fHq9ZbW7kXw2Yt5"
AEAD = ("aes256-gcm96", "chacha20-poly1305", "aes128-gcm96")


class Key:
    """A transit key with its versions, oldest first."""

    def __init__(self, kind="aes256-gcm96", *, derived=False):
        self.kind = kind
        self.derived = derived
        self.versions = [os.urandom(32)]
        self.min_decryption_version = 1

    def rotate(self):
        self.versions.append(os.urandom(32))


class Refused(Exception):  # noqa: N818 - an answer, not an error of the tests
    """An answer that is no success."""


class FakeTransit:
    """One server; `keys` are its keys by name, and the other attributes are what can be wrong with it.

    Attributes:
        sealed: nothing is answered but 503.
        may: what the token may do: "encrypt", "decrypt".
        knows_associated_data: False for a server of before 1.13, which drops them without a word.
        faults: what the next requests get instead of an answer: (status, body), or "hang up".
        requests: the paths asked so far.
    """

    def __init__(self):
        self.keys = {"customers": Key()}
        self.sealed = False
        self.may = {"encrypt", "decrypt"}
        self.knows_associated_data = True
        self.faults = []
        self.requests = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fake.requests.append(self.path)
                fault = fake.faults.pop(0) if fake.faults else None
                if fault == "hang up":
                    self.close_connection = True
                    return
                status, text = fault or fake.answer(self.path, self.headers.get("X-Vault-Token"), json.loads(body))
                data = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path, token, request):
        try:
            return 200, json.dumps({"data": self._data(path, token, request)})
        except Refused as refused:
            status, *errors = refused.args
            return status, json.dumps({"errors": errors})

    def _data(self, path, token, request):
        if self.sealed:
            raise Refused(503, "Vault is sealed")
        if token != TOKEN:
            raise Refused(403, "permission denied", "invalid token")
        found = re.fullmatch(r"/v1/transit/(encrypt|decrypt)/([\w.-]+)", path)
        if not found:
            raise Refused(404, f"no handler for route {path!r}. route entry not found.")
        verb, name = found.groups()
        key = self.keys.get(name)
        if verb not in self.may or (verb == "encrypt" and key is None):  # to make a key takes another capability
            raise Refused(403, "1 error occurred:\n\t* permission denied\n\n")
        if key is None:
            raise Refused(400, "encryption key not found")
        aad = None
        if self.knows_associated_data and request.get("associated_data"):
            if key.kind not in AEAD:
                raise Refused(400, f"'[0].associated_data' provided for non-AEAD cipher suite {key.kind}")
            aad = base64.b64decode(request["associated_data"], validate=True)
        if key.derived and not request.get("context"):
            raise Refused(400, "missing 'context' for key derivation; the key was created using a derived key")
        return self._encrypt(key, request, aad) if verb == "encrypt" else self._decrypt(key, request, aad)

    def _encrypt(self, key, request, aad):
        nonce = os.urandom(12)
        plaintext = base64.b64decode(request["plaintext"], validate=True)
        blob = nonce + AESGCM(key.versions[-1]).encrypt(nonce, plaintext, aad)
        version = len(key.versions)
        return {"ciphertext": f"vault:v{version}:{base64.b64encode(blob).decode()}", "key_version": version}

    def _decrypt(self, key, request, aad):
        ciphertext = request["ciphertext"]
        if not ciphertext.startswith("vault:v"):
            raise Refused(400, "invalid ciphertext: no prefix")
        version, _, text = ciphertext.removeprefix("vault:v").partition(":")
        try:
            number = int(version) or 1  # version 0 is read as 1, for what was written long ago
        except ValueError:
            raise Refused(400, "invalid ciphertext: version number could not be decoded") from None
        if number > len(key.versions):
            raise Refused(400, "invalid ciphertext: version is too new")
        if number < key.min_decryption_version:
            raise Refused(400, "ciphertext or signature version is disallowed by policy (too old)")
        try:
            blob = base64.b64decode(text)
            plaintext = AESGCM(key.versions[number - 1]).decrypt(blob[:12], blob[12:], aad)
        except (ValueError, InvalidTag):
            raise Refused(400, "cipher: message authentication failed") from None
        return {"plaintext": base64.b64encode(plaintext).decode()}
