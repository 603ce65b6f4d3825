"""``study.json``: what a results folder is about, in JSON that any version can read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from search_spaces.errors import InvalidInput

if TYPE_CHECKING:
    from benchmark.plan.stage import Stage
    from benchmark.study import Study

FORMAT: Final = 1


@dataclass(frozen=True)
class StoredStage:
    """A planned stage: its units' ids, or None and how many are expected while it waits."""

    part: str
    kind: str
    name: str
    units: tuple[str, ...] | None
    expected: int


def manifest(study: Study, stages: Sequence[Stage]) -> dict[str, Any]:
    """The manifest of a study and its plan."""
    parts = [{"kind": part.kind} | asdict(part) for part in study.parts]
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
            for stage in stages
        ],
    }


def stages(manifest: dict[str, Any]) -> tuple[StoredStage, ...]:
    """The stages of a manifest; raises ``InvalidInput`` where a newer version wrote it."""
    if manifest["format"] != FORMAT:
        raise InvalidInput(
            f"study.json has format {manifest['format']}, and this version reads {FORMAT}; "
            "upgrade before reading these results"
        )
    return tuple(
        StoredStage(**{**stage, "units": None if stage["units"] is None else tuple(stage["units"])})
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
