"""The table of docs/your-model.md: which networks of other packages trace, and why some do not."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from search_spaces.errors import InvalidInput
from search_spaces.output_files import replace_between, split_at_marks
from search_spaces.traced.targets import find_target, trace_target

BEGIN = "<!-- coverage: made by python -m search_spaces.traced coverage -->"
END = "<!-- end of coverage -->"

TORCHVISION: tuple[tuple[str, str | None], ...] = (
    ("alexnet", None),
    ("convnext_tiny", None),
    ("deeplabv3_resnet50", None),
    ("densenet121", None),
    ("efficientnet_b0", None),
    ("efficientnet_v2_s", None),
    ("fasterrcnn_resnet50_fpn", None),
    ("fcn_resnet50", None),
    ("googlenet", None),
    ("inception_v3", "3x299x299"),
    ("lraspp_mobilenet_v3_large", None),
    ("maxvit_t", None),
    ("mnasnet1_0", None),
    ("mobilenet_v2", None),
    ("mobilenet_v3_small", None),
    ("mvit_v1_b", "3x16x224x224"),
    ("r3d_18", "3x16x112x112"),
    ("raft_small", "3x128x128,3x128x128"),
    ("regnet_x_400mf", None),
    ("regnet_y_400mf", None),
    ("resnet18", None),
    ("resnet50", None),
    ("resnext50_32x4d", None),
    ("s3d", "3x16x224x224"),
    ("shufflenet_v2_x1_0", None),
    ("squeezenet1_1", None),
    ("swin3d_t", "3x16x112x112"),
    ("swin_t", None),
    ("swin_v2_t", None),
    ("vgg11", None),
    ("vit_b_16", None),
    ("wide_resnet50_2", None),
)
"""A network per family, and its input where that is not an image of 224 x 224."""


@dataclass(frozen=True)
class Row:
    """One network's line; ``outcome`` is "traced", "refused" or "does not export"."""

    target: str
    outcome: str
    mode: str
    additions: str
    concatenations: str
    layers: str
    seconds: float
    why: str

    def line(self) -> str:
        """The line in Markdown."""
        numbers = f"{self.additions} | {self.concatenations} | {self.layers} | {self.seconds:.1f}"
        return f"| `{self.target}` | {self.outcome} | {self.mode} | {numbers} | {self.why} |"


HEADING = (
    "| network | outcome | mode | additions | concatenations "
    "| weighted layers | CPU seconds | why |\n"
    "|---|---|---|---:|---:|---:|---:|---|"
)


def list_targets() -> list[tuple[str, str | None]]:
    """(target, input) of a network per family: torchvision's, and timm's where it is installed."""
    found = [(f"torchvision:{name}", shape) for name, shape in TORCHVISION]
    if importlib.util.find_spec("timm") is not None:
        found += [(f"timm:{name}", None) for name in _timm_families()]
    return found


def _timm_families() -> Iterator[str]:
    """The first published network of every module of timm, by name."""
    find_target("timm:resnet18")  # imports timm without its warnings
    models = importlib.import_module("timm.models")
    for module in models.list_modules():
        names = models.list_models(module=module)
        sized = (name for name in names if models.get_pretrained_cfg(name) is not None)
        yield from list(sized)[:1]


def trace_row(target: str, shape: str | None = None) -> Row:
    """Trace one network; the processor's seconds from its making to its graph."""
    started = time.process_time()
    try:
        network = trace_target(target, shape)
    except InvalidInput as refusal:
        why = str(refusal).replace("|", "/")
        outcome = "refused" if "no rule" in why or "recurrent" in why else "does not export"
        return Row(target, outcome, "", "", "", "", time.process_time() - started, why)
    concatenations = network.graph.additions - network.residual_blocks
    return Row(
        target,
        "traced",
        network.mode,
        str(network.residual_blocks),
        str(concatenations),
        str(len(network.layers)),
        time.process_time() - started,
        "",
    )


def make_table(chosen: Sequence[tuple[str, str | None]]) -> Iterator[str]:
    """The table's lines, each as soon as its network is done."""
    yield HEADING
    for target, shape in chosen:
        yield trace_row(target, shape).line()


def write_table(page: Path, lines: Sequence[str]) -> None:
    """Put the table between the page's marks; raises ``InvalidInput`` where it has none."""
    table = "\n".join(lines)
    replace_between(page, BEGIN, END, f"\n\n{table}\n\n")


def read_table(page: Path) -> dict[str, tuple[str, ...]]:
    """The cells of the page's table by target, seconds left out."""
    _, table, _ = split_at_marks(page, BEGIN, END)
    found: dict[str, tuple[str, ...]] = {}
    for line in table.splitlines():
        cells = tuple(cell.strip() for cell in line.strip("|").split("|"))
        if line.startswith("| `"):
            found[cells[0].strip("`")] = (*cells[1:6], *cells[7:])
    return found
