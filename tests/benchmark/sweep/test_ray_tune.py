"""Which shard gets the next worker."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st
from ray.tune.experiment import Trial

from benchmark.sweep.ray_tune import NewestFirst

STATUSES = (Trial.PENDING, Trial.RUNNING, Trial.TERMINATED, Trial.ERROR)


@given(st.lists(st.sampled_from(STATUSES), max_size=8))
def test_the_newest_shard_that_waits_gets_the_next_worker(statuses: list[str]) -> None:
    """Older ones have workers that are starting, which Tune would end."""
    trials = [Trial("train", trial_id=str(number), stub=True) for number in range(len(statuses))]
    for trial, status in zip(trials, statuses, strict=True):
        trial.set_status(status)  # type: ignore[no-untyped-call]
    controller = SimpleNamespace(get_trials=lambda: trials)
    scheduler = NewestFirst()  # type: ignore[no-untyped-call]
    chosen = scheduler.choose_trial_to_run(controller)
    waiting = [number for number, status in enumerate(statuses) if status == Trial.PENDING]
    assert chosen is (trials[waiting[-1]] if waiting else None)
