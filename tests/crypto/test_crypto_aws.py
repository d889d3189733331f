"""AWS KMS, against moto's own server on loopback that is spoken to by boto3."""

from __future__ import annotations

import hashlib
import itertools
import logging
import os
import socket
import sys

import boto3
import botocore.exceptions
import pytest
from crypto_helpers import HERE
from moto.server import ThreadedMotoServer

from custinfo.crypto import (
    AwsKmsKeyProvider,
    FieldCipher,
    KeyProvider,
    Keyring,
    LocalKeyProvider,
    MemoryKeyStore,
    Rewrapper,
    WrappedKey,
)
from custinfo.errors import DecryptionError, InvalidFieldError, KeyUnavailableError, MissingExtraError
from custinfo.testing import KeyProviderContract
from custinfo.testing._provider_base import said_by

KEY = b"k" * 32
REGION = "eu-central-1"
ARN = f"arn:aws:kms:{REGION}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"


@pytest.fixture(scope="module", autouse=True)
def server():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setattr(logging.getLogger("werkzeug"), "disabled", True)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        patch.setenv("AWS_ENDPOINT_URL_KMS", f"http://{host}:{port}")
        yield server
        server.stop()


@pytest.fixture(scope="module")
def kms(server):
    client = boto3.session.Session().client("kms", region_name=REGION)
    yield client
    client.close()


class Switch:
    """A client that passes calls on, notes them, and fails as KMS does when told to.

    moto does not refuse the use of keys that are disabled or wait for their deletion, nor does it know policies.
    """

    def __init__(self, client):
        self.client = client
        self.calls = []
        self.fault = None
        self.changes = {}

    def __getattr__(self, name):
        def call(**request):
            self.calls.append((name, request))
            if self.fault is not None:
                raise self.fault
            return getattr(self.client, name)(**request) | self.changes

        return call

    def fails_with(self, code, message=""):
        self.fault = botocore.exceptions.ClientError({"Error": {"Code": code, "Message": message}}, "Decrypt")


@pytest.fixture
def switch(kms):
    return Switch(kms)


@pytest.fixture(scope="module")
def key_arn(kms):
    return kms.create_key()["KeyMetadata"]["Arn"]


@pytest.fixture(scope="module")
def two_keys(kms):
    return [kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2)]


@pytest.fixture
def aws(switch, key_arn):
    return AwsKmsKeyProvider(key_arn, client=switch)


class TestAwsKms(KeyProviderContract):
    @pytest.fixture(autouse=True)
    def _client(self, kms, two_keys):
        self.kms, self.keys = kms, itertools.cycle(two_keys)
        self.switches = {}

    def make_provider(self):
        arn = next(self.keys)
        switch = self.switches[arn] = Switch(self.kms)
        return AwsKmsKeyProvider(arn, client=switch)

    def reopen(self, provider):
        arn = provider.key_uri.removeprefix("aws-kms://")
        return AwsKmsKeyProvider(arn, client=self.kms)

    def revoke(self, provider):
        self.switches[provider.key_uri.removeprefix("aws-kms://")].fails_with("DisabledException")
        return True

    def secrets(self, provider):
        return [SECRET.encode()]


def refused(use, *args):
    """The code of the refusal, which shows neither key nor secret and holds no foreign error."""
    with pytest.raises(KeyUnavailableError) as caught:
        use(*args)
    assert str(caught.value).startswith("aws-kms://arn:aws:kms:")
    for secret in (SECRET, KEY.decode()):
        assert secret not in said_by(caught.value)
    assert caught.value.__context__ is None
    return caught.value.code


def test_it_is_a_provider_and_a_rewrapper(aws):
    assert isinstance(aws, KeyProvider)
    assert isinstance(aws, Rewrapper)


def test_the_wrapped_key_names_the_key_and_is_what_kms_wrote(aws, kms, key_arn):
    wrapped = aws.wrap(KEY, b"context")
    assert (wrapped.key_uri, wrapped.version) == (f"aws-kms://{key_arn}", "")
    context = {"custinfo-context": hashlib.sha256(b"context").hexdigest()}
    assert kms.decrypt(CiphertextBlob=wrapped.blob, EncryptionContext=context)["Plaintext"] == KEY


def test_no_request_says_whose_key_it_is(aws, switch):
    Keyring(aws, MemoryKeyStore(), tenant="Kaufhaus Stern").secret("audit")
    assert [name for name, _ in switch.calls] == ["encrypt"]
    for _, request in switch.calls:
        assert "Stern" not in repr({name: value for name, value in request.items() if name != "Plaintext"})


def test_each_request_names_the_key_and_a_context(aws, switch, key_arn):
    wrapped = aws.wrap(KEY, b"c")
    aws.unwrap(wrapped, b"c")
    aws.rewrap(wrapped, b"c")
    (_, encrypt), (_, decrypt), (_, re_encrypt) = switch.calls
    assert (
        encrypt["KeyId"] == decrypt["KeyId"] == re_encrypt["SourceKeyId"] == re_encrypt["DestinationKeyId"] == key_arn
    )
    contexts = [encrypt["EncryptionContext"], decrypt["EncryptionContext"]]
    contexts += [re_encrypt["SourceEncryptionContext"], re_encrypt["DestinationEncryptionContext"]]
    assert contexts == [{"custinfo-context": hashlib.sha256(b"c").hexdigest()}] * 4


def test_rotate_kek_does_not_show_the_root_to_this_process(aws, switch):
    store = MemoryKeyStore()
    token = FieldCipher(Keyring(aws, store)).encrypt("Anna", **HERE)
    switch.calls.clear()
    Keyring(aws, store).rotate_kek()
    assert [name for name, _ in switch.calls] == ["re_encrypt"]
    assert FieldCipher(Keyring(aws, store)).decrypt(token, **HERE) == "Anna"


def test_a_key_that_kms_rotates_opens_old_roots(aws, kms, key_arn):
    store = MemoryKeyStore()
    token = FieldCipher(Keyring(aws, store)).encrypt("Anna", **HERE)
    kms.enable_key_rotation(KeyId=key_arn)
    kms.rotate_key_on_demand(KeyId=key_arn)
    assert FieldCipher(Keyring(aws, store)).decrypt(token, **HERE) == "Anna"


def test_the_key_moves_from_a_local_one_and_the_local_one_can_go(aws):
    store = MemoryKeyStore()
    keyring = Keyring(LocalKeyProvider.generate(), store)
    token = FieldCipher(keyring).encrypt("Anna", **HERE)
    keyring.rotate_kek(aws)
    assert FieldCipher(Keyring(aws, store)).decrypt(token, **HERE) == "Anna"


def test_many_records_cost_one_unwrap(aws, switch):
    store = MemoryKeyStore()
    rows = [(str(n), None, {"email": n}) for n in range(500)]
    tokens = FieldCipher(Keyring(aws, store)).encrypt_records(rows, entity="e")
    switch.calls.clear()
    again = [(str(n), None, token) for n, token in enumerate(tokens)]
    assert FieldCipher(Keyring(aws, store)).decrypt_records(again, entity="e")[-1] == {"email": 499}
    assert [name for name, _ in switch.calls] == ["decrypt"]


FAULTS = [
    ("DisabledException", "", "key.disabled"),
    ("KMSInvalidStateException", f"{ARN} is pending deletion.", "key.pending_deletion"),
    ("KMSInvalidStateException", f"{ARN} is pending import.", "key.disabled"),
    ("NotFoundException", "", "key.missing"),
    ("AccessDeniedException", "", "key.denied"),
    ("ExpiredTokenException", "", "key.denied"),
    ("UnrecognizedClientException", "", "key.denied"),
    ("InvalidKeyUsageException", "", "key.unusable"),
    ("ValidationException", "", "key.unusable"),
    ("ThrottlingException", "", "key_unavailable"),
    ("KMSInternalException", "", "key_unavailable"),
    ("KeyUnavailableException", "", "key_unavailable"),
    ("DependencyTimeoutException", "", "key_unavailable"),
    ("500", "<html>", "key_unavailable"),
    ("SomethingNew", SECRET, "key_unavailable"),
]


@pytest.mark.parametrize(("name", "message", "code"), FAULTS)
def test_a_refusal_of_kms_says_which(aws, switch, name, message, code):
    wrapped = aws.wrap(KEY, b"c")
    switch.fails_with(name, message)
    assert refused(aws.wrap, KEY, b"c") == code
    assert refused(aws.unwrap, wrapped, b"c") == code
    assert refused(aws.rewrap, wrapped, b"c") == code


@pytest.mark.parametrize("name", ["InvalidCiphertextException", "IncorrectKeyException"])
def test_a_refusal_of_the_wrapped_key_is_a_decryption_error(aws, switch, name):
    wrapped = aws.wrap(KEY, b"c")
    switch.fails_with(name)
    for use in (aws.unwrap, aws.rewrap):
        with pytest.raises(DecryptionError) as caught:
            use(wrapped, b"c")
        assert caught.value.code == "key.unwrap"
        assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (botocore.exceptions.NoCredentialsError(), "key.denied"),
        (botocore.exceptions.EndpointConnectionError(endpoint_url="http://127.0.0.1"), "key_unavailable"),
        (botocore.exceptions.ReadTimeoutError(endpoint_url="http://127.0.0.1"), "key_unavailable"),
        (ValueError(SECRET), "key_unavailable"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_of_the_client_says_which(aws, switch, fault, code):
    switch.fault = fault
    assert refused(aws.wrap, KEY, b"c") == code


@pytest.mark.parametrize("response", [None, "text", {}, {"Error": None}, {"Error": "text"}, {"Error": {"Code": None}}])
def test_an_error_of_kms_without_its_error_part_says_that_kms_is_down(aws, switch, response):
    class StrangeError(Exception):
        pass

    wrapped = aws.wrap(KEY, b"c")
    switch.fault = StrangeError("ciphertext and all")
    switch.fault.response = response
    with pytest.raises(KeyUnavailableError, match=r"\(StrangeError\)$") as caught:
        aws.unwrap(wrapped, b"c")
    assert caught.value.code == "key_unavailable"
    assert caught.value.__context__ is None


@pytest.mark.parametrize("answer", [None, [], "text", 5], ids=repr)
def test_an_answer_that_is_no_mapping_is_an_outage(key_arn, answer):
    class Strange:
        def encrypt(self, **_):
            return answer

        decrypt = re_encrypt = encrypt

    aws = AwsKmsKeyProvider(key_arn, client=Strange())
    wrapped = WrappedKey(aws.key_uri, "", b"blob")
    for use, argument in ((aws.wrap, KEY), (aws.unwrap, wrapped), (aws.rewrap, wrapped)):
        assert refused(use, argument, b"c") == "key_unavailable"


def test_errors_name_what_kms_said(aws, switch):
    switch.fails_with("DisabledException", SECRET)
    with pytest.raises(KeyUnavailableError, match=r"disabled.*\(DisabledException\)"):
        aws.wrap(KEY, b"c")


@pytest.mark.parametrize(
    ("name", "message", "code"),
    [
        ("DisabledException", "", "key.disabled"),
        ("KMSInvalidStateException", "pending deletion", "key.pending_deletion"),
        ("NotFoundException", "", "key.missing"),
        ("AccessDeniedException", "", "key.denied"),
        ("KMSInternalException", "", "key_unavailable"),
    ],
)
def test_a_key_taken_away_closes_a_warm_keyring_when_its_root_expires(aws, switch, clock, name, message, code):
    cipher = FieldCipher(Keyring(aws, MemoryKeyStore(), cache_ttl_s=60))
    token = cipher.encrypt("Anna", **HERE)
    switch.fails_with(name, message)
    clock.now += 59
    assert cipher.decrypt(token, **HERE) == "Anna"  # what it has in memory it may use that long
    clock.now += 1
    assert refused(lambda: cipher.decrypt(token, **HERE)) == code
    assert refused(lambda: cipher.encrypt("Bert", **HERE)) == code
    switch.fault = None
    assert cipher.decrypt(token, **HERE) == "Anna"


def test_a_key_that_moto_does_not_know_is_missing(kms):
    assert refused(AwsKmsKeyProvider(ARN, client=kms).wrap, KEY, b"c") == "key.missing"


@pytest.mark.parametrize("plaintext", [b"", KEY[:31], KEY + b"k", "k" * 32, None], ids=repr)
def test_an_answer_that_is_no_key_is_refused(aws, switch, plaintext):
    wrapped = aws.wrap(KEY, b"c")
    switch.changes = {"Plaintext": plaintext}
    with pytest.raises(DecryptionError):
        aws.unwrap(wrapped, b"c")


def test_an_answer_for_another_key_is_refused(aws, switch):
    wrapped = aws.wrap(KEY, b"c")
    switch.changes = {"KeyId": ARN}
    with pytest.raises(DecryptionError):
        aws.unwrap(wrapped, b"c")
    assert refused(aws.wrap, KEY, b"c") == "key_unavailable"
    switch.changes = {"SourceKeyId": ARN}
    with pytest.raises(DecryptionError):
        aws.rewrap(wrapped, b"c")


@pytest.mark.parametrize("blob", [b"", None, "text"], ids=repr)
def test_an_answer_without_a_blob_is_refused(aws, switch, blob):
    switch.changes = {"CiphertextBlob": blob}
    assert refused(aws.wrap, KEY, b"c") == "key_unavailable"


@pytest.mark.parametrize(
    ("version", "size"), [("1", 92), ("", 0), ("", 6145)], ids=["a version", "no blob", "longer than KMS takes"]
)
def test_what_kms_did_not_write_is_not_sent_there(aws, switch, key_arn, version, size):
    with pytest.raises(DecryptionError):
        aws.unwrap(WrappedKey(f"aws-kms://{key_arn}", version, bytes(size)), b"c")
    assert not switch.calls


@pytest.mark.parametrize("size", [0, 31, 33])
def test_only_keys_of_32_bytes_are_wrapped(aws, switch, size):
    with pytest.raises(InvalidFieldError) as caught:
        aws.wrap(bytes(size), b"c")
    assert caught.value.code == "key.length"
    assert not switch.calls


def test_a_replica_of_a_multi_region_key_opens_what_the_other_wrapped():
    class Replicas:
        def encrypt(self, **request):
            return {"CiphertextBlob": request["Plaintext"][::-1], "KeyId": request["KeyId"]}

        def decrypt(self, **request):
            return {"Plaintext": request["CiphertextBlob"][::-1], "KeyId": request["KeyId"]}

    here, there, other = (
        AwsKmsKeyProvider(f"arn:aws:kms:{region}:111122223333:key/{key}", client=Replicas())
        for region, key in (("eu-central-1", "mrk-1a"), ("eu-west-1", "mrk-1a"), ("eu-west-1", "mrk-2b"))
    )
    key = bytes(range(32))
    assert there.unwrap(here.wrap(key, b"c"), b"c") == key
    with pytest.raises(DecryptionError, match="wrapped by aws-kms://arn:aws:kms:eu-central-1"):
        other.unwrap(here.wrap(key, b"c"), b"c")


def test_a_plain_key_of_another_region_is_another_key(aws, key_arn):
    wrapped = aws.wrap(KEY, b"c")
    moved = WrappedKey(wrapped.key_uri.replace(REGION, "eu-west-1"), "", wrapped.blob)
    with pytest.raises(DecryptionError, match="wrapped by"):
        aws.unwrap(moved, b"c")


@pytest.mark.parametrize(
    "arn",
    [
        "",
        None,
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "alias/customers",
        f"arn:aws:kms:{REGION}:111122223333:alias/customers",
        f"arn:aws:s3:{REGION}:111122223333:key/1234abcd",
        f"arn:aws:kms:{REGION}:11112222333:key/1234abcd",
        f"{ARN}\n",
        f" {ARN}",
        f"{ARN}/x",
    ],
    ids=repr,
)
def test_only_the_arn_of_a_key_is_taken(arn):
    with pytest.raises(InvalidFieldError) as caught:
        AwsKmsKeyProvider(arn, client=object())
    assert caught.value.code == "key.arn"


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_all_partitions_are_taken(partition):
    arn = ARN.replace("arn:aws:", f"arn:{partition}:")
    assert AwsKmsKeyProvider(arn, client=object()).key_uri == f"aws-kms://{arn}"


def test_without_a_client_one_is_made_with_bounded_waiting(key_arn):
    aws = AwsKmsKeyProvider(key_arn, timeout_s=2.5, attempts=2)
    config = aws._clients.get("").meta.config
    assert (config.connect_timeout, config.read_timeout) == (2.5, 2.5)
    assert config.retries == {"total_max_attempts": 2, "mode": "standard"}
    assert aws.unwrap(aws.wrap(KEY, b"c"), b"c") == KEY
    aws.close()
    aws.close()
    assert refused(aws.wrap, KEY, b"c") == "key.closed"


def test_a_given_client_is_left_open(kms, key_arn):
    AwsKmsKeyProvider(key_arn, client=kms).close()
    assert AwsKmsKeyProvider(key_arn, client=kms).wrap(KEY, b"c")


def test_a_forked_child_makes_a_client_of_its_own(key_arn, monkeypatch):
    aws = AwsKmsKeyProvider(key_arn)
    mine = aws._clients.get("")
    monkeypatch.setattr(os, "getpid", lambda: -1)  # as if in a child
    assert aws._clients.get("") is not mine
    aws.close()
    mine.close()


@pytest.mark.parametrize("limits", [{"timeout_s": 0}, {"attempts": 0}], ids=repr)
def test_waiting_is_bounded(limits):
    with pytest.raises(InvalidFieldError) as caught:
        AwsKmsKeyProvider(ARN, client=object(), **limits)
    assert caught.value.code == "key.limit"


def test_a_service_that_never_answers_is_given_up(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", f"http://127.0.0.1:{silent.getsockname()[1]}")
        aws = AwsKmsKeyProvider(ARN, timeout_s=0.05, attempts=1)
        assert refused(aws.wrap, KEY, b"c") == "key_unavailable"
        aws.close()


def test_a_service_that_is_not_there_is_given_up(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = gone.getsockname()
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", f"http://{address[0]}:{address[1]}")
    aws = AwsKmsKeyProvider(ARN, timeout_s=0.5, attempts=1)
    assert refused(aws.wrap, KEY, b"c") == "key_unavailable"
    aws.close()


def test_without_boto3_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(MissingExtraError, match=r"custinfo\[aws\]"):
        AwsKmsKeyProvider(ARN)
    AwsKmsKeyProvider(ARN, client=object())
