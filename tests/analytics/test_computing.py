"""A country's function for figures: whatever it does, it is said, and nobody waits for it for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from app.analytics.computing import Computing, TookTooLong
from app.analytics.json_text import Unfit
from app.analytics.marking import Marking, MarkingUnavailable
from app.analytics.rows import all_rows, event_rows
from app.records.actions import Action
from app.records.schema import EventDocument, event_document
from tests.analytics.test_rows import accepted, as_json
from tests.records.documents import document, uuid

Json = dict[str, Any]


def record(number: int = 1, **declaration: Any) -> EventDocument:
    return event_document(document(accepted(declaration=declaration), id=uuid(number)))


def declaration_after(computed: Callable[[Action, Mapping[str, Any]], Any], **declaration: Any) -> Json:
    (row,) = as_json(event_rows(record(**declaration), Marking({"a": "a"}, {}, Computing(computed, 5))))
    return dict(row["declaration"])


@pytest.fixture
def hang() -> Iterator[Callable[[Action, Mapping[str, Any]], Json]]:
    """A function that returns for records that say nothing, and waits for the end of the test for others."""
    over = threading.Event()

    def computed(_action: Action, declaration: Mapping[str, Any]) -> Json:
        if declaration:
            over.wait(30)
        return {"figure": 1}

    yield computed
    over.set()


def test_one_that_does_not_end_keeps_no_other_record_from_its_figures(
    hang: Callable[[Action, Mapping[str, Any]], Json],
) -> None:
    made = all_rows([record(1), record(2, b=1), record(3)], Marking({}, {}, Computing(hang, 0.1)))
    assert [isinstance(one, Unfit) for one in made] == [False, True, False]
    assert "did not end within 0.1 s: mend rules.py" in str(made[1])


def test_the_same_one_again_is_not_waited_for(hang: Callable[[Action, Mapping[str, Any]], Json]) -> None:
    computing = Computing(hang, 0.05)
    for _ in range(20):
        hanging, quick = computing.figures([record(1, b=1), record(2)])
        assert isinstance(hanging, TookTooLong)
        assert quick == [{"figure": 1}]


def test_after_some_that_never_ended_no_more_are_begun(hang: Callable[[Action, Mapping[str, Any]], Json]) -> None:
    computing = Computing(hang, 0.05)
    for number in range(8):
        computing.figures([record(number + 1, b=1)])
    with pytest.raises(MarkingUnavailable, match="never returned"):
        event_rows(record(9), Marking({}, {}, computing))


def test_many_that_are_slow_together_are_no_hanging_ones() -> None:
    def computed(_action: Action, _declaration: Mapping[str, Any]) -> Json:
        threading.Event().wait(0.01)
        return {"figure": 1}

    made = all_rows([record(number) for number in range(1, 31)], Marking({}, {}, Computing(computed, 0.2)))
    assert not [one for one in made if isinstance(one, Unfit)]


def test_an_event_in_which_nothing_was_accepted_has_no_figures() -> None:
    empty = event_document(document(id=uuid(1)))
    assert Computing(lambda _action, _declaration: {}, 5).figures([empty]) == [[]]


@pytest.mark.parametrize("wrong", [None, 5, [("a", 1)], {1: 2}, "figures"], ids=repr)
def test_what_are_no_figures_is_said(wrong: Any) -> None:
    with pytest.raises(Unfit, match="returned no figures by name"):
        declaration_after(lambda _action, _declaration: wrong)


@pytest.mark.parametrize("raised", [SystemExit(3), KeyboardInterrupt(), RecursionError()], ids=repr)
def test_one_that_would_end_the_process_does_not(raised: BaseException) -> None:
    def computed(_action: Action, _declaration: Mapping[str, Any]) -> Json:
        raise raised

    with pytest.raises(Unfit, match=type(raised).__name__):
        declaration_after(computed)


def test_it_cannot_change_the_record() -> None:
    def computed(_action: Action, declaration: Any) -> Json:
        declaration["a"] = "forged"
        return {}

    with pytest.raises(Unfit, match="TypeError"):
        declaration_after(computed, a="said")


def test_figures_without_a_value_are_left_out() -> None:
    figures = {"none": None, "nan": float("nan"), "endless": float("inf"), "x.y": {"deep": None, "kept": 0}}
    assert declaration_after(lambda _action, _declaration: figures, a=1) == {"a": 1, "x_y": {"kept": 0}}


def test_a_figure_goes_before_the_field_of_its_name() -> None:
    assert declaration_after(lambda _action, _declaration: {"a": "coarser"}, a="exact") == {"a": "coarser"}
