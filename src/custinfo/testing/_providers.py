"""The contract suite that a key provider subclasses."""

from __future__ import annotations

try:
    import pytest
except ModuleNotFoundError as exc:  # pragma: no cover - the tests of this module run in pytest
    from custinfo.errors import missing_extra

    raise missing_extra("pytest", extra="testing", cause=exc) from None

# Failed assertions of the suite shall show their values, as in a test file; pytest must know before the import.
pytest.register_assert_rewrite(*(f"custinfo.testing._provider_{part}" for part in ("base", "refusals", "use", "wrap")))

from custinfo.testing._provider_refusals import RefusalsContract  # noqa: E402
from custinfo.testing._provider_use import UseContract  # noqa: E402
from custinfo.testing._provider_wrap import WrapContract  # noqa: E402


class KeyProviderContract(WrapContract, RefusalsContract, UseContract):
    """What every `custinfo.crypto.KeyProvider` promises. Subclass it as ``class TestMyProvider(KeyProviderContract)``.

    Give ``make_provider(self)``. Give ``revoke(self, provider)`` too where the key can be disabled or its service
    stopped, ``secrets(self, provider)`` where the provider holds a key or a password, and ``reopen(self, provider)``
    where another object can be made over the same key. No fixture is needed.

    >>> from custinfo.crypto import LocalKeyProvider
    >>> class TestLocal(KeyProviderContract):
    ...     def make_provider(self):
    ...         return LocalKeyProvider.generate()
    >>> TestLocal().test_a_key_comes_back()
    """
