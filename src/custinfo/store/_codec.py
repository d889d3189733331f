"""Model objects as records with look-up keys, and back: codec, field encryption and blind indexes in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import attrs

from custinfo.errors import InvalidFieldError, KeyDestroyedError
from custinfo.model import Index, fields_of, from_dict, indexes_of, kind_of, lookup_terms, personal_fields, to_dict
from custinfo.store._payload import pack, unpack
from custinfo.store._protocol import Key, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.crypto import BlindIndex, FieldCipher

T = TypeVar("T")
_TOKEN_BITS = 256
_FORMER = "former."
_VERSIONED = ("version",)


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
        self.cls: Any = cls
        self.kind = kind_of(cls)
        self.cipher = cipher
        self.indexes = indexes_of(self.cls)
        names = {attribute.name for attribute in attrs.fields(self.cls)}
        self.clear = frozenset(names - personal_fields(self.cls) - set(_VERSIONED)) | {"$v"}
        self._blind = {name: self._blind_index(index) for name, index in self.indexes.items() if index.blind and cipher}

    def _blind_index(self, index: Index) -> BlindIndex:
        from custinfo.crypto import BlindIndex

        keyring = self.cipher.keyring if self.cipher else None
        if keyring is None:
            raise InvalidFieldError("look-ups need a cipher made of a keyring", code="store.keyring")
        return BlindIndex(keyring, f"{self.kind}.{index.name}", normalize=index.normalize, bits=_TOKEN_BITS)

    def seal(self, objects: Sequence[T], subjects: Sequence[str]) -> list[Sealed]:
        """Records and keys of objects, encrypted under the keys of their subjects."""
        clear: list[dict[str, Any]] = []
        secret: list[tuple[str, str | None, Mapping[str, object]]] = []
        for obj, subject in zip(objects, subjects, strict=True):
            data = to_dict(obj)
            data.pop("version", None)
            clear.append({name: value for name, value in data.items() if name in self.clear or not self.cipher})
            hidden = {name: value for name, value in data.items() if name not in self.clear} if self.cipher else {}
            secret.append((data["id"], subject, hidden))
        tokens = self._encrypt(secret)
        return [
            Sealed(
                Record(self.kind, row[0], 0, pack(head, tokens[place], subject=row[1])),
                self.keys(obj),
            )
            for place, (obj, head, row) in enumerate(zip(objects, clear, secret, strict=True))
        ]

    def _encrypt(self, rows: list[tuple[str, str | None, Mapping[str, object]]]) -> list[dict[str, bytes]]:
        tokens: list[dict[str, bytes]] = [{} for _ in rows]
        filled = [place for place, row in enumerate(rows) if row[2]]
        if self.cipher is not None and filled:
            made = self.cipher.encrypt_records([rows[place] for place in filled], entity=self.kind)
            for place, token in zip(filled, made, strict=True):
                tokens[place] = token
        return tokens

    def open(self, record: Record, *, fields: Iterable[str] | None = None) -> T:
        """The object of a record; of its personal fields only *fields* are decrypted, where given.

        Fields whose key was shredded come back empty.
        """
        clear, tokens, subject = unpack(record.data)
        if fields is not None:
            wanted = frozenset(fields)
            tokens = {name: token for name, token in tokens.items() if name in wanted}
            clear = {name: value for name, value in clear.items() if name in wanted or name in self.clear}
        obj: T = from_dict({**clear, **self._decrypt(record.id, tokens, subject), "version": record.version})
        return obj

    def _decrypt(self, record_id: str, tokens: Mapping[str, bytes], subject: str | None) -> dict[str, Any]:
        if not tokens:
            return {}
        if self.cipher is None:
            raise InvalidFieldError(
                "the record is encrypted and this collection has no cipher; give it the keyring", code="store.cipher"
            )
        try:
            return self.cipher.decrypt_record(tokens, entity=self.kind, record=record_id, subject=subject)
        except KeyDestroyedError:
            return {}

    def field_of(self, index: str) -> str:
        """The top-level field that a look-up reads."""
        return next(
            info.path.partition(".")[0].removesuffix("[]") for info in fields_of(self.cls) if info.index == index
        )

    @staticmethod
    def clear_fields(record: Record) -> dict[str, Any]:
        """The fields of a record that are stored in clear, as JSON values; fields at their default are absent."""
        return unpack(record.data)[0]

    @staticmethod
    def subject(record: Record) -> str | None:
        """The data subject under whose key a record is encrypted, or None where nothing in it is."""
        return unpack(record.data)[2]

    def keys(self, obj: T) -> list[Key]:
        """Look-up keys of an object; a merged customer keeps none that is unique, they are its survivor's."""
        merged = getattr(obj, "merged_into", None) is not None
        keys: list[Key] = []
        for term in lookup_terms(obj):
            value = self._blind[term.name].token(term.text) if term.name in self._blind else term.text
            key = Key(term.name, value, unique=term.unique)
            keys.append(self.former(key) if merged and term.unique else key)
        return keys

    @staticmethod
    def former(key: Key) -> Key:
        """The key under which a merged customer keeps a look-up that its survivor now holds."""
        return Key(_FORMER + key.name, key.value)

    def query(self, name: str, value: object) -> list[Key]:
        """The keys under which a look-up value may be stored: one, or two while an index key is being rotated.

        Raises:
            InvalidFieldError: "find.unknown", listing the look-ups there are; "find.value".
        """
        index = self.indexes.get(name)
        if index is None:
            raise InvalidFieldError(
                f"{self.kind} has no look-up {name!r}; there are {', '.join(sorted(self.indexes))}", code="find.unknown"
            )
        text: str | None = value if isinstance(value, str) else _text(index.text, value)
        if not text:
            raise InvalidFieldError(
                f"{name} is looked up by text or by the value object that holds it", code="find.value", path=name
            )
        if name in self._blind:
            return [Key(name, token) for token in self._blind[name].tokens(text)]
        return [Key(name, index.normalize(text))]


def _text(read: Callable[[Any], str | None], value: object) -> str | None:
    try:
        return read(value)
    except AttributeError:
        return None
