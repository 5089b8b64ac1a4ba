"""Which service hangs on which: ancestors, depths, and circles that cannot be (S-16)."""

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

Dependencies = Mapping[str, Sequence[str]]
"""For each service those that it declares to depend on."""


def ancestors(services: Dependencies, service: str) -> frozenset[str]:
    """Every service that `service` hangs on, however far away; never itself."""
    found: set[str] = set()
    ahead = list(services.get(service, ()))
    while ahead:
        one = ahead.pop()
        if one not in found:
            found.add(one)
            ahead += services.get(one, ())
    return frozenset(found - {service})


def depths(services: Dependencies) -> dict[str, int]:
    """How many services lie below each on the longest way down; 0 for one that depends on nothing.

    A circle, which no file that comes into force has, is cut open at the dependency that `circles` names.
    """
    graph, _ = _opened(services)
    found: dict[str, int] = {}
    for service in TopologicalSorter(graph).static_order():
        found[service] = 1 + max((found[one] for one in graph.get(service, ())), default=-1)
    return found


def circles(services: Dependencies) -> list[list[str]]:
    """The circles, each as the services on it in order, each depending on the next, the last on the first.

    Cutting the last dependency of each leaves none.
    """
    return _opened(services)[1]


def _opened(services: Dependencies) -> tuple[dict[str, list[str]], list[list[str]]]:
    """The services with every circle cut open, and the circles that were there."""
    graph = {service: list(dict.fromkeys(own)) for service, own in services.items()}
    found: list[list[str]] = []
    while True:
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            # Each in the list is depended on by the next; the first stands at the end again.
            around = [str(one) for one in reversed(error.args[1][1:])]
            first = around.index(next(one for one in graph if one in around))
            circle = around[first:] + around[:first]
            graph[circle[-1]].remove(circle[0])
            found.append(circle)
        else:
            return graph, found
