"""What a run says in words: the answer, its assumptions, a methods paragraph, checklists."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from netlm_bayes.model import Model
from netlm_bayes.report.facts import Facts
from netlm_bayes.report.run_facts import Tables
from netlm_bayes.report.sentences import TEXT, Sentence, Writer

FIRST = 5
"""Sentences of each part that are read at once; the others are one click away."""
CHECKLISTS = ("barg", "robust")
MISSING = "missing"


@dataclass(frozen=True)
class Answer:
    """What was asked, what was found, and how far it can be relied on."""

    asked: tuple[Sentence, ...]
    found: tuple[Sentence, ...]
    reliability: tuple[Sentence, ...]

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """All of them."""
        return self.asked + self.found + self.reliability


def answer(facts: Facts) -> Answer:
    """Answer the question of a run; of one that failed no estimates are reported."""
    writer, done = Writer(facts), "effects" in facts.tables
    found = writer.sentences("found") if done else []
    reliability = writer.sentences("reliability") if done else []
    sound = bool(facts.checks) and not facts.failed_checks
    place = FIRST - 1 if sound else 0
    reliability[place:place] = writer.sentences("convergence")
    return Answer(tuple(writer.sentences("asked")), tuple(found), tuple(reliability))


def assumptions(facts: Facts) -> tuple[str, ...]:
    """List the assumptions that a run's results rest on."""
    return tuple(one.text for one in Writer(facts).sentences("assumptions"))


def methods(facts: Facts) -> tuple[str, str]:
    """Write a methods paragraph, and its references in the order of their first citation."""
    cited: dict[str, str] = {}

    def cite(name: str) -> str:
        work = references()[name]
        cited[name] = work["full"]
        return f"({work['short']})"

    sentences = Writer(facts).sentences("methods", cite=cite)
    text = " ".join(sentence.text for sentence in sentences)
    return text, f"References: {' '.join(cited.values())}"


def pages(tables: Tables) -> list[str]:
    """Say whether each printed page can have come from the model; names as in the tables."""
    return [one.text for one in Writer(_unlabelled(tables)).sentences("pages")]


def at_odds(tables: Tables) -> list[str]:
    """Name published values at odds with their prediction; names as in the tables."""
    return [one.text for one in Writer(_unlabelled(tables)).sentences("at_odds")]


def conflicts(tables: Tables) -> list[str]:
    """Name priors that the evidence contradicts; names as in the tables."""
    return [one.text for one in Writer(_unlabelled(tables)).sentences("conflicts")]


def _unlabelled(tables: Tables, **details: Any) -> Facts:
    return Facts(tables, {"details": {"labels": {"endpoints": {}}, **details}}, ())


def fragility_words(spec: Model, tables: Tables) -> list[str]:
    """Say what each pooled statement rests on, and its tipping points; names as in the tables."""
    facts = _unlabelled(tables, model=spec.model_dump(mode="json"))
    writer = Writer(facts)
    every = (writer.sentences("fragility", row=row) for row in facts.rows("fragility_words"))
    return [" ".join(sentence.text for sentence in sentences) for sentences in every]


@dataclass(frozen=True)
class ChecklistItem:
    """One item, and what in the run answers it."""

    section: str  # section, item: part of the checklist, and what is asked, in our words
    item: str
    evidence: str  # what answers it; where nothing does, what is missing
    present: bool


def checklist(facts: Facts, name: str) -> tuple[ChecklistItem, ...]:
    """Fill a reporting checklist; what the run does not show is missing."""
    writer = Writer(facts)
    evidence = writer.macros("checklist")
    return tuple(_item(asked, writer, evidence) for asked in checklists()[name]["items"])


def _item(asked: Mapping[str, str], writer: Writer, evidence: Any) -> ChecklistItem:
    shown = " ".join(one.text for one in writer.split(getattr(evidence, asked["shown_by"])()))
    lacking = f"{MISSING}: {asked['otherwise']}" if "otherwise" in asked else MISSING
    return ChecklistItem(asked["section"], asked["item"], shown or lacking, bool(shown))


@cache
def references() -> Mapping[str, Mapping[str, str]]:
    """What can be cited, by name: `short` and `full`."""
    return tomllib.loads((TEXT / "references.toml").read_text("utf-8"))


@cache
def checklists() -> Mapping[str, Mapping[str, Any]]:
    """Checklists by name: `title`, `doi` and `items`."""
    return tomllib.loads((TEXT / "checklists.toml").read_text("utf-8"))
