"""Model objects as records with look-up keys, and back: codec, field encryption and blind indexes in one place."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar, cast

import attrs

from custinfo.errors import InvalidFieldError, KeyDestroyedError, StoreError
from custinfo.model import Index, fields_of, from_dict, indexes_of, kind_of, lookup_terms, personal_fields, to_dict
from custinfo.store._payload import Payload, pack, pack_sealed, unpack
from custinfo.store._protocol import Key, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.crypto import BlindIndex, FieldCipher
    from custinfo.model import Term

T = TypeVar("T")
_TOKEN_BITS = 256
_AT_ONCE = 200  # objects whose tokens are made with one look at the index keys, in some hundredths of a second
_LONGEST_KEY = 1024
_MAC_SECRET = "payload"  # noqa: S105 - its name
_FORMER = "former."
_EXTRA = "extra"


class Sealed(NamedTuple):
    """One object ready for the store."""

    record: Record
    keys: list[Key]


class EntityCodec(Generic[T]):
    """Turns objects of one class into records and back.

    Args:
        cls: the model class.
        cipher: encrypts the personal fields; None stores them in clear.
    """

    def __init__(self, cls: type[T], cipher: FieldCipher | None) -> None:
        self.cls = cast("Any", cls)
        self.kind = kind_of(cls)
        self.cipher = cipher
        self.indexes = indexes_of(self.cls)
        names = {attribute.name for attribute in attrs.fields(self.cls)}
        self.clear = frozenset(names - personal_fields(self.cls) - {"version"}) | {"$v"}
        self._known = names | {"$v"}
        secret = [field for field in attrs.fields(self.cls) if field.name not in self.clear | {"version"}]
        self._least = None if cipher is None or any(field.default is attrs.NOTHING for field in secret) else ()
        self._blind = {name: self._blind_index(index) for name, index in self.indexes.items() if index.blind and cipher}
        self.blind = frozenset(self._blind)

    def _blind_index(self, index: Index) -> BlindIndex:
        from custinfo.crypto import BlindIndex

        keyring = self.cipher.keyring if self.cipher else None
        if keyring is None:
            raise _no_keyring()
        return BlindIndex(keyring, f"{self.kind}.{index.name}", normalize=_as_it_is, bits=_TOKEN_BITS)

    def seal(self, objects: Sequence[T], subjects: Sequence[str], *, bound: Container[str] = ()) -> list[Sealed]:
        """Records and keys of objects, encrypted under the keys of their subjects.

        Args:
            objects: what to store.
            subjects: data subject of each.
            bound: ids of records that were encrypted before: they keep their subject though nothing in them is
                personal now.
        """
        rows = [to_dict(obj) for obj in objects]
        for row in rows:
            row.pop("version", None)
        ids = [str(obj.id) for obj in objects]  # type: ignore[attr-defined]  # an entity
        if self.cipher is None:
            return [
                Sealed(Record(self.kind, id, 0, pack(row)), keys)
                for keys, id, row in zip(self.keys_of(objects), ids, rows, strict=True)
            ]
        clear = self.clear
        hidden = [self._hidden(row) for row in rows]
        tokens = self._encrypt(ids, subjects, hidden)
        key = self._mac_key()
        sealed = []
        for keys, id, subject, row, token in zip(self.keys_of(objects), ids, subjects, rows, tokens, strict=True):
            payload = Payload(
                {name: value for name, value in row.items() if name in clear},
                token,
                subject if token or id in bound else None,
            )
            data = pack_sealed(payload, kind=self.kind, id=id, key=key)
            sealed.append(Sealed(Record(self.kind, id, 0, data), keys))
        return sealed

    def _hidden(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The personal fields; keys unknown to the model are one of them, since their names may tell as much."""
        hidden = {name: value for name, value in row.items() if name in self._known and name not in self.clear}
        extra = {name: value for name, value in row.items() if name not in self._known}
        return {**hidden, _EXTRA: extra} if extra else hidden

    def _encrypt(
        self, ids: Sequence[str], subjects: Sequence[str], hidden: Sequence[Mapping[str, object]]
    ) -> list[dict[str, bytes]]:
        tokens: list[dict[str, bytes]] = [{} for _ in ids]
        filled = [place for place, values in enumerate(hidden) if values]
        if self.cipher is not None and filled:
            rows = [(ids[place], subjects[place], hidden[place]) for place in filled]
            for place, token in zip(filled, self.cipher.encrypt_records(rows, entity=self.kind), strict=True):
                tokens[place] = token
        return tokens

    def _mac_key(self) -> bytes:
        if self.cipher is None or self.cipher.keyring is None:
            raise _no_keyring()
        return self.cipher.keyring.secret(_MAC_SECRET)

    def read(self, record: Record) -> Payload:
        """What a record holds, its MAC checked where the collection is encrypted, nothing decrypted yet."""
        key = None if self.cipher is None else self._mac_key()
        return unpack(record.data, kind=record.kind, id=record.id, key=key)

    def open(self, record: Record, *, fields: Iterable[str] | None = None) -> T:
        """The object of a record; of its personal fields only *fields* are decrypted, where given.

        Fields whose key was shredded come back empty.
        """
        return self.build(record, self.read(record), fields=fields)

    def build(self, record: Record, payload: Payload, *, fields: Iterable[str] | None = None) -> T:
        """`open` for what `read` gave."""
        clear, tokens, subject = payload
        if fields is not None:
            wanted = frozenset(fields) | self.clear
            tokens = {name: token for name, token in tokens.items() if name in wanted}
            clear = {
                name: value for name, value in clear.items() if (name if name in self._known else _EXTRA) in wanted
            }
        secret = self._decrypt(record.id, tokens, subject)
        values = {**secret.pop(_EXTRA, {}), **clear, **secret, "version": record.version}
        if values.get("id") != record.id or str(values.get("$v")).partition("/")[0] != self.kind:
            raise StoreError("the stored record is not what its place says; restore it", code="payload.broken")
        obj: T = from_dict(values)
        return obj

    def _decrypt(self, record_id: str, tokens: Mapping[str, bytes], subject: str | None) -> dict[str, Any]:
        if not tokens or self.cipher is None:
            return {}
        try:
            return self.cipher.decrypt_record(tokens, entity=self.kind, record=record_id, subject=subject)
        except KeyDestroyedError:
            return {}

    def field_of(self, index: str) -> str:
        """The top-level field that a look-up reads."""
        return next(
            info.path.partition(".")[0].removesuffix("[]") for info in fields_of(self.cls) if info.index == index
        )

    def clear_fields(self, record: Record) -> dict[str, Any]:
        """The fields of a record that are stored in clear, as JSON values; fields at their default are absent."""
        return self.read(record).clear

    def subject(self, record: Record) -> str | None:
        """The data subject under whose key a record is, or was, encrypted; None where nothing in it ever was."""
        return self.read(record).subject

    def is_blank(self, record: Record) -> bool:
        """Whether a record holds no personal value, readable or not."""
        payload = self.read(record)
        return not payload.tokens and payload.clear.keys() <= self.clear

    def keys(self, obj: T) -> list[Key]:
        """Look-up keys of an object; a merged customer keeps none that is unique, they are its survivor's."""
        return self.keys_of([obj])[0]

    def keys_of(self, objects: Sequence[T]) -> list[list[Key]]:
        """Look-up keys of many objects; see `keys`."""
        found: list[list[Key]] = []
        for start in range(0, len(objects), _AT_ONCE):
            found += self._keys_of(objects[start : start + _AT_ONCE])
        return found

    def _keys_of(self, objects: Sequence[T]) -> list[list[Key]]:
        each = [lookup_terms(obj) for obj in objects]
        texts: dict[str, dict[str, tuple[str, ...]]] = {name: {} for name in self._blind}
        for terms in each:
            for term in terms:
                if term.name in texts:
                    texts[term.name][term.text] = ()
        for name, index in self._blind.items():
            held = texts[name]
            held.update(zip(held, index.tokens_many(held), strict=True))
        found: list[list[Key]] = []
        for obj, terms in zip(objects, each, strict=True):
            merged = getattr(obj, "merged_into", None) is not None
            keys = [Key(term.name, value, term.unique) for term in terms for value in self._values(term, texts)]
            found.append([self.former(key) if key.unique else key for key in keys] if merged else keys)
        return found

    @staticmethod
    def _values(term: Term, texts: Mapping[str, Mapping[str, tuple[str, ...]]]) -> tuple[str, ...]:
        if term.name not in texts:
            return (_storable(term.text),)
        tokens = texts[term.name][term.text]
        # While an index key is rotated, a unique value is held under both, or another record could take it.
        return tokens if term.unique else tokens[:1]

    @staticmethod
    def former(key: Key) -> Key:
        """The key under which a merged customer keeps a look-up that its survivor now holds."""
        return Key(_FORMER + key.name, key.value)

    @staticmethod
    def is_external(key: Key) -> bool:
        """Whether a key is one that no other record may hold, such as an external id, or was before a merge."""
        return key.unique or key.name.startswith(_FORMER)

    def index(self, name: str) -> Index:
        """A look-up by its name.

        Raises:
            InvalidFieldError: "find.unknown", listing the look-ups there are.
        """
        index = self.indexes.get(name)
        if index is None:
            raise InvalidFieldError(
                f"{self.kind} has no look-up {name!r}; there are {', '.join(sorted(self.indexes))}", code="find.unknown"
            )
        return index

    def clear_terms(self, record: Record) -> frozenset[tuple[str, str]]:
        """Name and value of the look-ups that a record keeps in clear; nothing is decrypted."""
        obj = self.build(record, self.read(record), fields=self._least)
        return frozenset((key.name, key.value) for key in self.keys(obj) if key.name not in self.blind)

    def query(self, name: str, value: object) -> list[Key]:
        """The keys under which a look-up value may be stored: one, or two while an index key is being rotated.

        Raises:
            InvalidFieldError: "find.unknown", listing the look-ups there are; "find.value".
        """
        index = self.index(name)
        text: str | None = value if isinstance(value, str) else _text(index.text, value)
        normal = index.normalize(text) if text else ""
        if not normal:
            raise InvalidFieldError(
                f"{name} is looked up by text or by the value object that holds it", code="find.value", path=name
            )
        if name in self._blind:
            return [Key(name, token) for token in self._blind[name].tokens(normal)]
        return [Key(name, _storable(normal))]


def _storable(text: str) -> str:
    """A look-up text in clear as a backend can keep it: one that is too long or has a NUL by its hash."""
    if text.isascii() and len(text) <= _LONGEST_KEY and "\0" not in text:
        return text
    data = text.encode("utf-8", "surrogatepass")
    if len(data) <= _LONGEST_KEY and "\0" not in text:
        return text
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _as_it_is(text: str) -> str:
    # Terms and queries are in their look-up form already; a second time would cost as much as the hash.
    return text


def _no_keyring() -> InvalidFieldError:
    return InvalidFieldError("an encrypted collection needs a cipher made of a keyring", code="store.keyring")


def _text(read: Callable[[Any], str | None], value: object) -> str | None:
    try:
        return read(value)
    except AttributeError:
        return None
