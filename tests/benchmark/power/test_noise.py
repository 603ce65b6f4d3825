"""The noise that a pilot shows is the noise that was planted in it."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from support.power_parts import CELLS, CHAIN, STEPS, whole

from benchmark import job
from benchmark.power.noise import Noise, NoiseSource, follow_pilot, measure_noise, typical_noise
from benchmark.power.planted_truth import TRUTHS
from benchmark.power.simulate import plant_results
from benchmark.study import Depth, Rank, Updates
from benchmark.study.unit import Unit
from search_spaces.errors import InvalidInput

PLANTED = Noise(
    lowest=0.5, curvature=1.2, stable=0.7, seed=0.06, rate=0.04, accuracy=0.004, moment=1.4
)
PRECISE = replace(CHAIN, seeds=24, rules=("tuned-constant",), rates=(0.01, 0.03, 0.1, 0.3, 1.0))


@pytest.mark.parametrize(
    ("part", "measured"),
    [
        (PRECISE, ("lowest", "curvature", "seed", "rate")),
        (replace(CELLS, seeds=12), ("accuracy",)),
        (replace(STEPS, seeds=200), ("moment",)),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_what_is_planted_is_measured(
    part: Depth | Rank | Updates, measured: tuple[str, ...]
) -> None:
    base, truth = part.architectures()[0], TRUTHS[part.kind][0]
    pilot, _ = plant_results(whole(part), base, truth, NoiseSource(PLANTED), 0)
    found = measure_noise(pilot, replace(part, seeds=2))
    assert found is not None
    for name in measured:
        assert asdict(found.typical)[name] == pytest.approx(asdict(PLANTED)[name], rel=0.25), name


def test_a_network_of_the_pilot_has_its_own_noise_and_another_the_median() -> None:
    small = replace(STEPS, depths=(2, 4, 8), seeds=100)
    networks = {architecture: number for number, architecture in enumerate(small.architectures())}

    class ByDepth(NoiseSource):
        def find(self, unit: Unit) -> Noise:
            return replace(PLANTED, moment=0.5 + networks[unit.architecture])

    pilot, _ = plant_results(whole(small), "mlp-2", TRUTHS["updates"][0], ByDepth(), 0)
    found = measure_noise(pilot, small)
    assert found is not None
    moments = [noise.moment for noise in found.by_network.values()]
    assert moments == pytest.approx([0.5, 1.5, 2.5], rel=0.25)
    assert found.typical.moment == sorted(moments)[1]


def test_a_pilot_of_other_kinds_is_refused_and_of_some_kinds_is_followed() -> None:
    pilot, _ = plant_results(whole(STEPS), "mlp-2", TRUTHS["updates"][0], NoiseSource(PLANTED), 0)
    with pytest.raises(InvalidInput, match="--pilot: none of its parts is of the kind and space"):
        follow_pilot(pilot, (CHAIN, CELLS))
    noise_of: Callable[..., NoiseSource] = follow_pilot(pilot, (CHAIN, STEPS))
    assert noise_of(CHAIN) == typical_noise(CHAIN) == NoiseSource()
    assert noise_of(STEPS).typical.moment == pytest.approx(1.4, rel=0.4)


def test_a_job_simulates_with_its_pilot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    example = str(Path(__file__).parents[3] / "reports" / "example" / "results")
    steps = replace(STEPS, options={"width": 256})
    assert job.main(whole(steps), ["--power", "1", "--pilot", example]) == 0
    assert "part steps" in capsys.readouterr().out
    assert job.main(whole(steps), ["--pilot", example]) == 2
    said = "error: --pilot needs --power: it says whose noise is simulated; add --power\n"
    assert capsys.readouterr().err == said
    assert job.main(whole(CELLS), ["--power", "1", "--pilot", str(tmp_path / "none")]) == 2
