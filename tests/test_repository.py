"""The repository itself: links lead somewhere, what is written twice agrees, and no public name lacks a page."""

import ast
import importlib
import pkgutil
import re
import tomllib
from pathlib import Path

import pytest

import custinfo
from custinfo.model import catalogue

ROOT = Path(__file__).parents[1]
if not (ROOT / "noxfile.py").exists():
    pytest.skip("needs the repository around the tests", allow_module_level=True)

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
SKIPPED = ("docs/_build/", ".venv/", ".nox/", "demo/")
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "llms.txt"]
    if not path.relative_to(ROOT).as_posix().startswith(SKIPPED)
)
FRAGMENT = re.compile(r"[0-9]+\.(feature|bugfix|doc|removal|misc)\.md")
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def text_of(name):
    return (ROOT / name).read_text("utf-8")


def sessions():
    """The names of the functions of noxfile.py that are sessions."""
    for node in ast.parse(text_of("noxfile.py")).body:
        if isinstance(node, ast.FunctionDef) and any("session" in ast.unparse(each) for each in node.decorator_list):
            names = [
                keyword.value.value
                for call in node.decorator_list
                if isinstance(call, ast.Call)
                for keyword in call.keywords
                if keyword.arg == "name"
            ]
            yield names[0] if names else node.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_to_a_file(page):
    links = LINK.findall(CODE.sub("", page.read_text("utf-8")))
    local = [link.partition("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_llms_txt_names_every_page_once_and_begins_as_its_format_wants():
    text = text_of("llms.txt")
    assert re.match(r"# custinfo\n\n> .+\n", text)
    named = LINK.findall(text)
    assert len(named) == len(set(named))
    pages = {path.relative_to(ROOT).as_posix() for path in PAGES if path.is_relative_to(ROOT / "docs")}
    assert {name for name in pages if "/api/" not in name} - {"docs/index.md"} <= set(named)


def test_contributing_names_every_nox_session():
    text = text_of("CONTRIBUTING.md")
    assert [name for name in sessions() if not re.search(rf"nox (-R )?-s [\w -]*\b{name}\b", text)] == []


def test_what_ci_runs_are_sessions_that_there_are():
    ran = re.findall(r"nox -s ([a-z_ -]+)$", text_of(".ci/run"), re.MULTILINE)
    assert ran
    assert set(" ".join(ran).split()) <= set(sessions())


def test_every_fragment_of_the_changelog_is_well_named_and_not_empty():
    fragments = [path for path in (ROOT / "changelog.d").iterdir() if path.name != ".gitignore"]
    assert [path.name for path in fragments if not FRAGMENT.fullmatch(path.name)] == []
    assert [path.name for path in fragments if not path.read_text("utf-8").strip()] == []


def test_the_version_is_the_same_wherever_it_is_written():
    version = PYPROJECT["project"]["version"]
    assert f"\nversion: {version}\n" in text_of("CITATION.cff")
    assert f"| {version.rpartition('.')[0]}.x | yes |" in text_of("SECURITY.md")
    assert custinfo.__version__ == version


def test_the_page_of_the_extras_says_what_pyproject_says():
    rows = re.findall(r"^\| `([a-z]+)` \| ([^|]+) \|", text_of("docs/extras.md"), re.MULTILINE)
    written = {extra: re.findall(r"`([^`]+)`", packages) for extra, packages in rows}
    assert written == PYPROJECT["project"]["optional-dependencies"]


def test_the_package_is_marked_as_typed():
    assert (Path(custinfo.__file__).parent / "py.typed").exists()


def test_every_room_has_a_page_in_the_reference_that_is_made_from_all_its_names():
    rooms = [info.name for info in pkgutil.iter_modules(custinfo.__path__) if not info.name.startswith("_")]
    for room in rooms:
        page = text_of(f"docs/reference/api/{room}.md")
        assert f".. automodule:: custinfo.{room}\n" in page
        assert f"api/{room}\n" in text_of("docs/reference/api.md")


def test_public_modules_inside_a_room_are_in_the_reference_too():
    for info in pkgutil.walk_packages(custinfo.__path__, "custinfo."):
        if info.name.count(".") > 1 and "._" not in info.name and importlib.import_module(info.name).__all__:
            assert f".. automodule:: {info.name}\n" in text_of(f"docs/reference/api/{info.name.split('.')[1]}.md")


def glossary():
    """English term -> Chinese term."""
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|", text_of("docs/glossary.md"), re.MULTILINE)
    return {english: chinese for english, chinese in rows if english not in {"term", "---"}}


def test_the_glossary_has_each_term_once_and_in_chinese():
    text = text_of("docs/glossary.md")
    assert len(glossary()) > 60
    assert [term for term in glossary() if text.count(f"\n| {term} |") > 1] == []
    assert [term for term, chinese in glossary().items() if not re.search("[\u4e00-\u9fff]", chinese)] == []


def test_the_field_catalogue_uses_the_chinese_terms_of_the_glossary():
    terms = glossary()
    for fields in catalogue().values():
        for field in fields:
            if field.description in terms:
                assert field.description_zh == terms[field.description], field.path
