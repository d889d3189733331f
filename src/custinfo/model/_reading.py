"""Quick reading of model objects from JSON values that are good.

The `__init__` of a class checks every field, the many that are left out too. What is read here is checked by the same
validators and converters, but only where there is a value: defaults are good by declaration. Whatever raises here is
left to the thorough reading of `_convert`, which alone decides what is wrong, and where.

For each class a function is written and compiled, as attrs does for `__init__` and cattrs for its hooks. That of `Tag`:

    def read(data):
        if type(data) is not dict: check_object(data)
        obj, found = new(cls), 0
        value = data['name']; found += 1
        if not (type(value) is str and len(value) <= 250 and value.isprintable() and value >= '!'):
            value = step_name(value)
        set_name(obj, value)
        if found != len(data): raise LookupError
        return obj
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import attrs

from custinfo.model._check import KEY_LIMIT, key_text, optional_key, optional_text
from custinfo.model._entities import VALUES
from custinfo.model._field import is_tuple, value_object
from custinfo.model._rules import checked

# A value of JSON -> the value of the field; raises some exception where it is not good.
Step = Callable[[Any], Any]

# Short printable text that does not begin with a space is good for each of these validators: printable characters are
# neither NUL nor surrogates, and nothing but spaces and the empty text sorts before "!". The length is that of a key
# whatever the characters are.
_TEXTS = frozenset({key_text, optional_key, optional_text})
_IS_SHORT = f"type(value) is str and len(value) <= {KEY_LIMIT // 4} and value.isprintable() and value >= '!'"


@functools.cache
def quick_reader(cls: type) -> Callable[[Mapping[str, Any]], Any]:
    """A function that makes an object of *cls*, and raises some exception where the data are not good."""
    closed = cls in VALUES
    names: dict[str, Any] = {"cls": cls, "new": object.__new__, "check_object": _mapping, "check_list": _list}
    lines = ["if type(data) is not dict: check_object(data)", "obj, found = new(cls), 0"]
    for field in attrs.fields(cls):
        names[f"set_{field.name}"] = getattr(cls, field.name).__set__
        if field.name != "extra":
            lines += _lines(field, names)
    if closed:
        lines += ["if found != len(data): raise LookupError"]
    else:
        names["unknown_of"] = _unknown_of(cls)
        lines += ["set_extra(obj, {} if found + 1 == len(data) and '$v' in data else unknown_of(data))"]
    finish = getattr(cls, "__attrs_post_init__", None)
    if finish is not None:
        names["finish"] = finish
        lines += ["finish(obj)"]
    source = "\n ".join(["def read(data):", *lines, "return obj"])
    exec(compile(source, f"<reading of {cls.__name__}>", "exec"), names)  # noqa: S102 - made of names of our own fields
    read: Callable[[Mapping[str, Any]], Any] = names["read"]
    return read


def _lines(field: attrs.Attribute[Any], names: dict[str, Any]) -> list[str]:
    """The lines that read one field: a value is checked, a default is taken as it is."""
    name = field.name
    names[f"step_{name}"] = _step(field)
    take = [f"value = step_{name}(value)"]
    if field.validator in _TEXTS and field.converter is None:
        take = [f"if not ({_IS_SHORT}): {take[0]}"]
    elif is_tuple(field.type):
        take = ["if type(value) is not list: check_list(value)", *take]
        inner = value_object(field.type)
        if inner is not None:
            names[f"one_{name}"] = quick_reader(inner)
            take[1] = f"value = step_{name}(tuple([one_{name}(item) for item in value]))"
    take = [f"value = data[{name!r}]; found += 1", *take, f"set_{name}(obj, value)"]
    default: Any = field.default
    if default is attrs.NOTHING:
        return take
    names[f"default_{name}"] = default
    call = ""
    if hasattr(default, "factory"):
        names[f"default_{name}"], call = default.factory, "()"
    left_out = f"else: set_{name}(obj, default_{name}{call})"
    return [f"if {name!r} in data:", *(f" {line}" for line in take), left_out]


def _step(field: attrs.Attribute[Any]) -> Step:
    """How a value of JSON becomes the value of a field; of a tuple, how its members become it."""
    check = _declared(field)
    inner = value_object(field.type)
    if is_tuple(field.type):
        return check
    if inner is not None:
        one = quick_reader(inner)
        return lambda value: check(None if value is None else one(value))
    kinds = getattr(field.type, "__args__", (field.type,))
    if datetime in kinds:
        return _time(check)
    if date in kinds:
        return lambda value: check(None if value is None else date.fromisoformat(value))
    return check


def _time(check: Step) -> Step:
    parse = datetime.fromisoformat

    def read(value: Any) -> Any:
        if value is None:
            return check(None)
        found = parse(value)
        return found if found.tzinfo is UTC else check(found)

    return read


def _declared(field: attrs.Attribute[Any]) -> Step:
    """What the class itself does with a value of the field: its converter, then its validator."""
    converter: Any = field.converter
    if field.validator is None and converter is not None and converter.takes_field and not converter.takes_self:
        convert = converter.converter
        return lambda value: convert(value, field)
    return functools.partial(checked, field)


def _unknown_of(cls: type) -> Step:
    fields = attrs.fields_dict(cls)
    known = fields.keys() - {"extra"} | {"$v"}
    extra: Any = fields["extra"]
    return lambda data: extra.converter({key: data[key] for key in data if key not in known}, None, extra)


def _mapping(value: Any) -> None:
    if not isinstance(value, Mapping):
        raise TypeError


def _list(value: Any) -> None:
    if not isinstance(value, list | tuple):
        raise TypeError
