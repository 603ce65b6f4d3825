"""What the chaos tests did and what it cost, counted over the whole run and printed at its end."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Tally:
    """Faults by kind; finished units that were lost or run again; rows, and those that differ."""

    faults: Counter[str] = field(default_factory=Counter)
    finished: int = 0
    lost: int = 0
    runs: int = 0
    twice: int = 0
    rows: int = 0
    differ: int = 0

    def fault(self, kind: str, count: int = 1) -> None:
        """Something was broken on purpose."""
        self.faults[kind] += count

    def kept(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        """Files of finished units before a fault and after recovery: all there, all the same."""
        lost = sum(after.get(name) != identity for name, identity in before.items())
        self.finished += len(before)
        self.lost += lost
        assert not lost

    def noted(self, notes: Path) -> None:
        """A note is left by every unit that starts: was it finished already?"""
        told = [note.read_text() for note in notes.iterdir()]
        twice = told.count("finished")
        self.runs += len(told)
        self.twice += twice
        assert told
        assert not twice

    def same(self, rows: Iterable[dict[str, Any]], undisturbed: Iterable[dict[str, Any]]) -> None:
        """A table beside that of an undisturbed run (NaN equals itself)."""
        found, expected = [*map(repr, rows)], [*map(repr, undisturbed)]
        differ = sum(a != b for a, b in zip(found, expected, strict=False))
        differ += abs(len(found) - len(expected))
        self.rows += len(expected)
        self.differ += differ
        assert expected
        assert not differ

    def add(self, counts: dict[str, Any]) -> None:
        """The counts of another process."""
        for name, count in counts.items():
            setattr(self, name, getattr(self, name) + type(getattr(self, name))(count))

    def lines(self) -> list[str]:
        """The summary."""
        kinds = ", ".join(f"{count} x {kind}" for kind, count in sorted(self.faults.items()))
        return [
            f"{self.faults.total()} faults injected ({kinds})",
            f"{self.lost} units lost of {self.finished} that were finished before a fault",
            f"{self.twice} units run twice in {self.runs} runs of a unit",
            f"{self.differ} rows that differ of {self.rows} compared with undisturbed runs",
        ]


TALLY = Tally()
