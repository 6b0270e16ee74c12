"""JSON Schemas as clients want them: flat, without pydantic's titles, references and nulls."""

from typing import Any, cast

Schema = dict[str, Any]


def simplify(schema: Schema) -> Schema:
    """Return the schema without titles, with references resolved, and null alternatives left out.

    A null means "not given" to this server, and many clients stumble over a union or a reference.
    """
    return _Tidier(schema.get("$defs", {})).tidy(schema)


class _Tidier:
    def __init__(self, definitions: Schema) -> None:
        self._definitions = definitions

    def tidy(self, schema: Schema) -> Schema:
        return {
            key: self._value(key, value)
            for key, value in self._plain(schema).items()
            if not (key == "$defs" or (key == "title" and isinstance(value, str)))
            and not (key == "default" and value is None)
        }

    def _plain(self, schema: Schema) -> Schema:
        """Put what a reference, or the one alternative beside null, stands for in its place."""
        if ref := schema.get("$ref"):
            meant, rest = self._definitions[ref.removeprefix("#/$defs/")], _without(schema, "$ref")
        elif len(options := [one for one in schema.get("anyOf", []) if one != {"type": "null"}]) == 1:
            meant, rest = options[0], _without(schema, "anyOf")
        else:
            return schema
        return self._plain({**meant, **rest})

    def _value(self, key: str, value: object) -> object:
        if key == "properties":
            return {name: self.tidy(one) for name, one in cast("dict[str, Schema]", value).items()}
        return self.tidy(cast("Schema", value)) if isinstance(value, dict) else value


def _without(schema: Schema, key: str) -> Schema:
    return {name: value for name, value in schema.items() if name != key}
