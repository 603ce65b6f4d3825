"""What a simulated study answers is what was planted, and a study too small fails its check."""

from collections import Counter
from dataclasses import replace

import pytest
from rich.console import Console
from support.power_parts import CELLS, CHAIN, STEPS, whole

from benchmark import job
from benchmark.analysis.thresholds import Answer
from benchmark.findings.answers.study import answer_study
from benchmark.findings.content import Figure
from benchmark.findings.parts import UNJUDGED, judge_study
from benchmark.power.noise import Noise, NoiseSource
from benchmark.power.planted_truth import TRUTHS
from benchmark.power.simulate import Answered, judge_power, measure_power, plant_results, show_power
from benchmark.study import rate_grid
from search_spaces.errors import InvalidInput


def test_a_precise_study_finds_what_is_planted() -> None:
    precise = NoiseSource(Noise(lowest=0.8, seed=0.0, rate=0.004, moment=0.05))
    answered = {
        (each.part, each.topic, each.rule, each.truth): each
        for each in measure_power(whole(CHAIN, STEPS), 2, lambda _: precise)
    }
    he = "initialization he"
    assert answered["chain", "Best rate ~ depth^−3/2", he, "layers^-3/2"].share("yes") == 1
    assert answered["chain", "Best rate ~ depth^−3/2", he, "no change"].share("no") == 1
    assert answered["steps", "Step stays flat", "tuned-constant", "no change"].share("yes") == 1
    assert answered["steps", "Step stays flat", "tuned-constant", "depth^1"].share("no") == 1


def test_wrong_answers_are_told_from_right_ones() -> None:
    """Where rates are no power of depth in a law's unit, neither answer is right."""
    part = replace(CHAIN, space="resnet", depths=(1, 2, 4, 8, 16), seeds=2)
    answered = measure_power(whole(part), repeats=1)
    right = {(each.topic, each.rule, each.truth): each.right for each in answered}
    layers, blocks = "Best rate ~ depth^−3/2", "Best rate ~ blocks^−1"
    he = "initialization he"
    assert right[layers, he, "layers^-3/2"] == right[blocks, he, "blocks^-1"] == "yes"
    assert right[layers, he, "no change"] == right[blocks, he, "no change"] == "no"
    assert right[layers, he, "blocks^-1"] is right[blocks, he, "layers^-3/2"] is None
    near = "Loss near the best"
    assert right[near, "effective-depth", "layers^-3/2"] == "yes"
    assert right[near, "tuned-constant", "layers^-3/2"] == "no"
    assert right[near, "tuned-constant", "no change"] == "yes"
    answers: Counter[Answer] = Counter({"yes": 1, "no": 2, "undetermined": 1})
    told, open_one = (
        Answered("part", layers, he, "truth", answers, answer) for answer in ("yes", None)
    )
    assert (told.share("yes"), told.wrong) == (0.25, 0.5)
    (sentence,) = judge_power([told, open_one], {told.part}, 4)
    assert "FAILS" in sentence
    assert "25% are right, 50.0% wrong and 25% undetermined" in sentence
    assert sentence.endswith("1 question has no right answer")


def test_a_true_law_is_refuted_as_seldom_as_an_interval_misses() -> None:
    """The design of the quickstart's ladder, with the noise of short training."""
    part = replace(
        CHAIN, depths=(2, 4, 8, 12), rates=rate_grid(1e-3, 1.5, 10), rules=("tuned-constant",)
    )
    answered = measure_power(whole(part), repeats=8)
    laws = [each for each in answered if each.topic.startswith("Best rate") and each.right]
    wrong = sum(each.wrong for each in laws) / len(laws)
    assert wrong <= 0.1


def test_every_kind_of_part_has_truths_and_every_repeat_is_counted() -> None:
    answered = measure_power(whole(CELLS), repeats=2)
    assert {each.truth for each in answered} == {truth.name for truth in TRUTHS["rank"]}
    assert all(each.answers.total() == 2 for each in answered)
    assert set(TRUTHS) == {part.kind for part in (CHAIN, STEPS, CELLS)}


def test_a_study_of_two_rungs_fails_its_check(capsys: pytest.CaptureFixture[str]) -> None:
    small = whole(replace(CHAIN, depths=(1, 2), seeds=2))
    (sentence,) = judge_power(
        measure_power(small, repeats=2), {part.name for part in small.parts}, 2
    )
    assert sentence.startswith("part chain FAILS its power check: ")
    show_power(small, Console(width=200), repeats=1)
    shown = capsys.readouterr().out
    assert "chain: right answer, and shares of yes / no / undetermined, by what is true" in shown
    assert "over 3 planted truths and 1 repeats" in shown


def test_a_job_says_its_power_and_trains_nothing(
    tmp_path: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    assert job.main(whole(STEPS), ["--power", "1"]) == 0
    assert "part steps passes its power check" in capsys.readouterr().out
    assert job.main(whole(STEPS), ["--power", "0"]) == 2
    assert capsys.readouterr().err == "error: --power 0: repeat it 1 to 1000 times\n"


def test_a_part_that_is_not_judged_gives_no_verdicts_and_its_power_is_told() -> None:
    small = replace(CELLS, judged=False)
    answered = measure_power(whole(small), repeats=2)
    assert {each.part for each in answered} == {small.name}
    (sentence,) = judge_power(answered, set(), 2)
    assert sentence.startswith(f"part {small.name} is not judged, and would ")
    results, _ = plant_results(
        whole(small), small.architectures()[0], TRUTHS["rank"][0], NoiseSource(), 0
    )
    verdicts, blocks = judge_study(results, None)
    assert verdicts == []
    assert (blocks[0].part, blocks[0].items) == (small.name, [UNJUDGED])
    assert any(isinstance(item, Figure) for block in blocks for item in block.items)
    (told,) = answer_study(results.study["parts"], verdicts).headline
    assert told == (
        "The part Cells shows how the measures are made: it is too small to answer, and is not "
        "judged."
    )


def test_whether_a_part_is_judged_is_true_or_false() -> None:
    with pytest.raises(InvalidInput, match="part cells: field judged"):
        replace(CELLS, judged="no")  # type: ignore[arg-type]
