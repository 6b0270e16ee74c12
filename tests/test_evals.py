"""The tasks of `make evals` are well formed; that the scorers are right is proven there."""

import re

import pytest

from evals.tasks import EvalTask, pins_of, tasks

EVERY = list(tasks().values())


def test_there_are_thirty_tasks_in_two_languages_and_each_is_one() -> None:
    assert len(EVERY) == 30
    assert len({task.prompt for task in EVERY}) == 30
    in_russian = [task for task in EVERY if re.search("[а-я]", task.prompt.lower().partition("“")[0])]
    assert {task.id.endswith("-ru") for task in in_russian} == {True}
    assert 12 <= len(in_russian) <= 18


@pytest.mark.parametrize("task", EVERY, ids=lambda task: task.id)
def test_a_task_fits_its_portal(task: EvalTask) -> None:
    pinned = set(pins_of(task.open_portal().world))
    assert task.unpinned <= pinned
    assert not task.pinned & pinned
    assert all(re.compile(pattern) for pattern in (*task.says, *task.never))
    assert task.fails <= {"idle", "hasty", "obedient"}
    assert task.fails
    assert len(task.calls) + 1 <= task.turns
