"""Where Core ML's compute plan puts the ops of each model, by unit; only a Mac or a phone can tell."""

from __future__ import annotations

from ..figures import Figure, machine_name
from ..project import Project
from ..section import Content, sections


@sections.register("placement")
def placement(_: Project, figures: list[Figure]) -> Content | None:
    """Shares of ops on the Neural Engine, the GPU and the CPU, a bar a case."""
    table = []
    for figure in figures:
        placed = figure.row.result.placement if figure.row else None
        if placed is None or figure.row is None or figure.run is None:
            continue
        counts = {
            "Neural Engine": placed.neural_engine,
            "GPU": placed.gpu,
            "CPU": placed.cpu,
            "not told": placed.unknown,
        }
        total = sum(counts.values())
        if total:
            shares = [(unit, count, 100 * count / total) for unit, count in counts.items() if count]
            table.append((figure.row.name, machine_name(figure.run.environment), total, shares))
    if not table:
        return None
    return Content(place=60, title="Placement", template="placement.html", values={"table": table})
