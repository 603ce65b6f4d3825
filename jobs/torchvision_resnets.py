"""torchvision's ResNet-18 to -152, unedited: which rule carries 18's rate to the others?

Purpose   The question of whoever tuned the small network and now trains the large one. The nets are
          torchvision's own, with batch norm behind every convolution, traced and trained in copies;
          depth is counted on the traced graph. 18 and 34 have basic blocks, 50 and more bottlenecks
          of twice the additions per layer, as they are used. Rules: one constant; branches
          x K^(-1/2) (depth-mup); L^(-3/2) (effective-depth); the sum over paths (path-cubed).
Cost      ImageNet at 224 x 224: 10 units, 1.9 million replica-steps, for GPUs: --dry-run estimates
          the time here; --ranks K trains a unit on K of them. Laptop: images of 64 x 64, 18 to 50,
          60 steps, a few hours on 2 cores. Smoke: about 5 minutes on 2 cores, on digits.
Expect    Written down before the first run. Batch norm makes the weights before it free of scale,
          so that rules' initializations matter little. H1: the exponent of the best rate with He
          weights in layers and additions has an interval that leaves out -1 and -3/2, and the best
          rate of 34 is within a factor of 1.5 of 18's. H2: one constant from 18 costs no loss on 34
          that its interval tells from 0. H3: path-cubed (x 0.027 at 34, 2.5e-8 at 152) leaves every
          rung from 50 on at guessing. H4: effective-depth's rate (x 0.11 at 152) is at least 3
          times below the best there. Published: torchvision trains all five at 0.1
          (references/classification, batch 256).
Command   python jobs/torchvision_resnets.py [--scale laptop | smoke] [--out URI]
          on four GPUs: add --dataset 'imagefolder:PATH?size=224' --ranks 4 --gpus 1
"""

from benchmark import job
from benchmark.study import Depth, Study, rate_grid
from benchmark.study.recipe import Recipe

RESNETS = Depth(
    name="resnets",
    space="torchvision",
    options={"family": "resnet"},
    rules=("tuned-constant", "depth-mup", "effective-depth", "path-cubed"),
    seeds=2,
    depths=(18, 34, 50, 101, 152),
    rates=rate_grid(1e-3, 10.0, 9),
    dataset="imagefolder:data/imagenet?size=224",
    recipe=Recipe(momentum=0.9, weight_decay=1e-4, batch=256),
)

STUDY = Study(
    name="torchvision_resnets",
    question="Which rule carries the rate of torchvision's ResNet-18 to its ResNet-34 to -152?",
    parts=(RESNETS,),
)

LAPTOP = STUDY.scaled(
    "laptop",
    depths=(18, 34, 50),
    rates=rate_grid(1e-3, 1.0, 6),
    recipe={"batch": 32, "steps": 60},
)

SMOKE = STUDY.scaled(
    "smoke",
    dataset="digits",
    rules=("tuned-constant", "depth-mup", "path-cubed"),
    depths=(18, 34),
    rates=rate_grid(1e-4, 1e-1, 4),
    neighbours=False,
    recipe={"batch": 32, "steps": 16},
)

if __name__ == "__main__":
    raise SystemExit(job.main(STUDY, scales={"laptop": LAPTOP, "smoke": SMOKE}))
