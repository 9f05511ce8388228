"""Points and directions from names alone, and log densities and gradients held against frozen ones.

A component of a parameter has its own numbers at each point, made from its name: whatever the order
of variables and labels, the points are the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.frozen.cases import HERE
from tests.frozen.names import LABELS, VARIABLES
from tests.frozen.present import Graph

type Array = NDArray[np.float64]
type Place = tuple[float, float]
type Frozen = Mapping[str, Any]

FILE = HERE / "densities.json"
POINTS, DIRECTIONS = 50, 3
WIDER = 1.2
"""Times the prior's standard deviation."""
TOLERANCE, OF_FITTED = 1e-10, 1e-8
"""Of the sum of all terms' sizes. Rounding: 2e-14 of it where the same graph is rewritten, and less
than 1e-10 as on another processor; 2e-10 after an optimiser. A changed term moves far more."""


def normal(name: str, number: int) -> float:
    """A standard normal that belongs to a name and a number."""
    digest = hashlib.sha256(f"{name} {number}".encode()).digest()
    return NormalDist().inv_cdf((int.from_bytes(digest[:6]) + 0.5) / 2**48)


def component(variable: str, labels: Sequence[str]) -> str:
    """Name of one component, in the frozen names."""
    old_variable = {new: old for old, new in VARIABLES.items()}
    old_label = {new: old for old, new in LABELS.items()}
    told = ", ".join(old_label.get(label, label) for label in labels)
    return f"{old_variable.get(variable, variable)}[{told}]"


def normals(graph: Graph, what: str, count: int) -> dict[str, Array]:
    """Standard normals for every component of every free variable, some of each."""
    found = {}
    for variable, components in graph.components.items():
        names = [f"{what} {component(variable, labels)}" for labels in components]
        values = [[normal(name, number) for name in names] for number in range(count)]
        found[variable] = np.reshape(values, (count, *graph.shapes[variable]))
    return found


def points(graph: Graph, places: Mapping[str, Place]) -> dict[str, Array]:
    """All points, by the graph's own names; `places` are centre and spread of each component."""
    found = {}
    for variable, scores in normals(graph, "point", POINTS).items():
        names = [component(variable, labels) for labels in graph.components[variable]]
        own = [places.get(name, places.get(name.partition("[")[0])) for name in names]
        if None in own:
            raise KeyError(
                f"{variable}: not a frozen variable; is it called otherwise in names.py?"
            )
        centre, spread = np.reshape(np.transpose(own), (2, *graph.shapes[variable]))
        found[variable] = centre + spread * scores
    return found


def measured(graph: Graph, places: Mapping[str, Place]) -> dict[str, list[Any]]:
    """Log densities, their gradients' norms and projections, and the size of what is summed."""
    found = graph.density(points(graph, places))
    directions = normals(graph, "direction", DIRECTIONS)
    norm, along = np.zeros(POINTS), np.zeros((DIRECTIONS, POINTS))
    size = np.zeros(POINTS)
    for variable, gradient in found.gradient.items():
        flat = gradient.reshape(POINTS, -1)
        norm += (flat**2).sum(axis=1)
        parts = flat[None] * directions[variable].reshape(DIRECTIONS, 1, -1)
        along += parts.sum(axis=2)
        size += np.abs(flat).sum(axis=1)
    return {
        "log_density": found.total.tolist(),
        "gradient_norm": np.sqrt(norm).tolist(),
        **{f"gradient_along_{k}": values.tolist() for k, values in enumerate(along)},
        "size": [float(f"{value:.3g}") for value in found.size + size],
    }


def places_of(graph: Graph, seed: int) -> dict[str, Place]:
    """Centre and spread of the prior of every component: of a variable where they are all alike."""
    found: dict[str, Place] = {}
    for variable, draws in graph.prior(4000, seed).items():
        flat = draws.reshape(len(draws), -1)
        own = [
            (round(float(mean), 1) + 0.0, round(WIDER * float(sd), 1))
            for mean, sd in zip(flat.mean(axis=0), flat.std(axis=0), strict=True)
        ]
        if len(set(own)) == 1:
            found[component(variable, ()).partition("[")[0]] = own[0]
            continue
        names = [component(variable, labels) for labels in graph.components[variable]]
        found |= dict(zip(names, own, strict=True))
    return found


def moved(frozen: Frozen, graph: Graph, tolerance: float = TOLERANCE) -> Iterator[str]:
    """Say what differs: free variables, log density or gradient, each at its worst point.

    Points so far out that a frozen gradient is no number are not compared.
    """
    variables = {VARIABLES.get(name, name) for name in frozen["variables"]}
    if variables != set(graph.shapes):
        yield f"free variables: {sorted(variables)} are now {sorted(graph.shapes)}"
        return
    now, size = measured(graph, frozen["places"]), np.array(frozen["values"]["size"])
    known = np.isfinite(size)
    for what, values in frozen["values"].items():
        if what == "size":
            continue
        apart = np.where(known, np.abs(np.array(now[what]) - values) / size, 0.0)
        worst = int(np.argmax(np.where(np.isnan(apart), np.inf, apart)))
        if not apart[worst] <= tolerance:
            yield (
                f"{what}: was {values[worst]!r} at point {worst} and is {now[what][worst]!r},"
                f" {apart[worst]:.1e} of {size[worst]:g} apart"
            )


def frozen_densities() -> dict[str, Frozen]:
    """Read what is frozen, by case."""
    found: dict[str, Frozen] = json.loads(FILE.read_text("utf-8"))
    return found


def write(found: Mapping[str, Frozen]) -> None:
    """Write what is frozen, a line a case."""
    lines = [
        f"{json.dumps(name)}: {json.dumps(case, separators=(',', ':'))}"
        for name, case in found.items()
    ]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


def freeze(graph: Graph, seed: int) -> dict[str, Any]:
    """Measure a graph anew."""
    places = places_of(graph, seed)
    return {"variables": sorted(graph.shapes), "places": places, "values": measured(graph, places)}
