"""What changed since an older run: which conclusions, and what they rested on before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmark.findings.content import Block, Table, TableCell, format_interval
from benchmark.findings.verdict import Verdict
from benchmark.store.results import Results

Conclusion = tuple[str, str, str]
"""Part, topic, rule: what makes two verdicts answers to one question."""


def compare_runs(
    new: Results, verdicts: Sequence[Verdict], old: Results, before: Sequence[Verdict]
) -> tuple[Block, list[str]]:
    """The section of the page, and its lines for the terminal.

    ``before`` are the verdicts that this same code draws from the older results, so that a changed
    word is a change of the numbers and never of the thresholds.
    """
    now, then = key_verdicts(verdicts), key_verdicts(before)
    shared = [key for key in now if key in then]
    changed = [key for key in shared if now[key].answer != then[key].answer]
    differences = find_differences(new, old)
    lines = [
        f"{', '.join(filter(None, key))}: {then[key].answer} became {now[key].answer} "
        f"({explain_change(then[key], now[key], differences[key[0]])})"
        for key in changed
    ]
    counts = (
        f"{len(changed)} of {len(shared)} conclusions changed; {len(now) - len(shared)} are new, "
        f"{len(then) - len(shared)} are gone."
    )
    rows: list[Sequence[TableCell]] = [
        (
            ", ".join(filter(None, key)),
            then[key].answer,
            now[key].answer,
            then[key].value,
            now[key].value,
        )
        for key in sorted(shared, key=lambda key: key not in changed)
    ]
    columns = ("conclusion", "before", "now", "interval before", "interval now")
    title = "Every conclusion that both runs reach, the changed ones first"
    different = [row for rows in differences.values() for row in rows]
    items: list[str | Table] = [counts, *lines, Table(title, columns, rows)]
    if different:
        items.append(Table("What differs between the runs", ("of", "before", "now"), different))
    else:
        items.append("The runs have the same fields, versions and numbers of replicas.")
    return Block("against", "", items), [counts, *lines]


def key_verdicts(verdicts: Sequence[Verdict]) -> dict[Conclusion, Verdict]:
    """Verdicts by what they answer."""
    return {(v.part, v.topic, v.rule): v for v in verdicts}


def explain_change(then: Verdict, now: Verdict, differences: Sequence[Sequence[str]]) -> str:
    """Why an answer may have changed: its interval and n, and what differs in its part."""
    format_field = [f"{of} {before} → {after}" for of, before, after in differences]
    if then.value and now.value:
        format_field.insert(0, f"{format_interval(then.value)} → {format_interval(now.value)}")
    return "; ".join(format_field) or "the same fields and versions: other numbers"


def find_differences(new: Results, old: Results) -> dict[str, list[tuple[str, str, str]]]:
    """What differs by part, and under "" what concerns the whole study: (of, before, now)."""
    after, before = describe_parts(new), describe_parts(old)
    found: dict[str, list[tuple[str, str, str]]] = {part: [] for part in [*after, *before]}
    for part, rows in found.items():
        then, now = before.get(part, {}), after.get(part, {})
        for field in dict.fromkeys([*then, *now]):
            sides = format_field(then.get(field, "–")), format_field(now.get(field, "–"))
            if sides[0] != sides[1]:
                rows.append((f"{part} {field}".strip(), *sides))
    return found


def format_field(value: Any) -> str:
    """A field's value as read."""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def describe_parts(results: Results) -> dict[str, dict[str, Any]]:
    """Every part's fields, its replicas and the versions that trained them; "" for the study."""
    origin = results.provenance
    found: dict[str, dict[str, Any]] = {"": {"commits": ", ".join(origin.commits)}}
    found[""] |= {name: ", ".join(versions) for name, versions in origin.versions.items()}
    keys = ["part", "space_version", "rule", "rule_version"]
    used = results.table.group_by(keys).aggregate([]).to_pylist()
    for part in results.study["parts"]:
        fields = {**part, **part["recipe"]}
        for left_out in ("name", "recipe"):
            del fields[left_out]
        for of in ("done", "replicas", "diverged"):
            fields[of] = sum(getattr(c, of) for c in results.counts if c.part == part["name"])
        for row in used:
            if row["part"] == part["name"]:
                fields["space version"] = row["space_version"]
                fields[f"version of {row['rule']}"] = row["rule_version"]
        found[part["name"]] = fields
    return found
