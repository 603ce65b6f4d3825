"""docs/your-rule.md and docs/your-space.md: installed as packages, and run as in a notebook."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.commands import environment

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {name: (DOCS / f"{name}.md").read_text("utf-8") for name in ("your-rule", "your-space")}
KERNEL = 'import sys\nsys.argv = ["/opt/ipykernel_launcher.py", "-f", "/run/kernel-1.json"]\n'
"""How a notebook's process begins."""
BROKEN = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "broken"
version = "1"
[project.entry-points."benchmark.rules"]
absent = "no_such_module:RULE"
number = "math:pi"
path-cubed = "math:e"
[project.entry-points."search_spaces.spaces"]
absent-space = "my_spaces:ABSENT"
no-space = "math:pi"
resnet = "math:e"
[tool.setuptools]
py-modules = []
"""


def blocks(page: str, language: str, files: bool = False) -> list[str]:
    """The page's blocks, those that name a file or those that do not."""
    found = re.findall(rf"^```{language}\n(.*?)^```", PAGES[page], re.MULTILINE | re.DOTALL)
    return [each for each in found if bool(re.match(r"# \w+\.(py|toml)\n", each)) is files]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of installed packages: those of both pages, and a broken one."""
    folder = tmp_path_factory.mktemp("packages")
    for page in PAGES:
        (folder / page).mkdir()
        for block in blocks(page, "toml", True) + blocks(page, "python", True):
            first, _, text = block.partition("\n")
            (folder / page / first.removeprefix("# ")).write_text(text, "utf-8")
    (folder / "broken").mkdir()
    (folder / "broken" / "pyproject.toml").write_text(BROKEN, "utf-8")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--disable-pip-version-check", "--target"]
    command += [str(folder / name) for name in ("site", *PAGES, "broken")]
    subprocess.run(command, check=True, capture_output=True, timeout=200)
    return folder / "site"


def run(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = environment()
    variables["PYTHONPATH"] += f":{site}"
    return subprocess.run(
        [sys.executable, *arguments],
        env=variables,
        cwd=site,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )


RATE = "benchmark.rate resnet-8 --base resnet-2 --base-rate 1 --rule"
COMMANDS = [
    (f"{RATE} root-blocks", "", "root-blocks"),
    ("search_spaces.__main__ describe skip-mlp-2", "", "skip-mlp-2"),
    ("search_spaces.__main__ describe resnet-2", "", "resnet-2"),
    (
        f"{RATE} absent",
        "error: rule 'absent' of package broken cannot be imported: No module named "
        "'no_such_module'; mend or uninstall it",
        "",
    ),
    (
        f"{RATE} number",
        "error: rule 'number' of package broken is no benchmark.rules.Rule of that name (letters, "
        "digits and -); mend it",
        "",
    ),
    (
        "search_spaces.__main__ export absent-space --out x.parquet",
        "error: space 'absent-space' of package broken cannot be imported: module 'my_spaces' has "
        "no attribute 'ABSENT'; mend or uninstall it",
        "",
    ),
    (
        "search_spaces.__main__ export no-space --out x.parquet",
        "error: space 'no-space' of package broken is no dataclass with that name as its name; "
        "mend it",
        "",
    ),
]
RUN = """
import contextlib, importlib, io
for command in COMMANDS:
    module, *arguments = command.split()
    said, complained = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
        code = importlib.import_module(module).main(arguments)
    print(repr((code, said.getvalue(), complained.getvalue())))
"""


def test_pages_print_what_they_say_and_commands_know_what_is_installed(site: Path) -> None:
    """One process: both pages' examples, then commands, those of a broken package among them."""
    code = [blocks("your-rule", "python")[0], *blocks("your-space", "python")]
    listed = f"COMMANDS = {[command for command, _, _ in COMMANDS]}"
    ran = run(site, "-c", "\n".join([KERNEL, *code, listed, RUN]))
    assert ran.returncode == 0, ran.stderr
    said = ran.stdout.splitlines()
    told = re.findall(r"^# (.*)$", "".join(code), re.MULTILINE)
    assert said[: len(told)] == told
    for (_, sentence, shown), line in zip(COMMANDS, said[len(told) :], strict=True):
        returned, output, error = ast.literal_eval(line)
        assert returned == (2 if sentence else 0)
        assert error == (f"{sentence}\n" if sentence else "")
        assert shown in output


@pytest.mark.slow
@pytest.mark.ray
def test_a_notebook_s_study_of_its_own_rule_runs_to_its_table(site: Path) -> None:
    """A Rule object, ``job.main`` under Jupyter's arguments, and the rows of every stage."""
    code = blocks("your-rule", "python")
    ran = run(site, "-c", KERNEL + "\n".join([*code, "print(list(frame.columns[:3]))"]))
    assert ran.returncode == 0, ran.stderr
    assert "['part', 'kind', 'stage']" in ran.stdout
    rows = [line.split()[-2:] for line in ran.stdout.splitlines()]
    assert ["root-blocks", "6"] in rows  # two rungs at three rates
