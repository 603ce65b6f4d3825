"""What an answer means in words, topic by topic: in the matrix, in sentences, and in which unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

Tone = Literal["good", "bad", "neutral", "unknown"]
CANNOT_TELL: Final = "cannot tell"
Word = tuple[str, Tone, str]
"""An answer in a few words, whether it is good news for the rule, and its clause of a sentence."""
WORDS: Final[Mapping[str, Mapping[str, Word]]] = {
    "Accuracy rises": {
        "yes": ("helps", "good", "test accuracy rises under {}"),
        "hurts": ("hurts", "bad", "test accuracy falls under {}"),
        "same": ("no difference", "neutral", "test accuracy stays within half a point under {}"),
        "no": (
            "does not help",
            "neutral",
            "test accuracy does not rise by half a point under {}",
        ),
        "void": ("void", "unknown", "test accuracy rises under {}, and under its placebo as well"),
        "undetermined": (CANNOT_TELL, "unknown", "whether it changes under {} cannot be told"),
    },
    "Loss near the best": {
        "yes": (
            "near the best",
            "good",
            "the loss comes near the lowest that anything reached under {}",
        ),
        "no": ("loses", "bad", "the loss stays clearly above the lowest under {}"),
        "undetermined": (
            CANNOT_TELL,
            "unknown",
            "whether the loss comes near the lowest cannot be told of {}",
        ),
    },
    "Step stays flat": {
        "yes": ("stays flat", "good", "one step keeps its size at every depth under {}"),
        "no": ("drifts", "bad", "the size of one step changes with depth under {}"),
        "undetermined": (
            CANNOT_TELL,
            "unknown",
            "whether one step keeps its size under {} cannot be told",
        ),
    },
    "Ranking changes": {
        "yes": ("changes it", "neutral", "the ranking changes by more than seed noise under {}"),
        "no": ("no change", "neutral", "the ranking changes by no more than seed noise under {}"),
        "void": (
            "void",
            "unknown",
            "it changes under {}, but as much under the same rates dealt to others",
        ),
        "undetermined": (
            CANNOT_TELL,
            "unknown",
            "whether the ranking changes under {} cannot be told",
        ),
    },
    "Beats the placebo": {
        "yes": ("better", "good", "the gain is larger than that of the placebo under {}"),
        "no": ("not better", "bad", "the gain is no larger than that of the placebo under {}"),
        "undetermined": (
            CANNOT_TELL,
            "unknown",
            "whether the gain is larger than that of the placebo cannot be told of {}",
        ),
    },
    "Stands for 200 epochs": {
        "yes": ("stands for it", "good", "the ranking under {} stands for the published one"),
        "no": ("does not", "bad", "the ranking under {} does not stand for the published one"),
        "undetermined": (
            CANNOT_TELL,
            "unknown",
            "whether the ranking under {} stands for the published one cannot be told",
        ),
    },
}
"""What an answer means, by topic; the headline asks the topics in this order."""
CONTROLLED: Final = ("Ranking changes", "Accuracy rises")
"""Topics where a rule's yes is void if its placebo gets a yes as well."""
TONES: Final[Sequence[Tone]] = ("good", "bad", "neutral", "unknown")
"""The order of clauses in a sentence."""
PERCENT: Final = ("Accuracy rises", "Beats the placebo")
"""Topics whose interval is a share, read in percentage points."""
UNITS: Final = {"Loss near the best": " nats", "Ranking changes": " tau"} | dict.fromkeys(
    PERCENT, " points"
)
EXPONENTS: Final = ("Step stays flat",)
"""Topics whose interval is an exponent of depth."""


def word_law(power: str) -> Mapping[str, Word]:
    """The words of a law of the best rate, which reads ``power``."""
    return {
        "yes": ("holds", "good", f"the best rate falls as {power} with {{}} weights"),
        "no": ("does not hold", "bad", f"the best rate does not fall as {power} with {{}} weights"),
        "undetermined": (
            CANNOT_TELL,
            "unknown",
            f"whether the best rate falls as {power} with {{}} weights cannot be told",
        ),
    }


LAW_WORDS: Final[Mapping[str, Mapping[str, Word]]] = {
    "Best rate ~ depth^−3/2": word_law("depth^(−3/2)"),
    "Best rate ~ blocks^−1": word_law("1 / blocks"),
    "Best rate ~ blocks^−3/2": word_law("blocks^(−3/2)"),
}
"""The same for laws, which are asked of initializations."""
TOLD_LAWS: Final = ("Best rate ~ depth^−3/2", "Best rate ~ blocks^−1")
"""Those of the headline: AM-muP's counts the same depth, but for the stem and the head."""
