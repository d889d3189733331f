"""Draw the figures of docs/explanations/lifetime-value.md: both models of purchases against CDNOW's weeks 40 to 78.

python benchmarks/segment/plot_clv.py docs/images
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

from bench_clv import cdnow

from custinfo.segment import calibration, fit_bg_nbd, fit_pareto_nbd, summary


def main() -> None:
    folder = Path(sys.argv[1])
    payments = cdnow()
    before, after = summary(payments, end=dt.date(1997, 9, 30)), summary(payments, end=dt.date(1998, 6, 30))
    for name, fit in (("bg-nbd", fit_bg_nbd), ("pareto-nbd", fit_pareto_nbd)):
        table = calibration(fit(before.frequency, before.recency, before.age), before, after)
        table.plot().savefig(folder / f"calibration-{name}.png", dpi=100)
        print(f"{name}: {table!r}, {100 * table.error:+.1f} %")


if __name__ == "__main__":
    main()
