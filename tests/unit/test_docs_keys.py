"""The reference of keys is of today's schemas, and leaves no key unexplained."""

from collections.abc import Callable
from types import ModuleType

import pytest
from pydantic import AliasChoices, Field

from netlm_bayes.files.schema import Document
from netlm_bayes.model import Model
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.items import Item, Median


class Explained(Document):
    """A schema that explains its keys in every way there is.

    Attributes
    ----------
    told : str
        Above, in the attributes.
    """

    described: str = Field(description="in the field")
    beside: int = 3  # beside the field
    # first, second: above both
    first: str = ""
    second: tuple[float, ...] = (1.5, 2.0)
    told: str = ""
    covariate: str = ""
    time: float = Field(default=1.0, validation_alias=AliasChoices("months", "time"))
    nothing: str = ""


@pytest.fixture(scope="module")
def tool(load_tool: Callable[[str], ModuleType]) -> ModuleType:
    return load_tool("docs_keys")


def test_the_page_is_written_from_the_schemas_of_today(tool):
    assert tool.PAGE.read_text("utf-8") == tool.page(), "run python tools/docs_keys.py"


def test_no_key_is_without_a_meaning(tool):
    assert tool.unexplained() == []


def test_a_meaning_stands_beside_its_field_or_belongs_to_its_name(tool):
    (part,) = tool.parts_of(Explained)
    assert {key.name: key.meaning for key in part.keys} == {
        "described": "in the field",
        "beside": "beside the field",
        "first": "above both",
        "second": "above both",
        "told": "Above, in the attributes.",
        "covariate": "key of a covariate of the codebook",
        "months` or `time": tool.SHARED["time"],
        "nothing": "",
    }


def test_a_key_says_what_may_stand_there_and_what_is_taken_otherwise(tool):
    (part,) = tool.parts_of(Explained)
    said = {key.name: (key.value, key.default) for key in part.keys}
    assert said["described"] == ("text", "needed")
    assert said["beside"] == ("whole number", "`3`")
    assert said["second"] == ("list of numbers", "`[1.5, 2]`")
    keys = {key.name: key for part in tool.parts_of(Model) for key in part.keys}
    assert keys["outcome"].value == '`"survival"`, `"response"`'
    assert keys["association"].value == "list of tables"


def test_what_every_kind_has_is_told_once(tool):
    (kind,) = tool.parts_of(Median)
    assert not {*Item.model_fields} & {key.name for key in kind.keys}
    every = [part for part in tool.parts_of(Cohort) if part.heading.endswith("of every kind")]
    assert [{key.name for key in part.keys} for part in every] == [{*Item.model_fields}]
