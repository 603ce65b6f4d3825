"""Files that a person names: whole or not at all, whatever is at the name and whatever fails."""

import errno
import os
import stat
from pathlib import Path

import pytest

from search_spaces.errors import InvalidInput
from search_spaces.output_files import make_output, replace_between, write_output

FAILING = {
    "the disk is full": errno.ENOSPC,
    "the quota is spent": errno.EDQUOT,
    "the limit of a file is reached": errno.EFBIG,
    "the disk fails": errno.EIO,
    "no file can be opened": errno.EMFILE,
}


@pytest.mark.parametrize("number", FAILING.values(), ids=FAILING)
@pytest.mark.parametrize("when", ["at once", "halfway"])
def test_what_was_there_stays_where_writing_fails(when: str, number: int, tmp_path: Path) -> None:
    def fail(draft: Path) -> None:
        if when == "halfway":
            draft.write_text("half")
        raise OSError(number, os.strerror(number))

    (tmp_path / "page.md").write_text("old")
    with pytest.raises(InvalidInput, match=rf"--out .*page\.md cannot be .*{os.strerror(number)}"):
        make_output(tmp_path / "page.md", fail)
    assert [path.name for path in tmp_path.iterdir()] == ["page.md"]
    assert (tmp_path / "page.md").read_text() == "old"


def test_an_interruption_leaves_no_draft(tmp_path: Path) -> None:
    def interrupt(draft: Path) -> None:
        draft.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_output(tmp_path / "page.md", interrupt)
    assert not list(tmp_path.iterdir())


def test_a_link_stays_a_link_and_a_mode_stays(tmp_path: Path) -> None:
    real, link = tmp_path / "real.md", tmp_path / "link.md"
    real.write_text("old")
    real.chmod(0o604)
    link.symlink_to(real.name)
    write_output(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o604


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_output(pipe, "through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("place", [".", "folder", "no/such", "file/x", "x" * 300, "a\udcffb/x"])
def test_what_cannot_be_written_is_one_sentence(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match=r"^--svg .* cannot be written") as caught:
        write_output(Path(place), "x", "--svg")
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_folder_is_made_where_asked(tmp_path: Path) -> None:
    write_output(tmp_path / "new" / "a.bin", b"\0", make_folder=True)
    assert (tmp_path / "new" / "a.bin").read_bytes() == b"\0"


@pytest.mark.parametrize("content", [None, b"no marks", b"<b>only one", b"</b><b>", b"\xff<b></b>"])
def test_a_page_that_cannot_be_changed_stays(content: bytes | None, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    if content is not None:
        page.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"page\.md (cannot be read|has no lines)"):
        replace_between(page, "<b>", "</b>", "new")
    assert (page.read_bytes() if page.exists() else None) == content
