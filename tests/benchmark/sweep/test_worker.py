"""A worker on a node that does not see the results."""

from pathlib import Path

from benchmark.engine import engine
from benchmark.sweep.resources import Resources
from benchmark.sweep.worker import trainable


def test_a_node_that_does_not_see_the_results_says_so_before_it_trains(tmp_path: Path) -> None:
    """Its shards are not even fetched."""
    nowhere = tmp_path / "of another node"
    said = trainable((), str(nowhere), engine.run, Resources())({"shard": 0})["unwritable"]
    assert f"sees no results at {nowhere}; give --out storage that every node sees" in said
    assert not nowhere.exists()
