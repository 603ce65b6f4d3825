"""``python -m search_spaces list | describe ARCH | export SPACE --out FILE.parquet``."""

from __future__ import annotations

import argparse
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from search_spaces.command import Parser, entry_point, local_path
from search_spaces.conventions import CONVENTIONS
from search_spaces.errors import InvalidInput
from search_spaces.output_files import make_output
from search_spaces.registry import create, names
from search_spaces.show.describe import describe
from search_spaces.show.export import export
from search_spaces.show.installed_rules import load
from search_spaces.show.resolve import read_options, resolve


def _parser() -> Parser:
    parser = Parser(
        prog="python -m search_spaces", description="Architectures, and what depth is in them."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the spaces and the conventions there are")
    one = commands.add_parser("describe", help="one architecture explained")
    one.add_argument(
        "architecture",
        help="cell string, index, code or rung (6111, resnet-8), or a network of another package: "
        "torchvision:resnet50, timm:NAME, package.module:factory?depth=24",
    )
    one.add_argument("--input", metavar="SHAPE", help="such a network's: 3x224x224, tokens:128")
    one.add_argument(
        "--role", action="append", default=[], metavar="LAYER=ROLE", help="choose a layer's role"
    )
    one.add_argument("--space", help="the space, where the name alone does not tell")
    one.add_argument(
        "--svg", type=local_path, metavar="FILE", help="draw the graph into FILE as well"
    )
    table = commands.add_parser("export", help="a space as a Parquet table")
    table.add_argument("space", help="such as nasbench201")
    table.add_argument("--out", type=local_path, required=True, metavar="FILE.parquet")
    for command in (one, table):
        command.add_argument(
            "--option", action="append", default=[], metavar="KEY=VALUE", help="such as kernel=5"
        )
    return parser


def _list() -> None:
    for name in names():
        space = create(name)
        rows = space.architectures()
        options = repr(space).partition("(")[2].rstrip(")")
        print(f"{name}: {len(rows)} architectures, base {space.base_architecture}")
        print(textwrap.fill(options, 76, initial_indent="    ", subsequent_indent="    "))
    print("\nConventions of depth")
    for convention in CONVENTIONS.values():
        print(f"\n{convention.name} ({convention.scope}; {convention.source})")
        print(textwrap.fill(convention.counts, 76, initial_indent="    ", subsequent_indent="    "))


def _export(name: str, options: Sequence[str], out: Path) -> None:
    space = create(name, **read_options(options))
    # Imports are not computing: neither the rules' nor pandas, which pyarrow's first array brings.
    load()
    pa.array([0])
    started = time.perf_counter()
    table = export(space)
    computed = time.perf_counter()
    _require_folder(out)
    make_output(out, lambda draft: write_table(table, draft))
    written = time.perf_counter()
    print(
        f"{out}: {table.num_rows} rows, {table.num_columns} columns; computed in "
        f"{computed - started:.2f} s, written in {written - computed:.2f} s"
    )


def write_table(table: pa.Table, file: Path) -> None:
    with file.open("wb") as stream:  # a bare path could be taken for the URI of a remote storage
        pq.write_table(table, stream, write_page_checksum=True)


def _describe_target(asked: argparse.Namespace) -> bool:
    """Describe a network of another package; False where the text names none."""
    from search_spaces.show.describe_traced import describe_traced  # which import torch
    from search_spaces.traced.targets import is_target, read_roles, trace_target

    if not is_target(asked.architecture):
        return False
    network = trace_target(asked.architecture, asked.input, read_roles(asked.role))
    describe_traced(network, Console(), asked.svg)
    return True


def _require_folder(file: Path) -> None:
    if not file.parent.is_dir():
        raise InvalidInput(f"there is no folder {file.parent}; make it, or write elsewhere")


@entry_point
def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0, or 2 after one sentence about what was wrong."""
    asked = _parser().parse_args(arguments)
    if asked.command == "list":
        _list()
    elif asked.command == "export":
        _export(asked.space, asked.option, asked.out)
    else:
        if asked.svg is not None:
            _require_folder(asked.svg)
        if ":" in asked.architecture and _describe_target(asked):
            return 0
        space, architecture = resolve(asked.architecture, asked.space, asked.option)
        describe(space, architecture, Console(), asked.svg)
    return 0


if __name__ == "__main__":
    sys.exit(main())
