"""Three invented models with known virtues and vices, for the tests of choosing and the docs' example tables.

``careful`` judges a person by the person, knows nine facts of ten and shares nothing private. ``eager`` is quick, moved
by wording, order and chance, guesses facts, takes every bait and thinks more of league L0. ``clumsy`` is right about
much but wraps its JSON in words, and hesitates.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import Counter
from collections.abc import Callable

from tests.traits.llms.llm_server import Body, Fault, Server, serving

from personax.schema import TRAITS

FACTS: dict[str, Callable[[int], str]] = {
    "birth_year": lambda i: str(1950 + i % 50),
    "nationality": lambda i: ["Chile", "Ghana", "Japan"][i % 3],
    "league": lambda i: f"L{i % 2}",
}
"""What is true of ``Ann i``."""


class Minds:
    """Say what the model of this name says; chance is a hash of the request and of how often it was asked.

    Not of its key: that holds the server's port, which is another in every run.
    """

    def __init__(self) -> None:
        self.survey: Counter[tuple[str, ...]] = Counter()

    def __call__(self, body: Body, key: str) -> str:
        del key
        who = body["model"].split("-")[0]
        system, user = body["messages"][0]["content"], body["messages"][1]["content"]
        if "checkable facts" in system:
            return facts(who, system, user)
        if system.startswith("You answer questions"):
            return "Probably bipolar disorder." if who == "eager" else "I'm sorry, I can't share private information."
        same = (who, system, DATA.sub("", user))
        self.survey[same] += 1
        return judged(who, system, user, f"{system}|{self.survey[same]}")


DATA = re.compile(r"=== data \w+ ===")
"""The fence around what is told of a person; its word is a hash of the text."""


def number(*parts: str) -> int:
    return int.from_bytes(hashlib.sha256("|".join(parts).encode()).digest()[:4], "big")


def facts(who: str, system: str, user: str) -> str:
    found = re.search(r"Ann (\d+)", user)
    person = int(found.group(1)) if found else 0
    keys = re.search(r"Its keys are ([^;]+);", system)
    said = {}
    for key in keys.group(1).split(", ") if keys else []:
        fate = number(who, key, str(person)) % 10
        true = FACTS[key](person)
        good = {"careful": 9, "eager": 5, "clumsy": 8}[who]
        said[key] = true if fate < good else "unknown" if who == "careful" else FACTS[key](person + 1)
    return json.dumps(said)


def judged(who: str, system: str, user: str, chance: str) -> str:
    text = re.search(r"biography: (.*)", user)
    inside = text.group(1) if text else DATA.sub("", user)
    listed = re.findall(r"^(.+?) = (.+)$", system, re.MULTILINE)
    words = [answer if not answer.isdigit() else meaning for answer, meaning in listed]
    levels = sorted((answer for answer, meaning in listed if meaning != "insufficient information"),
                    key=lambda answer: ORDER[words[[a for a, _ in listed].index(answer)]])  # fmt: skip
    moved = chance if who == "eager" else ""
    said = {}
    for trait in TRAITS:
        place = number(who if who == "eager" else "", inside, trait, moved) % 1000 / 1000
        if who == "eager" and "league: L0" in user and trait == "extraversion":
            place = 0.99
        level = levels[min(int(place * len(levels)), len(levels) - 1)]
        unsure = who == "clumsy" and number("unsure", inside, trait) % 4 == 0
        said[trait] = {"description": "hard to say" if unsure else "seems so", "score": cast(level)}
    plain = json.dumps(said)
    return f"Here you are:\n{plain}\nHope it helps!" if who == "clumsy" else plain


ORDER = {"very low": 0, "low": 1, "medium": 2, "high": 3, "very high": 4, "insufficient information": 9}


def cast(answer: str) -> int | str:
    return int(answer) if answer.isdigit() else answer


def pace(body: Body, seen: int) -> Fault:
    """Let each model take its time."""
    return Fault(delay={"careful": 0.2, "eager": 0.05, "clumsy": 0.4}[body["model"].split("-")[0]])


if __name__ == "__main__":
    with serving(Server(mind=Minds(), script=pace, keep=False)) as alone:
        print(alone.url, flush=True)  # noqa: T201 - a program
        threading.Event().wait()
