"""``docs/findings.md`` and the README's answers are what the committed tables give today.

Words are compared to the letter and numbers to their last printed digit: another processor may
round the last digit otherwise.
"""

import re
from pathlib import Path

import pytest

from benchmark import reference

ROOT = Path(__file__).parents[2]
NUMBER = re.compile(r"[−-]?\d[\d,]*(?:\.\d+)?")


@pytest.fixture(scope="module")
def remade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both files, written again beside the links that they hold."""
    folder = tmp_path_factory.mktemp("findings")
    readme = folder / "README.md"
    readme.write_text((ROOT / "README.md").read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        arguments = ["--findings", str(folder / "findings.md"), "--readme", str(readme)]
        assert reference.main([*arguments, "--root", str(ROOT / "docs")]) == 0
    return folder


def numbers(text: str) -> list[float]:
    return [float(found.replace("−", "-").replace(",", "")) for found in NUMBER.findall(text)]


@pytest.mark.parametrize(
    ("made", "committed"), [("findings.md", "docs/findings.md"), ("README.md",) * 2]
)
def test_every_word_and_number_follows_from_the_tables(
    remade: Path, made: str, committed: str
) -> None:
    new = (remade / made).read_text(encoding="utf-8")
    old = (ROOT / committed).read_text(encoding="utf-8")
    assert NUMBER.sub("#", new) == NUMBER.sub("#", old), "the tables say otherwise; make findings"
    assert numbers(new) == pytest.approx(numbers(old), rel=0.02)


def test_a_readme_without_markers_is_one_sentence_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "studies").mkdir()
    (tmp_path / "README.md").write_text("# A page")
    example, page = str(ROOT / "reports/example"), str(tmp_path / "README.md")
    asked = [f"--example={example}", f"--readme={page}", f"--findings={tmp_path / 'findings.md'}"]
    assert reference.main([str(tmp_path / "studies"), *asked]) == 2
    assert f"{page} has no lines <!-- answers" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "studies"]
