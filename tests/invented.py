"""Codebooks of invented diseases, in a line or two."""

from typing import Any

from netlm_bayes.codebook import Codebook


def book(
    endpoints: dict[str, Any] | None = None, /, **covariates: str | dict[str, Any]
) -> Codebook:
    """Covariates as `"early *late"`, levels with the reference starred or first; as `"(years)"`.

    More keys stand in a dictionary, beside `levels` so written.
    """
    return Codebook.model_validate(
        {
            "id": "invented",
            **({"endpoints": endpoints} if endpoints else {}),
            "covariates": {name: _covariate(name, told) for name, told in covariates.items()},
        }
    )


def _covariate(name: str, told: str | dict[str, Any]) -> dict[str, Any]:
    more = {"levels": told} if isinstance(told, str) else told
    if more["levels"].startswith("("):
        return {"label": name.capitalize(), "unit": more["levels"].strip("()")}
    words = more["levels"].split()
    starred = [word[1:] for word in words if word.startswith("*")]
    levels = [word.removeprefix("*") for word in words]
    reference = starred[0] if starred else levels[0]
    return {"label": name.capitalize(), **more, "levels": levels, "reference": reference}
