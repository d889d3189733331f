"""Which servers the PostgreSQL store connects to, and that it says no secret; no server is needed."""

from __future__ import annotations

import subprocess
import sys
import traceback

import pytest

from custinfo.errors import StoreError
from custinfo.store import PostgresStore, _postgres, open_store

URL = "postgresql://billing:hush@{}/shop?{}"


class Reached(Exception):  # noqa: N818 - it is what the test wants
    """A connection would be made."""


@pytest.fixture(autouse=True)
def _no_connection(monkeypatch):
    for name in ("PGHOST", "PGHOSTADDR", "PGSSLMODE", "PGSERVICE", "PGSERVICEFILE", "PGPASSWORD"):
        monkeypatch.delenv(name, raising=False)

    def connect(*_):
        raise Reached

    monkeypatch.setattr(_postgres, "connect", connect)


def refusal(dsn, **options):
    """The code of the refusal; None where a connection would be made. The password is in no text of the error."""
    with pytest.raises((Reached, StoreError)) as caught:
        PostgresStore(dsn, **options)
    if caught.type is Reached:
        return None
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.details)
    assert "hush" not in shown
    assert caught.value.__context__ is None
    return caught.value.code


LOCAL = [
    "",
    "dbname=shop user=billing password=hush",
    URL.format("", ""),
    URL.format("localhost", ""),
    URL.format("localhost:5433", "sslmode=disable"),
    URL.format("127.0.0.1", ""),
    URL.format("127.8.9.10", ""),
    URL.format("[::1]", ""),
    URL.format("%2Fvar%2Frun%2Fpostgresql", ""),
    URL.format("", "host=/var/run/postgresql"),
    URL.format("", "host=@abstract"),
    URL.format("localhost,127.0.0.1", ""),
    "host=db.example.com hostaddr=127.0.0.1",
    "host=localhost,/tmp",
    "host='::1%lo'",
    "host=localhost hostaddr=",
    "host=/tmp,,",
]

REMOTE = [
    URL.format("db.example.com", "{}"),
    URL.format("192.0.2.7", "{}"),
    URL.format("[2001:db8::1]", "{}"),
    URL.format("localhost,db.example.com", "{}"),
    URL.format("db.example.com,/tmp", "{}"),
    URL.format("localhost", "hostaddr=192.0.2.7&{}"),
    URL.format("localhost.example.com", "{}"),
    URL.format("127.1", "{}"),
    "host=db.example.com dbname=shop password=hush {}",
    "host=localhost hostaddr=192.0.2.7 {}",
    "host=/tmp,db.example.com {}",
    "host=a,localhost {}",
    "host=LOCALHOST {}",
    "host=localhost. {}",
    "host=0.0.0.0 {}",
    "host=' localhost' {}",
    "host=::ffff:127.0.0.1 {}",
    "host=db.example.com,localhost hostaddr=127.0.0.1,192.0.2.7 {}",
    "host=db.example.com sslnegotiation=postgres {}",
    URL.format("%2Ftmp,db.example.com", "{}"),
    URL.format("db.ex%61mple.com", "password=hu%73h&{}"),
]


@pytest.mark.parametrize("dsn", LOCAL)
def test_a_server_on_this_machine_needs_no_tls(dsn):
    assert refusal(dsn) is None


@pytest.mark.parametrize("dsn", REMOTE)
def test_a_server_on_another_machine_needs_tls_that_verifies_it(dsn):
    for mode in ("", "sslmode=disable", "sslmode=allow", "sslmode=prefer", "sslmode=require", "sslmode=verify-ca"):
        assert refusal(dsn.format(mode)) == "store.tls_required"
        assert refusal(dsn.format(mode), insecure=True) is None
    assert refusal(dsn.format("sslmode=verify-full")) is None


def test_the_roots_of_the_system_verify_the_server_by_themselves():
    assert refusal("host=db.example.com sslrootcert=system") is None
    assert refusal("host=db.example.com sslrootcert=system sslmode=require") == "store.dsn"
    assert refusal("host=db.example.com sslmode=VERIFY-FULL") == "store.dsn"


def test_the_environment_counts(monkeypatch):
    monkeypatch.setenv("PGHOST", "db.example.com")
    monkeypatch.setenv("PGPASSWORD", "hush")
    assert refusal("") == refusal("dbname=shop") == "store.tls_required"
    assert refusal("host=localhost") is None
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert refusal("") is None
    assert refusal("sslmode=require") == "store.tls_required"
    monkeypatch.delenv("PGHOST")
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.7")
    monkeypatch.setenv("PGSSLMODE", "require")
    assert refusal("") == "store.tls_required"


def test_a_service_counts(tmp_path, monkeypatch):
    services = tmp_path / "services.conf"
    services.write_text(
        "[far]\nhost=db.example.com\npassword=hush\n"
        "[safe]\nhost=db.example.com\nsslmode=verify-full\npassword=hush\n"
        "[near]\nhost=/tmp\n"
    )
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    assert refusal("service=far") == refusal("postgresql:///shop?service=far") == "store.tls_required"
    assert refusal("service=far sslmode=verify-full") is None
    assert refusal("service=safe") is refusal("service=near") is None
    assert refusal("service=safe sslmode=require") == "store.tls_required"
    monkeypatch.setenv("PGSERVICE", "far")
    assert refusal("") == "store.tls_required"
    assert refusal("service=missing") == "store.dsn"


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://billing:hush@[::1/shop",
        "host=localhost password",
        "password=hush sslmode=sure",
        "colour=red password=hush",
        "postgresql://localhost/shop?insecure=1&password=hush",
        "password=hush\0",
        "password=hush\ud800",
        None,
        b"password=hush",
    ],
)
def test_what_libpq_does_not_take_is_told_and_not_shown(dsn):
    assert refusal(dsn) == "store.dsn"


def test_a_url_opens_the_store(monkeypatch):
    seen = []

    def connect(dsn, *_):
        seen.append(dsn)
        raise Reached

    monkeypatch.setattr(_postgres, "connect", connect)
    for url in ("postgresql://localhost/shop", "postgres://localhost/shop", "POSTGRESQL:///shop"):
        with pytest.raises(Reached):
            open_store(url)
    assert seen == ["postgresql://localhost/shop"] * 2 + ["postgresql:///shop"]


@pytest.mark.parametrize("schema", ["", "a\0b", "\u5f20" * 22])
def test_a_schema_that_is_no_name_is_refused(schema):
    with pytest.raises(ValueError, match="1 to 63 bytes"):
        PostgresStore("host=localhost", schema=schema)


def test_a_dsn_beside_a_pool_is_refused():
    assert refusal("host=localhost", pool=object()) == "store.dsn"


@pytest.mark.parametrize(("missing", "shown"), [("psycopg", "MissingExtraError"), ("psycopg_c", "ImportError")])
def test_without_psycopg_the_extra_is_named(missing, shown):
    script = f"""if True:
        import sys
        sys.modules[{missing!r}] = None
        if {missing!r} == "psycopg_c":  # psycopg is there, and no libpq for it
            sys.modules["psycopg_binary"] = None
            import ctypes.util
            ctypes.util.find_library = lambda name: None
        from custinfo.store import PostgresStore
        try:
            PostgresStore("host=localhost")
        except ImportError as exc:
            print(type(exc).__name__, exc)
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(shown)
    if missing == "psycopg":
        assert "pip install 'custinfo[postgres]'" in done.stdout
