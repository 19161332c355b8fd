"""Graphs of needs: who waits for whom. Knows only names."""

from collections.abc import Mapping, Sequence


def find_cycle(needs: Mapping[str, Sequence[str]]) -> list[str]:
    """One circle of needs, its first name repeated at the end; empty if there is none.

    Without recursion: a plan may be thousands of steps deep.
    """
    done: set[str] = set()
    for start in needs:
        trail: list[str] = []
        on_trail: set[str] = set()
        stack: list[tuple[str, bool]] = [(start, False)]
        while stack:
            name, leaving = stack.pop()
            if leaving:
                trail.pop()
                on_trail.discard(name)
                done.add(name)
            elif name in on_trail:
                return [*trail[trail.index(name) :], name]
            elif name not in done:
                trail.append(name)
                on_trail.add(name)
                stack.append((name, True))
                stack.extend((need, False) for need in needs.get(name, ()))
    return []


def is_upstream(needs: Mapping[str, Sequence[str]], name: str, target: str) -> bool:
    """Whether `target` is certainly over before `name` begins."""
    seen: set[str] = set()
    wave = list(needs.get(name, ()))
    while wave:
        if target in wave:
            return True
        seen.update(wave)
        wave = [n for one in wave for n in needs.get(one, ()) if n not in seen]
        wave = list(dict.fromkeys(wave))
    return False


def ends_of(needs: Mapping[str, Sequence[str]], names: Sequence[str]) -> tuple[str, ...]:
    """Those of `names` that none of the others needs: when they are over, all are."""
    needed = {need for name in names for need in needs[name]}
    return tuple(name for name in names if name not in needed)


def waves_of(needs: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """In which wave each name comes: 1 where nothing is needed, else one after its latest need.

    Needs of names that are not there do not count. There must be no circle.
    """
    known = {name: [need for need in wanted if need in needs] for name, wanted in needs.items()}
    dependents: dict[str, list[str]] = {name: [] for name in needs}
    for name, wanted in known.items():
        for need in wanted:
            dependents[need].append(name)
    open_needs = {name: len(wanted) for name, wanted in known.items()}
    waves = dict.fromkeys((name for name, number in open_needs.items() if not number), 1)
    for name in (order := list(waves)):
        for dependent in dependents[name]:
            open_needs[dependent] -= 1
            waves[dependent] = max(waves.get(dependent, 1), waves[name] + 1)
            if not open_needs[dependent]:
                order.append(dependent)
    return {name: waves[name] for name in needs}
