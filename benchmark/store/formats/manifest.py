"""``study.json``: what a results folder is about, in JSON that any version can read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final

from benchmark.store.folder.seal import Corrupt, decode_json, encode_json
from benchmark.study.stage import Stage
from search_spaces.errors import InvalidInput

if TYPE_CHECKING:
    from benchmark.study import Study
    from benchmark.study.unit import Unit

FORMAT: Final = 1


def make_manifest(study: Study, stages: Iterable[Stage[Unit]], command: str = "") -> dict[str, Any]:
    """The manifest of a study and its plan, and the command that asked for it where there was one.

    Data sets have the labels of the planned units: no path of the user's is in the results.
    """
    planned = tuple(stages)
    labels = {stage.part: unit.dataset for stage in planned for unit in stage.units or ()}
    parts = [
        {"kind": part.kind} | asdict(part) | {"dataset": labels.get(part.name, part.dataset)}
        for part in study.parts
    ]
    return {
        "format": FORMAT,
        "study": {"name": study.name, "question": study.question, "parts": parts},
        "stages": [
            {
                "part": stage.part,
                "kind": stage.kind,
                "name": stage.name,
                "units": None if stage.units is None else [unit.id for unit in stage.units],
                "expected": stage.expected,
            }
            for stage in planned
        ],
    } | ({"command": command} if command else {})


def encode_manifest(manifest: dict[str, Any]) -> bytes:
    """The sealed file of a manifest."""
    return encode_json(manifest)


def decode_manifest(data: bytes) -> dict[str, Any]:
    """A manifest read back; raises ``Corrupt``, or ``InvalidInput`` where a newer version wrote it.

    Manifests of earlier versions have no seal; their shape is checked as well.
    """
    content = decode_json(data)
    number = content.get("format")
    if type(number) is int and number > FORMAT:
        raise InvalidInput(
            f"study.json has format {number}, and this version reads {FORMAT}; "
            "upgrade before reading these results"
        )
    if number != FORMAT or content.keys() - {"command"} != {"format", "study", "stages"}:
        raise Corrupt("no manifest")
    if not isinstance(content.get("command", ""), str):
        raise Corrupt("a command that is no text")
    if not (is_study(content["study"]) and is_list_of(content["stages"], is_stage)):
        raise Corrupt("a manifest of another shape")
    return content


def is_study(content: Any) -> bool:
    """Whether this is what a manifest says of a study."""
    return (
        isinstance(content, dict)
        and content.keys() == {"name", "question", "parts"}
        and isinstance(content["name"], str)
        and isinstance(content["question"], str)
        and is_list_of(
            content["parts"],
            lambda part: (
                isinstance(part, dict)
                and isinstance(part.get("kind"), str)
                and isinstance(part.get("name"), str)
            ),
        )
    )


def is_stage(content: Any) -> bool:
    """Whether this is what a manifest says of a stage."""
    return (
        isinstance(content, dict)
        and content.keys() == {field.name for field in fields(Stage)}
        and all(isinstance(content[name], str) for name in ("part", "kind", "name"))
        and type(content["expected"]) is int
        and (
            content["units"] is None
            or is_list_of(content["units"], lambda unit: isinstance(unit, str))
        )
    )


def is_list_of(content: Any, fits: Callable[[Any], bool]) -> bool:
    """Whether this is a list, each of whose items fits."""
    return isinstance(content, list) and all(map(fits, content))


def read_stages(manifest: dict[str, Any]) -> tuple[Stage[str], ...]:
    """The stages of a manifest."""
    return tuple(
        Stage(**{**stage, "units": None if stage["units"] is None else tuple(stage["units"])})
        for stage in manifest["stages"]
    )


def same_study(manifest: dict[str, Any], name: str, place: str) -> None:
    """Raise ``InvalidInput`` where a manifest is another study's."""
    stored = manifest["study"]["name"]
    if stored != name:
        raise InvalidInput(
            f"{place} holds the results of study {stored!r}, not of {name!r}; "
            "name another folder with --out"
        )
