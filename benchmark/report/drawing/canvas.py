"""Matplotlib as the page uses it, whatever the user's settings are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from benchmark.report.drawing.palette import GRID, INK

# A backend that matplotlib does not know is an error of its import, and the page needs none. So
# this is the one file of the room that imports matplotlib and seaborn; the others take from here.
_backend = os.environ.pop("MPLBACKEND", None)
try:
    import matplotlib as mpl
    import seaborn as sns
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas
    from matplotlib.patches import Rectangle
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator
    from matplotlib.transforms import ScaledTranslation
finally:
    if _backend is not None:
        os.environ["MPLBACKEND"] = _backend

__all__ = [
    "NARROW",
    "STYLE",
    "WIDTH",
    "Axes",
    "Canvas",
    "FuncFormatter",
    "LogLocator",
    "NullFormatter",
    "NullLocator",
    "Rectangle",
    "ScaledTranslation",
    "sns",
    "use_page_style",
]

WIDTH: Final = 6.6
"""Inches; the page scales a drawing to its own width."""
NARROW: Final = 3.5
"""Inches of the drawing that a phone shows, so that its text is as large as on a wide page."""

STYLE: Final[dict[Any, Any]] = {
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "text.parse_math": False,
    "svg.hashsalt": "report",
    **dict.fromkeys(("text.color", "xtick.color", "ytick.color"), INK),
    **dict.fromkeys(("axes.edgecolor", "axes.labelcolor"), INK),
}


@contextmanager
def use_page_style() -> Iterator[None]:
    """Matplotlib's own defaults and the page's style on top; the user's settings come back."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield
