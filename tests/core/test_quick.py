"""Records that are cheap to make are dataclasses in every other way; answers kept by value are the same answers."""

from dataclasses import asdict, replace

from outreach.core.quick import Memo, record


@record
class Point:
    """A record of two fields."""

    x: int
    name: str = ""


def test_a_record_is_a_dataclass_with_slots() -> None:
    point = Point(1, name="a")
    assert replace(point, x=2) == Point(2, "a")
    assert asdict(point) == {"x": 1, "name": "a"}
    assert len({point, Point(1, "a")}) == 1
    assert not hasattr(point, "__dict__")


def test_a_memo_makes_each_value_once_and_never_holds_too_many() -> None:
    made: list[int] = []

    def make(value: int) -> int:
        made.append(value)
        return -value

    memo: Memo[int, int] = Memo(make)
    assert [memo[2], memo[2], memo[3]] == [-2, -2, -3]
    assert made == [2, 3]
    for value in range(70_000):
        assert memo[value] == -value
    assert len(memo) < 70_000
