"""One spelling: American, in code, comments, docs and tests.

``KEPT`` is the one place that says which British spellings stay, and why. A folder of results holds
the names of its study, parts, fields and stages, and results are found by them again: a name that
was ever stored or typed keeps its spelling.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

BRITISH = re.compile(
    r"colour|neighbour|behaviour|favour|honour|flavour|labour|rumour|catalogue|licence|defence"
    r"|artefact|judgement|programme$|grey|labell|modell|cancelled|cancelling|travell|signall"
    r"|totall(?!y)|centre|learnt|spelt|burnt|whilst|ageing|analys(?:ed|ing|er)"
    r"|[a-z]{3}is(?:e|ed|es|ing|ation|ations|er|ers)$"
)
ENGLISH = re.compile(
    r"(?:[a-z]*wis|promis|exercis|rais|nois|precis|aris|advis|revis|supervis)[a-z]+"
)
"""Words that end so in American as well."""

SUFFIXES = {".md", ".toml", ".cfg", ".py", ".js", ".css", ".j2", ".yaml", ".json"}

KEPT = {
    "neighbours": "a stage of depth parts and the field Depth.neighbours: stored in manifests",
    "normalisation": "the study jobs/normalisation.py and its file: stored and typed",
    "optimisers": "the study jobs/optimisers.py and its file: stored and typed",
}


def find_british(text: str) -> set[str]:
    """The British words of a text that are not kept; a name counts as the words it joins."""
    words = set(re.findall(r"[a-z]+", text.lower())) - KEPT.keys()
    return {word for word in words if BRITISH.search(word) and not ENGLISH.fullmatch(word)}


def test_every_file_is_spelled_the_american_way() -> None:
    found = {}
    folders = ("benchmark", "search_spaces", "jobs", "docs", "tests")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    for path in sorted([*paths, *ROOT.glob("*.*")]):
        if path.suffix in SUFFIXES and path != Path(__file__):
            text = path.read_text(encoding="utf-8").replace("aria-labelledby", "")
            if words := find_british(text):
                found[str(path.relative_to(ROOT))] = words
    assert found == {}


@pytest.mark.parametrize(
    "word", ["initialisation", "Optimiser", "labelled", "catalogues", "colours"]
)
def test_a_british_word_is_found(word: str) -> None:
    assert find_british(f"the {word} here") == {word.lower()}


@pytest.mark.parametrize("word", [*KEPT, "otherwise", "promised", "a noisy rate", "pairwise"])
def test_what_is_kept_or_english_is_not(word: str) -> None:
    assert find_british(word) == set()
