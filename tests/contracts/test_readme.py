"""What the README shows of the code is the code's own."""

from support.room_tree import README, replaced


def test_the_tree_of_rooms_is_made_from_the_docstrings() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == replaced(text), "the rooms have changed; run make readme"
