"""Fields of your own: declared once, checked, and stored in clear only where they are declared not personal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError, InvalidRecordError
from custinfo.model._custom_field import CustomField, declared, read_declared
from custinfo.model._customer import Customer
from custinfo.model._rules import fault, list_of, must_be


def _by_name(fields: Iterable[CustomField] | Mapping[str, CustomField]) -> Mapping[str, CustomField]:
    members: list[CustomField] = list_of(
        CustomField, fields.values() if isinstance(fields, Mapping) else fields, "fields"
    )
    by_name = {field.name: field for field in members}
    if len(by_name) < len(members):
        raise fault("custom.repeated", "fields", "two custom fields have one name; rename one")
    return MappingProxyType(by_name)


@attrs.frozen
class CustomFields:
    """The fields of your own that customers have, in one version.

    Personal values lie in `Customer.custom`, the others in `Customer.custom_plain`, as JSON values; this class puts
    them there and gets them back. A book knows nothing of it: what is declared here is for you to keep, for instance
    as `to_dict`.

    Args:
        fields: each name once.
        version: of the declarations, 1 or more.

    Raises:
        InvalidFieldError: "custom.repeated", "custom.version", "field.type".

    >>> from custinfo.model import Customer
    >>> fields = CustomFields([CustomField("fleet_size", int, pii=False), CustomField("allergy", str)])
    >>> customer = fields.put(Customer(id="c1"), fleet_size=12, allergy="nuts")
    >>> customer.custom_plain, fields.get(customer)
    ({'fleet_size': 12}, {'fleet_size': 12, 'allergy': 'nuts'})
    """

    fields: Mapping[str, CustomField] = attrs.field(converter=_by_name, hash=False)
    version: int = attrs.field(default=1, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if type(self.version) is not int or self.version < 1:
            raise fault("custom.version", "version", "the version must be a whole number from 1 on")

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy for another process: a mapping that cannot be changed cannot be pickled either."""
        return type(self).from_dict, (self.to_dict(),)

    def put(self, customer: Customer, /, **values: Any) -> Customer:
        """The customer with values set; None takes a value away.

        Raises:
            InvalidFieldError: "field.type" where it is no customer.
            InvalidRecordError: its members have the name as path and the code "custom.unknown", "custom.value",
                "custom.choice" or "text.*".
        """
        must_be(Customer, customer, "customer")
        stored = {True: dict(customer.custom), False: dict(customer.custom_plain)}
        faults: list[InvalidFieldError] = []
        for name, value in values.items():
            try:
                field = self._field(name)
                # Where it lay under an older declaration it must not stay.
                for place in stored.values():
                    place.pop(name, None)
                if value is not None:
                    stored[field.pii][name] = field.write(value)
                    if not field.allows(value):
                        raise fault("custom.choice", name, f"{name} must be one of its choices")
            except InvalidFieldError as error:
                faults.append(error)
        if faults:
            raise _refused(faults)
        return attrs.evolve(customer, custom=stored[True], custom_plain=stored[False])

    def get(self, customer: Customer) -> dict[str, Any]:
        """The values of a customer by name, in the order of the declarations; those without a value are left out.

        Values of names that are not declared are left out too; they stay on the customer.

        Raises:
            InvalidRecordError: a value is not of its type ("custom.value").
        """
        values, faults = self._read(customer)
        if faults:
            raise _refused(faults)
        return values

    def check(self, customer: Customer) -> None:
        """Check all that a customer has: types, choices, required ones, and that no personal value lies in clear.

        Raises:
            InvalidRecordError: its members have the name as path and the code "custom.value", "custom.choice",
                "custom.required", "custom.unknown" or "custom.personal".
        """
        values, faults = self._read(customer)
        for name, field in self.fields.items():
            if name in values and not field.allows(values[name]):
                faults.append(fault("custom.choice", name, f"{name} must be one of its choices"))
            if field.required and name not in customer.custom and name not in customer.custom_plain:
                faults.append(fault("custom.required", name, f"{name} must have a value"))
            if field.pii and name in customer.custom_plain:
                faults.append(fault("custom.personal", name, f"{name} is personal and lies in clear; put it again"))
        unknown = {*customer.custom, *customer.custom_plain} - self.fields.keys()
        if unknown:
            message = f"{len(unknown)} values have names that are not declared; declare them, or take them away"
            faults.append(fault("custom.unknown", "custom", message))
        if faults:
            raise _refused(faults)

    def _read(self, customer: Customer) -> tuple[dict[str, Any], list[InvalidFieldError]]:
        must_be(Customer, customer, "customer")
        stored = {**customer.custom_plain, **customer.custom}
        values: dict[str, Any] = {}
        faults: list[InvalidFieldError] = []
        for name, field in self.fields.items():
            if name in stored:
                try:
                    values[name] = field.read(stored[name])
                except InvalidFieldError as error:
                    faults.append(error)
        return values, faults

    def _field(self, name: str) -> CustomField:
        try:
            return self.fields[name]
        except KeyError:
            known = ", ".join(self.fields) or "none"
            raise fault("custom.unknown", "custom", f"a field is not declared; there are {known}") from None

    def succeeds(self, earlier: CustomFields) -> None:
        """Check that what *earlier* wrote can be read by this version.

        Raises:
            InvalidFieldError: "custom.version" where this one is not newer; "custom.incompatible", with the name as
                path, where a field has another type, or is personal no more: its values would move into the clear.
        """
        must_be(CustomFields, earlier, "earlier")
        if self.version <= earlier.version:
            raise fault("custom.version", "version", f"the version must be above {earlier.version}")
        for name, field in self.fields.items():
            former = earlier.fields.get(name)
            if former is not None and (former.type is not field.type or (former.pii and not field.pii)):
                message = f"{name} has another type or is personal no more; give the new field another name"
                raise fault("custom.incompatible", name, message)

    def to_dict(self) -> dict[str, Any]:
        """The declarations as JSON values.

        >>> from datetime import date
        >>> CustomFields([CustomField("vip_since", date)]).to_dict()
        {'version': 1, 'fields': [{'name': 'vip_since', 'type': 'date'}]}
        """
        return {"version": self.version, "fields": [declared(field) for field in self.fields.values()]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CustomFields:
        """The declarations of JSON values that `to_dict` made.

        Raises:
            InvalidFieldError: "custom.json", and what the declarations break.
            SchemaVersionError: a field has a type or a key that this release does not know.
        """
        try:
            fields = [dict(one) for one in data["fields"]]
            version = data["version"]
        except (KeyError, TypeError, ValueError):
            raise fault(
                "custom.json", "fields", "these are no declarations of custom fields; pass what to_dict() gave"
            ) from None
        return cls([read_declared(one) for one in fields], version=version)


def _refused(faults: list[InvalidFieldError]) -> InvalidRecordError:
    named = ", ".join(f"{one.path} ({one.code})" for one in faults[:5])
    return InvalidRecordError(f"the custom fields do not fit their declarations; mend {named}", faults)
