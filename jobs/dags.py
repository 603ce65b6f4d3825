"""Five-node DAGs: is the predicted rate the best one, or only correlated with it?

Purpose   The topology studies of arXiv 2402.17440 report the correlation r of predicted and
          measured best rates. r says nothing of the size: a rule whose rates are all ten times
          off, or whose exponent is twice the right one, keeps its r. Both are measured here on
          enough DAGs for an interval: r, and by what factor each rule's rates are off. The
          paper's in-degree (of an edge's source), its derivation's (of the target) and its released
          code's weights are run.
Cost      CIFAR-10: 203 units, 3.5 million replica-steps; --dry-run estimates the time here. Laptop:
          about half an hour on 2 cores with images of 16x16 pixels (--dataset npz:FILE). Digits:
          minutes. Smoke: about a minute.
Expect    Written down before the first run. H1: the interval of r under path-cubed holds the
          published value, 0.838 (MLP) and 0.856 (CNN; over kernels too, here kernel 3 only). H2:
          effective-depth's r is no smaller, since r is blind to the exponent. H3: path-cubed's
          rates are off by more than a factor 2 on average, and one tuned rate by less.
          Published: arXiv 2402.17440, the paper's text.
Command   python jobs/dags.py [--scale laptop | digits | smoke] [--out URI]
"""

from dataclasses import replace

from benchmark import job
from benchmark.study import PLAIN_SGD, Depth, Study, rate_grid

MLP = Depth(
    name="mlp",
    space="dag-mlp",
    options={"width": 128},
    rules=(
        "tuned-constant",
        "path-cubed",
        "path-cubed:source-in-degree",
        "path-cubed:released-code",
        "effective-depth",
    ),
    seeds=3,
    sample=60,
    rates=rate_grid(1e-3, 3.0, 14),
    dataset="cifar10",
    recipe=replace(PLAIN_SGD, batch=64, steps=625),
)

CNN = replace(
    MLP,
    name="cnn",
    space="dag-cnn",
    options={"width": 44},
    rules=("tuned-constant", "path-cubed", "effective-depth"),
    sample=40,
)

STUDY = Study(
    name="dags",
    question="Is the rate that path-cubed predicts for a five-node DAG its best one?",
    parts=(MLP, CNN),
)

LAPTOP = STUDY.scaled("laptop", options={"width": 32}, recipe={"steps": 300})

DIGITS = STUDY.scaled(
    "digits", dataset="digits", options={"width": 32}, recipe={"batch": 32, "steps": 150}
)

SMOKE = STUDY.scaled(
    "smoke",
    dataset="digits",
    options={"width": 8},
    rules=("tuned-constant", "path-cubed"),
    seeds=2,
    sample=5,
    rates=rate_grid(1e-2, 2.0, 6),
    recipe={"batch": 32, "steps": 60},
)

if __name__ == "__main__":
    scales = {"laptop": LAPTOP, "digits": DIGITS, "smoke": SMOKE}
    raise SystemExit(job.main(STUDY, scales=scales))
