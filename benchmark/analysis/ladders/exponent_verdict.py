"""Whether a measured exponent is a theory's: from intervals to yes, no or undetermined."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from benchmark.analysis.intervals import Interval
from benchmark.analysis.ladders.local_exponents import ExponentProfile
from benchmark.analysis.thresholds import Judged


def format_exponent(value: float) -> str:
    """An exponent as the papers write it, with a true minus sign."""
    return str(Fraction(value).limit_denominator(8)).replace("-", "−")


def judge_interval(value: Interval, theory: float, rivals: Sequence[float]) -> Judged:
    """Is the exponent `theory`? Yes where the interval holds it, leaves out every rival, and stays
    on both sides nearer to it than its closest rival.
    """
    if not value.determined:
        return Judged("undetermined", value.reason, value)
    if not value.contains(theory):
        return Judged("no", f"the interval leaves out {format_exponent(theory)}", value)
    held = [format_exponent(rival) for rival in rivals if value.contains(rival)]
    if held:
        return Judged("undetermined", f"the interval holds {' and '.join(held)} as well", value)
    if value.low <= theory - min(abs(theory - rival) for rival in rivals):
        why = f"the interval is too wide: it reaches {value.low:.3g}".replace("-", "−")
        return Judged("undetermined", why, value)
    return Judged("yes", "", value)


def judge_exponent(
    profile: ExponentProfile,
    theory: float,
    rivals: Sequence[float],
    *,
    elsewhere: Mapping[str, tuple[ExponentProfile, Sequence[float]]] | None = None,
) -> Judged:
    """Is the exponent `theory`, in the unit of depth in which the profile was fitted?

    Where the straight line does not fit, the answer rests on the deepest local exponent (the last
    factor 4 in depth), for a power law is a statement about large depth. Where it fits, the answer
    rests on the line, and is no where the line's interval leaves the theory out at the level of
    `find_refuting_level`, for the test of the line may have rejected it too. A line that was not
    rejected may still bend, so a yes also needs the
    deepest local exponent, and the one between the last two rungs, to hold the theory and to lie
    nearer to it than to any rival. Nor is there a yes while a rival fits as well in a unit of its
    own: K^-1 in blocks passes for (K + 2)^-3/2 up to some 16 blocks.

    Args:
        profile: of `fit_local_exponents` or `fit_update_profile`, in the law's own unit.
        theory: the exponent that the law predicts.
        rivals: the exponents of the other laws, in the same unit; at least one.
        elsewhere: name of another unit of depth -> the same rates fitted in it, and the exponents
            that rival laws predict there.
    """
    deepest = profile.deepest
    if profile.fits:
        judged = judge_interval(profile.line, theory, rivals)
        refuting = profile.refuting_line
        if judged.answer == "no" and refuting and refuting.contains(theory):
            why = f"the interval leaves out {format_exponent(theory)}, but not at "
            why += f"{refuting.level:.0%}, the level that the test of the line leaves"
            judged = Judged("undetermined", why, profile.line)
        for value in (deepest.exponent, profile.neighbors[-1].exponent):
            off = abs(value.estimate - theory)
            bends = off >= min(abs(value.estimate - rival) for rival in rivals)
            if judged.answer == "yes" and (bends or not value.contains(theory)):
                local = f"{value.estimate:.2f}".replace("-", "−")
                why = f"the line holds it, but the exponent at the largest depths is {local}"
                judged = Judged("undetermined", why, value)
    else:
        answer, why, value = judge_interval(deepest.exponent, theory, rivals)
        why = f"; {why}" if why else ""
        where = f"between depths {deepest.shallow:g} and {deepest.deep:g}"
        said = f"one line does not fit (p = {profile.misfit_p:.2g}): judged {where}"
        judged = Judged(answer, said + why, value)
    for unit, (other, others) in (elsewhere or {}).items():
        judged = doubt_yes(judged, unit, (other.line, other.deepest.exponent), others)
    return judged


def judge_slope(
    value: Interval,
    theory: float,
    rivals: Sequence[float],
    *,
    elsewhere: Mapping[str, tuple[Interval, Sequence[float]]] | None = None,
) -> Judged:
    """Is the exponent of one line `theory`, in the unit of depth in which it was fitted?

    As `judge_exponent`, for rates that have no local exponents: those that are read from the grid.
    """
    judged = judge_interval(value, theory, rivals)
    for unit, (other, others) in (elsewhere or {}).items():
        judged = doubt_yes(judged, unit, (other,), others)
    return judged


def doubt_yes(
    judged: Judged, unit: str, values: Sequence[Interval], rivals: Sequence[float]
) -> Judged:
    """The answer; undetermined in place of a yes where any of the exponents in another unit of
    depth holds what a rival law says there."""
    held = [rival for rival in rivals if any(value.contains(rival) for value in values)]
    if judged.answer != "yes" or not held:
        return judged
    named = " and ".join(format_exponent(rival) for rival in held)
    return Judged("undetermined", f"{named} in {unit} fits as well", judged.value)
