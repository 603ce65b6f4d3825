"""A network that does not fit the images is refused when a study is planned, and not in workers."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from benchmark.datasets import catalog
from benchmark.plan.planner import plan
from benchmark.study import Depth, Study
from search_spaces.errors import InvalidInput


def write_images(folder: Path, height: int, width: int) -> str:
    path = folder / f"{height}x{width}.npz"
    pixels = np.random.default_rng(0).integers(0, 256, (40, height, width, 3), dtype=np.uint8)
    labels = np.arange(40) % 4
    np.savez(path, x_train=pixels, y_train=labels, x_test=pixels, y_test=labels)
    catalog.load_named.cache_clear()
    return f"npz:{path}"


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(patch=st.integers(1, 12), height=st.integers(4, 16), width=st.integers(4, 16))
@example(patch=4, height=30, width=30)
@example(patch=4, height=8, width=12)
@example(patch=16, height=8, width=8)
def test_a_patch_tiles_the_images_or_is_refused_when_planned(
    patch: int, height: int, width: int, tmp_path: Path
) -> None:
    part = Depth(
        name="rungs",
        space="vit",
        options={"width": 8, "heads": 2, "patch": patch},
        rules=("default",),
        depths=(1, 2),
        rates=(0.1, 0.2, 0.4),
        dataset=write_images(tmp_path, height, width),
    )
    study = Study(name="tiles", question="?", parts=(part,))
    if height % patch == 0 and width % patch == 0:
        assert plan(study, lambda _: None)[0].units
    else:
        with pytest.raises(InvalidInput, match=f"patch={patch} does not tile images of {height}x"):
            plan(study, lambda _: None)
