"""The people of the portal: some that the chats name, and as many others as the chats need."""

from dataclasses import replace
from functools import cache
from random import Random

from .files import read_json
from .world import Person

ME = 1
"""The default user."""

COLORS = (
    *("#df532d", "#64a513", "#4ba984", "#4ba5c3", "#3e99ce", "#8474c8", "#1eb4aa", "#f76187", "#58cc47"),
    *("#ab7761", "#29619b", "#728f7a", "#ba9c7b", "#e8a441", "#556574", "#909090", "#5e5f5e", "#8d51eb"),
)
"""The only colours there are."""


@cache
def named_people() -> dict[str, Person]:
    """Return the people to whom the chat fixtures refer, by their key."""
    return {key: Person(**values) for key, values in read_json("people")["cast"].items()}


def person_id(key: str | int) -> int:
    """Return a person's id, given that or a key of people.json; "" is the system, 0."""
    if isinstance(key, int):
        return key
    return named_people()[key].id if key else 0


def color_of(person: Person) -> str:
    """Return a person's colour, which never changes."""
    return COLORS[person.id % len(COLORS)]


def populate(seed: int, crowd: int) -> dict[int, Person]:
    """Make the named people and `crowd` others, by id."""
    rng = Random(f"{seed}:people")  # noqa: S311 - the same office for a seed, not a secret
    people = {person.id: replace(person) for person in named_people().values()}
    number = 300
    for _ in range(crowd):
        number += rng.choice((2, 3, 4))
        people[number] = _employee(number, rng)
    return people


def _employee(number: int, rng: Random) -> Person:
    data = read_json("people")
    gender = rng.choice("MF")
    if rng.random() < 0.2:  # noqa: PLR2004 - a fifth work abroad
        names = data["names"]["en"]
        return Person(number, rng.choice(names[gender]), rng.choice(names["last"]), gender, "Consultant")
    names = data["names"]["ru"]
    return Person(
        number,
        rng.choice(names[gender]),
        rng.choice(names["last"]) + ("" if gender == "M" else "а"),
        gender,
        rng.choice(data["positions"]),
        birthday=rng.choice(("", "", f"{rng.randint(1, 28):02}-{rng.randint(1, 12):02}")),
        phones=rng.choice(({}, {"personal_mobile": f"+7916555{number:04}"})),
        seen_ago=rng.randint(30, 500_000),
    )
