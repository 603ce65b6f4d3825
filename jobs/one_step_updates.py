"""One step at initialization, depth 3 to 200: an exponent and a verdict per rule in a minute.

Purpose   The criterion behind the depth rules, without training: how far does one step move every
          layer, and which rule keeps the mean over layers the same at every depth? Plain chains
          (1-D CNNs), residual nets, and vision transformers with the norm before and after the
          addition.
Cost      Under a minute on 2 cores, on digits. Smoke: to depth 70.
Expect    Published (abstract of arXiv 2510.04327): the mean second moment of the updates grows as
          eta^2 L^3, so that the one-step rate falls as L^(-3/2) in wide chains and in residual nets
          with branch weights of variance 1/K. Depth here counts layers and additions. Narrow chains
          are heavy-tailed: moments vary between seeds as the exponential of depth over width, and
          at depth 200 and width 64 the mean over 8 seeds is the doing of one or two; the report
          shows such a chain and gives no verdict, which would need a width of 8 times its depth
          (horizon_in_steps has one). jelassi draws the readout with variance 1/n^2 as the papers
          on chains do, the other rules with 1/n. Residual nets and transformers vary by about their
          mean at any depth, and 8 seeds give the exponent to about 0.1. The chain is
          one-dimensional because zero padding loses about 8% of the signal per layer on 8 x 8
          images, and 0.1% on a row of 64 pixels.
          Part cnn-pinned repeats the chain with every layer's forward second moment pinned to its
          expectation, which infinite width does by itself. Written down before its first run. H1:
          at depth 70 the moments of tuned-constant vary between seeds (standard deviation over
          mean) less than half as much as in cnn. H2: its exponent of the one-step rate, by the mean
          to depth 70, lies within 0.25 of -3/2, and nearer to it than cnn's. H3: the verdicts stay
          undetermined, for pinning does not touch the backward pass and width bounds both.
Command   python jobs/one_step_updates.py [--scale smoke] [--out URI]
"""

from dataclasses import replace

from benchmark import job
from benchmark.study import PLAIN_SGD, Study, Updates

CHAIN = Updates(
    name="cnn",
    space="cnn",
    options={"width": 64, "dimensions": 1},
    rules=("tuned-constant", "jelassi", "effective-depth", "path-cubed"),
    seeds=8,
    depths=(3, 8, 24, 70, 200),
    recipe=replace(PLAIN_SGD, batch=4),
)

PINNED = replace(CHAIN, name="cnn-pinned", recipe=replace(CHAIN.recipe, pin_forward_moments=True))

RESIDUAL = replace(
    CHAIN,
    name="resnet",
    space="resnet",
    options={"width": 24},
    rules=(
        "tuned-constant",
        "depth-mup",
        "depth-mup:weight-variance-all-rates",
        "effective-depth",
        "path-cubed",
    ),
)

PRE_LN = replace(
    RESIDUAL,
    name="vit-pre-ln",
    space="vit",
    options={"width": 32, "placement": "pre"},
    depths=(1, 4, 12, 35, 100),  # blocks, of two additions each
)

POST_LN = replace(PRE_LN, name="vit-post-ln", options=PRE_LN.options | {"placement": "post"})

PARTS = (CHAIN, PINNED, RESIDUAL, PRE_LN, POST_LN)

STUDY = Study(
    name="one_step_updates",
    question="Which rule keeps the size of one step the same from depth 3 to depth 200?",
    parts=PARTS,
)

SMOKE = Study(
    name="one_step_updates-smoke",
    question=STUDY.question,
    parts=tuple(
        replace(part, depths=tuple(depth for depth in part.depths if depth <= 70)) for part in PARTS
    ),
)

if __name__ == "__main__":
    raise SystemExit(job.main(STUDY, scales={"smoke": SMOKE}))
