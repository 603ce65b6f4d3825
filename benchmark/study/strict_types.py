"""Values of the declared type or one sentence: pydantic's strict checks, raised as InvalidInput.

An int given for a float becomes a float and -0.0 becomes 0.0, so that equal values have one
canonical JSON, and so one unit id. Nothing else is converted.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, ConfigDict, TypeAdapter, ValidationError

from search_spaces.errors import InvalidInput

CONFIG: Final = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

Float = Annotated[float, AfterValidator(lambda value: value + 0.0)]
"""A finite float, without the sign of a zero."""

Class = TypeVar("Class")


def raise_invalid_input(owner: str) -> Callable[[type[Class]], type[Class]]:
    """Make a pydantic dataclass raise ``InvalidInput``, where ``owner`` says what it is."""

    def decorate(kind: type[Class]) -> type[Class]:
        construct: Callable[..., None] = kind.__init__

        @wraps(construct)
        def initialize(self: Class, *arguments: Any, **values: Any) -> None:
            try:
                construct(self, *arguments, **values)
            except ValidationError as error:
                raise InvalidInput(describe_error(owner, error)) from error

        kind.__init__ = initialize  # type: ignore[assignment]
        return kind

    return decorate


def convert_value(owner: str, kind: Any, value: Any) -> Any:
    """``value`` as the declared type ``kind``.

    Raises ``InvalidInput`` naming ``owner`` where it is of another type.
    """
    try:
        return type_adapter(kind).validate_python(value)
    except ValidationError as error:
        raise InvalidInput(describe_error(owner, error)) from error


@lru_cache(maxsize=256)
def type_adapter(kind: Any) -> TypeAdapter[Any]:
    """The check of a declared type."""
    return TypeAdapter(Float if kind is float else kind, config=CONFIG)


def describe_error(owner: str, error: ValidationError) -> str:
    """The first error as a sentence: the field, what was given and what it should be."""
    first = error.errors()[0]
    own = first.get("ctx", {}).get("error")
    if own is not None:  # raised by a check of our own, which wrote the sentence
        return str(own)
    name, *items = first["loc"] or ("",)
    if first["type"] == "unexpected_keyword_argument":
        return f"{owner} {name} does not exist; leave it out or correct its name"
    place = f"{owner} {name}" if isinstance(name, str) and name else owner
    if isinstance(name, int):
        items = [name, *items]
    place += "".join(f"[{item}]" for item in items if isinstance(item, int))
    message = first["msg"].removeprefix("Input ")
    return f"{place}={first['input']!r} {message}".replace("a valid integer", "a whole number")
