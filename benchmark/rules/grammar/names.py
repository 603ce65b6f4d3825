"""Rules by name: ``RULE``, ``RULE:FORM``, ``RULE*mup``, and controls ``CONTROL:RULE``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from benchmark.rules.grammar.compositions import compose
from benchmark.rules.grammar.forms import FORMS
from benchmark.rules.grammar.registry import add_rule, find_plain_rule, is_plain, registry
from benchmark.rules.grammar.rule import Control, Form, Rule
from search_spaces.errors import InvalidInput


def rule(asked: str | Rule) -> Rule:
    """The rule of a name. A ``Rule`` may stand for its name, which stands for it from then on.

    ``RULE:FORM:...`` is a rule in other forms and ``RULE*mup`` two rules at once. ``shuffled`` and
    ``geometric-mean`` are path-cubed's controls, in path-cubed's forms; ``shuffled:RULE`` and
    ``geometric-mean:RULE`` those of any rule, dealt anew by seed. Raises ``InvalidInput`` listing
    the names or forms there are.
    """
    if isinstance(asked, str):
        return parse_rule(asked)
    if is_plain(asked.name) and asked != find(asked.name):
        add_rule(asked)
        parse_rule.cache_clear()
    return parse_rule(asked.name)


@cache
def parse_rule(name: str) -> Rule:
    """The rule that a name stands for, its forms and companions read."""
    base, *rest = name.split(":")
    head, *others = base.split("*")
    found = find_plain_rule(head)
    if isinstance(found, Control):
        if others:
            raise InvalidInput(
                f"rule {name!r}: a control is made from a whole rule; write {head}:RULE*mup"
            )
        return control_of_rule(found, name, rest)
    for other in others:
        found = compose(found, find_plain_rule(other))
    if not rest:
        return found
    forms = tuple(form_of(form, base, head) for form in rest)
    measured = found.measured and all(form.rated for form in forms)
    conventions = dict(found.conventions)
    for form in forms:
        conventions |= form.conventions
    return replace(found, name=name, forms=forms, measured=measured, conventions=conventions)


def find(name: str) -> Rule | None:
    """The rule of a stored row's name; None where no rule has that name today."""
    try:
        return rule(name)
    except InvalidInput:
        return None


def form_of(form: str, base: str, head: str) -> Form:
    """A form of the rule ``base``; raises ``InvalidInput`` with the forms there are for it."""
    stated = [name for name, each in FORMS.items() if not each.of or head in each.of]
    if form not in FORMS:
        raise InvalidInput(
            f"unknown form {form!r} of rule {base!r}; choose from {', '.join(stated)}"
        )
    if form not in stated:
        raise InvalidInput(
            f"form {form} is stated for {', '.join(FORMS[form].of)}, not for {base!r}; "
            f"choose from {', '.join(stated)}"
        )
    return FORMS[form]


def control_of_rule(control: Control, name: str, rest: list[str]) -> Control:
    """The control ``name`` of what stands after its colon: forms of its own rule, or a rule."""
    own = all(each in FORMS for each in rest)
    of = ":".join([control.of, *rest] if own else rest)
    if not own and rest[0].split("*")[0] not in registry():
        raise InvalidInput(
            f"rule {name!r}: {rest[0]!r} is neither a rule nor a form; write {control.name}:RULE "
            f"with one of {', '.join(each for each in registry() if not made_from_rules(each))}"
        )
    inner = rule(of)
    if isinstance(inner, Control) or inner.measured:
        why = "is a control itself" if isinstance(inner, Control) else "is measured, not computed"
        raise InvalidInput(f"rule {name!r}: {of} {why}, so that there are no rates to deal")
    return replace(
        control,
        name=name,
        of=of,
        seed=control.seed if own else None,
        formula=control.formula.replace(control.of, of),
        prescribe=inner.prescribe,
        conventions=inner.conventions,
        tuned=inner.tuned,
        optimizers=inner.optimizers,
        reads_width=inner.reads_width,
        versions={each: control.version + inner.version_for(each) - 1 for each in inner.optimizers},
    )


def made_from_rules(name: str) -> bool:
    """Whether the registry's rule of that name is a control."""
    return isinstance(registry()[name], Control)


def owner_of(name: str) -> str | None:
    """The rule that a control belongs to, with its forms; None for what is no control."""
    found = rule(name)
    return found.of if isinstance(found, Control) else None


def controls_of(name: str, among: Iterable[str]) -> tuple[str, ...]:
    """Those of ``among`` that are controls of the rule ``name``, in the same form.

    Names that no rule has today, as stored rows may have, are controls of none.
    """
    known = ((each, find(each)) for each in among)
    return tuple(each for each, found in known if isinstance(found, Control) and found.of == name)


def placebo_of(name: str, among: Iterable[str] | None = None) -> str | None:
    """The placebo that the rule ``name`` has to beat: its own rates dealt to others.

    Without ``among``, the name that a study would give it (None for a control). With ``among``,
    the one of these rules that is it, dealt anew by seed before dealt once; None if there is none.
    """
    if among is None:
        return None if owner_of(name) else f"shuffled:{name}"
    found = [rule(each) for each in controls_of(name, among)]
    placebos = [each for each in found if isinstance(each, Control) and each.placebo]
    placebos.sort(key=lambda each: each.seed is not None)
    return placebos[0].name if placebos else None
