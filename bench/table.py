"""The table of what was measured: medians, as printed and as docs/benchmarks.md keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from bench.cluster import Spent

HEAD = ("measured", "result (median)", "÷ TPC-B", "client CPU", "server CPU", "wanted", "reached")


@dataclass
class Row:
    """One measurement, of several rounds: the rates, their ratios to TPC-B's, and CPU seconds of one unit."""

    name: str
    unit: str
    wanted: str = ""
    least_ratio: float | None = None
    least_rate: float | None = None
    rates: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    costs: list[Spent] = field(default_factory=list)

    def add(self, rate: float, cost: Spent, *, yardstick: float | None = None) -> None:
        """One more round."""
        self.rates.append(rate)
        self.costs.append(cost)
        if yardstick is not None:
            self.ratios.append(rate / yardstick)

    def cells(self) -> tuple[str, ...]:
        """As text."""
        ratio = f"{median(self.ratios):.2f}" if self.ratios else "–"
        return (
            self.name, f"{median(self.rates):,.0f} {self.unit}", ratio, _cpu([one.client_cpu for one in self.costs]),
            _cpu([one.server_cpu for one in self.costs]), self.wanted, self._verdict(),
        )  # fmt: skip

    def _verdict(self) -> str:
        if self.least_ratio is not None:
            return "yes" if median(self.ratios) >= self.least_ratio else "**no**"
        if self.least_rate is not None:
            return "yes" if median(self.rates) >= self.least_rate else "**no**"
        return ""


def fact(
    name: str, result: str, *, cpu: str = "–", wanted: str = "", reached: bool | None = None
) -> tuple[str, ...]:
    """A line that is not a rate."""
    verdict = "" if reached is None else "yes" if reached else "**no**"
    return (name, result, "–", cpu, "–", wanted, verdict)


def markdown(lines: list[tuple[str, ...]]) -> str:
    """A table with aligned columns."""
    everything = [HEAD, *lines]
    widths = [max(len(line[place]) for line in everything) for place in range(len(HEAD))]
    rule = tuple("-" * width for width in widths)
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in (HEAD, rule, *lines)
    )


def _cpu(seconds: list[float]) -> str:
    middle = median(seconds)
    return f"{middle * 1000:.2f} ms" if middle >= 0.00005 else f"{middle * 1e6:.2f} µs"
