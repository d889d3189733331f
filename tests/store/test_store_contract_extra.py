"""Without pytest or hypothesis the suites name the extra that brings them."""

import subprocess
import sys

import pytest

from custinfo.testing._store_base import StoreMaker


@pytest.mark.parametrize("package", ["pytest", "hypothesis"])
def test_a_missing_package_is_named_with_its_extra(package):
    script = f"""if True:
        import sys
        sys.modules[{package!r}] = None
        import custinfo.testing
        try:
            custinfo.testing.RecordStoreContract
        except ImportError as exc:
            print(type(exc).__name__, exc)
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("MissingExtraError")
    assert "pip install 'custinfo[testing]'" in done.stdout


def test_a_suite_without_a_store_says_what_to_give():
    with pytest.raises(NotImplementedError, match="make_store"):
        StoreMaker().make_store()
