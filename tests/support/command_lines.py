"""How every command is called: its arguments, plain values of them, and odd ones to try."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from benchmark.command import COMMANDS
from support.any_input import EXTREMES, NUMBERS, PATHS, TEXTS, WRITTEN

DATA = (
    *("npz:", "npz:x.npz", "npz:/dev/null", "npz:.", "npz:\n", "imagefolder:", "imagefolder:."),
    *("imagefolder:.?size=0", "imagefolder:.?size=nan", "imagefolder:.?size=99999999999999999999"),
    *("imagefolder:~?size=8", "synthetic", "synthetic:", "synthetic:nan", "cifar10", "digits"),
    *("digits?size=8", "imagenet16-120", "npz:~nobody/x.npz", "npz:http://[", "a" * 5000),
)
NETWORKS = (
    *("mlp-2", "mlp-0", "mlp--1", "mlp-99999999999999999999", "6111", "99999999", "-1", "resnet-"),
    *(
        "torchvision:",
        "torchvision:nosuch",
        "timm:x",
        "nosuch:x",
        "math:pi",
        "os:getcwd",
        ":",
        "::",
    ),
    *("torch.nn:Linear", "torch.nn:Linear?in_features=nan&out_features=3", "builtins:exit"),
    *("torch.nn:Linear?in_features=3&out_features=99999999999999", "torch.nn:Flatten?x", "json:x"),
    *("|nor_conv_3x3~0|", "2_02_002_0002", "2_02_002_9", "\N{GREEK SMALL LETTER ALPHA}-2"),
)
SHAPES = (
    "3x8x8",
    "0",
    "3x",
    "x",
    "tokens:",
    "tokens:0",
    "tokens:4",
    "999999x999999x999999",
    "3x8x8,",
)


@dataclass(frozen=True)
class Slot:
    """An argument: ``option`` is empty for a positional one, ``plain`` the value that is fine.

    None leaves it out."""

    option: str
    plain: str | None
    odd: tuple[str, ...]

    def typed(self, value: str) -> list[str]:
        return [f"{self.option}={value}"] if self.option else [value]


SMALL_STUDY = "small_study"
"""In place of a module: ``job.main`` of ``support.small_study``."""


class Line(NamedTuple):
    """The module of ``main``, the words that come first, and the arguments."""

    module: str
    words: tuple[str, ...]
    slots: tuple[Slot, ...]


RESULTS = Slot("", "RESULTS", PATHS)
OUT = Slot("--out", "written/here", WRITTEN)
WIDTHS = ("width=0", "width=nan", "=", "x=1", "width=", f"width={10**20}")
FILES_WRITTEN = (*WRITTEN, *(f"{path}.csv" for path in WRITTEN), ".csv", "..csv")
RULES = (*TEXTS, "shuffled:", ":", "mup*mup", "nosuch", "path-cubed:nosuch")
SPACE = "search_spaces.__main__"


def command(name: str, *slots: Slot, words: tuple[str, ...] = ()) -> Line:
    return Line(COMMANDS[name][0], words, slots)


COMMAND_LINES = {
    "report": command(
        "report",
        *(RESULTS, OUT, Slot("--published", None, PATHS), Slot("--against", None, PATHS)),
    ),
    "status": command("status", RESULTS, Slot("--json", None, TEXTS)),
    "compact": command("compact", RESULTS),
    "merge": command("merge", RESULTS, RESULTS, OUT),
    "export": command(
        "export",
        RESULTS,
        Slot("--out", "written.csv", FILES_WRITTEN),
        Slot("--to", None, ("tensorboard", "nosuch", "csv")),
        Slot("--part", None, TEXTS),
    ),
    "rate": command(
        "rate",
        Slot("", "mlp-4", NETWORKS),
        Slot("--base", "mlp-2", NETWORKS),
        Slot("--base-rate", "0.1", (*NUMBERS, *TEXTS)),
        Slot("--optimizer", None, ("adamw", "x")),
        Slot("--rule", None, RULES),
        Slot("--input", None, SHAPES),
        Slot("--reports", "no-reports", PATHS),
    ),
    "reference": command(
        "reference",
        Slot("", "studies", PATHS),
        Slot("--example", "example", PATHS),
        Slot("--findings", "written/findings.md", WRITTEN),
        Slot("--readme", "readme.md", WRITTEN),
        Slot("--root", None, PATHS),
    ),
    "published": command("published", Slot("", "records", PATHS), OUT),
    "datasets": command(
        "datasets", Slot("", "digits", (*DATA, *NUMBERS, *PATHS)), words=("check",)
    ),
    "speed": command(
        "speed", Slot("--out", "written.parquet", WRITTEN), Slot("--quick", None, TEXTS)
    ),
    "overhead": command(
        "overhead",
        Slot("--units", "10", NUMBERS),
        Slot("--workers", None, NUMBERS),
        Slot("--nodes", None, NUMBERS),
        Slot("--out", None, WRITTEN),
    ),
    "power": Line(
        SMALL_STUDY,
        (),
        (Slot("--power", "0", (*NUMBERS, "")), Slot("--seeds", None, EXTREMES)),
    ),
    "describe": Line(
        SPACE,
        ("describe",),
        (
            Slot("", "mlp-2", (*NETWORKS, *NUMBERS, *TEXTS)),
            Slot("--input", None, SHAPES),
            Slot("--role", None, ("=", "a=", "=body", "a=body")),
            Slot("--space", None, TEXTS),
            Slot("--svg", None, WRITTEN),
            Slot("--option", None, WIDTHS),
        ),
    ),
    "export of a space": Line(
        SPACE,
        ("export",),
        (
            Slot("", "mlp", (*TEXTS, *NUMBERS)),
            Slot("--out", "written.parquet", WRITTEN),
            Slot("--option", None, WIDTHS),
        ),
    ),
    "coverage": Line(
        "search_spaces.traced.__main__",
        ("coverage",),
        (Slot("", "torch.nn:Linear", NETWORKS), Slot("--out", "page.md", WRITTEN)),
    ),
}


def list_lines(name: str) -> Iterator[list[tuple[Slot, str | None]]]:
    """The plain line, and every line that differs from it in one argument."""
    slots = COMMAND_LINES[name].slots
    for changed in range(len(slots)):
        for value in dict.fromkeys(slots[changed].odd):
            yield [
                (slot, value if place == changed else slot.plain)
                for place, slot in enumerate(slots)
            ]
