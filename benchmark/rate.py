"""``python -m benchmark.rate TARGET --base BASE --base-rate RATE``: a rate for another network.

Every rule's rate for TARGET where RATE was tuned on BASE, with what else makes it valid, and what
committed studies found of that rule on networks of this kind.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmark.command import Parser, entry_point
from search_spaces.errors import InvalidInput

if TYPE_CHECKING:
    from benchmark.findings.evidence import Evidence
    from benchmark.models.network import Network
    from benchmark.models.rates import Prescription

REPORTS: Final = Path(__file__).parents[1] / "reports"
SIDES: Final = {"yes": "yes", "no": "no", "undetermined": "cannot tell"}


@entry_point
def main(arguments: Sequence[str] | None = None) -> int:
    """Print the rates and the evidence; 0, or 2 for bad input."""
    parser = Parser(prog="python -m benchmark.rate", description=__doc__)
    forms = "resnet-48, torchvision:resnet50, timm:NAME or package.module:factory?depth=48"
    parser.add_argument("target", help=f"the network that needs a rate: {forms}")
    parser.add_argument("--base", required=True, help="the network whose rate was tuned")
    parser.add_argument("--base-rate", required=True, type=float, metavar="RATE")
    parser.add_argument("--optimizer", choices=("sgd", "adamw"), default="sgd")
    parser.add_argument(
        "--rule", action="append", metavar="NAME", help="this rule alone; may be given again"
    )
    parser.add_argument(
        "--role",
        action="append",
        default=[],
        metavar="LAYER=ROLE",
        help="choose the role of a layer of the target, as search_spaces describe lists them",
    )
    parser.add_argument(
        "--base-role", action="append", default=[], metavar="LAYER=ROLE", help="of the base"
    )
    parser.add_argument("--input", metavar="SHAPE", help="such as 3x224x224 or tokens:128")
    parser.add_argument(
        "--reports",
        type=Path,
        help="the folder of committed studies (default: that of the repository, where it is here)",
    )
    asked = parser.parse_args(arguments)
    from benchmark.findings.evidence import find_evidence, load_committed, say_supported
    from benchmark.models.network import find_network  # loads what traces networks
    from benchmark.models.rates import find_both, list_rules, rates

    if asked.reports is not None and not asked.reports.is_dir():
        raise InvalidInput(f"there is no folder {asked.reports}; give --reports another one")
    reports = asked.reports or REPORTS
    target, base = find_both(
        find_network(asked.target, asked.input, asked.role),
        find_network(asked.base, asked.input, asked.base_role),
    )
    found = rates(target, base, asked.base_rate, optimizer=asked.optimizer, rules=asked.rule)
    about = f"{target.kind} networks trained by {asked.optimizer}"
    for line in describe_networks(target, base, asked.optimizer, asked.base_rate):
        print(line)
    for line in tabulate_rates(found, asked.base_rate):
        print(line)
    undefined = set(list_rules(asked.optimizer)) - set(found)
    if asked.rule is None and undefined:
        print(f"\nUndefined for one of the two, where they count 0: {', '.join(sorted(undefined))}")
    if not reports.is_dir():
        print(
            f"\nNo committed studies are installed here, so there is no evidence on {about}; give "
            "--reports the folder reports of this project's repository."
        )
        return 0
    evidence = find_evidence(load_committed(reports), target.kind, asked.optimizer)
    print(f"\nEvidence on {about}\n")
    for line in list_evidence(evidence, list(found)):
        print(line)
    print(f"\n{say_supported(evidence, list(found), about)}")
    return 0


def describe_networks(target: Network, base: Network, optimizer: str, rate: float) -> Iterator[str]:
    """Both networks, and whether the base is the deeper."""
    from benchmark.models.rates import find_depth

    yield f"{target.name} from {base.name}, where {optimizer} was tuned to {rate:g}"
    yield "network: kind, residual additions, layers and additions on the shortest path, width"
    for each in (target, base):
        topology = each.topology
        yield (
            f"  {each.name}: {each.kind}, {topology.residual_blocks}, {find_depth(each)}, "
            f"{topology.width}"
        )
    if find_depth(base) > find_depth(target):
        yield "The base is deeper than the target: rules of depth raise its rate."


def tabulate_rates(found: Mapping[str, Prescription], base_rate: float) -> Iterator[str]:
    """A row per rule: the rate, and what it holds with."""
    yield ""
    rows = [("rule", "rate", "times", "initialization", "branch", "factors of groups")]
    for name, each in found.items():
        factors = ", ".join(f"{group} x{factor:.3g}" for group, factor in each.bundle.factors)
        rows.append((
            name,
            f"{each.rate:.3g}",
            f"{each.rate / base_rate:.3g}",
            each.bundle.initialization,
            f"{each.bundle.branch_multiplier:.3g}",
            factors or "-",
        ))  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield "  ".join([*cells, row[-1]]).rstrip()


def list_evidence(evidence: Sequence[Evidence], names: Sequence[str]) -> Iterator[str]:
    """What was found of each rule, rule by rule; those of no study last."""
    for name in names:
        for each in evidence:
            if each.rule == name:
                side = SIDES[each.answer] if each.current else "its numbers have changed since"
                yield f"{name}: {each.study}, {each.part} ({each.about}): {side}. {each.found}"
    untested = [name for name in names if name not in {each.rule for each in evidence}]
    if untested:
        yield f"not tested: {', '.join(untested)}"


if __name__ == "__main__":
    sys.exit(main())
