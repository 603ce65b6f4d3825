"""A study that nobody can train is refused at once, in one sentence."""

import pytest
from support.small_study import STUDY

from benchmark import job
from benchmark.speed.growth.machinery import train_nothing


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--seeds 99999999999999999999", "part cells: field seeds=99999999999999999999; use at"),
        ("--width 999999999", "part rungs: field width=999999999; use at most 100,000"),
        ("--depths 2,99999999", "part rungs: field depths=99999999; use at most 10,000"),
        ("--sample 99999999999999999999", "field sample=99999999999999999999; use at most"),
        ("--sample-seed -1", "part cells: field sample_seed=-1; use 0 to 4,294,967,295"),
        ("--seeds 60000", "part cells: 2 rules x 1 rates x 60000 seeds are 120,000 replicas"),
        ("--width 99999", "part rungs: mlp-2 cannot be trained on digits, whose images are 1 x 8"),
    ],
)
def test_what_is_too_large_is_refused(
    arguments: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert job.main(STUDY, ["--dry-run", *arguments.split()], run=train_nothing) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert sentence in error


@pytest.mark.parametrize(
    ("field", "bad"), [("rates", "0.00001"), ("rates", "nan"), ("depths", "2")]
)
@pytest.mark.parametrize("length", [3, 2000])
def test_a_wrong_entry_of_a_list_is_named_by_its_place(
    field: str, bad: str, length: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The list itself is not repeated, however long it is."""
    given = [str(number + 2) for number in range(length)]
    given[length - 1] = bad
    value = ",".join(given)
    assert job.main(STUDY, ["--dry-run", f"--{field}={value}"], run=train_nothing) == 2
    error = capsys.readouterr().err
    assert f"field {field}[{length - 1}]=" in error
    assert len(error) < 200


def test_a_sentence_has_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--dry-run", f"--rules={'x' * 10**6}"]
    assert job.main(STUDY, asked, run=train_nothing) == 2
    error = capsys.readouterr().err
    assert len(error) < 2000
    assert error.startswith("error: unknown rule 'xxx")
    assert "; choose one of " in error
