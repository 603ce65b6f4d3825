"""The data set ``synthetic``: images of noise, labeled by a planted random network."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

SEED: Final = 20_260_207
SIDE: Final = 8
HIDDEN: Final = 32
CLASSES: Final = 10
TRAIN: Final = 2048
TEST: Final = 512


def make_images() -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """x_train, y_train, x_test, y_test: float32 N x 8 x 8 x 1, labels 0 to 9.

    x ~ N(0, 1) per pixel; y is the largest of the teacher's logits V relu(W x), each centered over
    the images so that no class dominates. The labels have no noise: a perfect student exists.
    """
    rng = np.random.default_rng(SEED)
    x_NP = rng.standard_normal((TRAIN + TEST, SIDE * SIDE))
    W_PH = rng.standard_normal((SIDE * SIDE, HIDDEN)) * (2 / (SIDE * SIDE)) ** 0.5
    V_HC = rng.standard_normal((HIDDEN, CLASSES))
    logits_NC = np.maximum(x_NP @ W_PH, 0) @ V_HC
    y_N = (logits_NC - logits_NC.mean(axis=0)).argmax(axis=1)
    x_NHWC = x_NP.astype(np.float32).reshape(-1, SIDE, SIDE, 1)
    return x_NHWC[:TRAIN], y_N[:TRAIN], x_NHWC[TRAIN:], y_N[TRAIN:]
