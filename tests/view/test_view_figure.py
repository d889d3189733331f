"""Figures in a notebook that never loaded pyplot."""

import subprocess
import sys


def test_a_figure_shows_itself_without_pyplot():
    code = (
        "import sys\n"
        "from custinfo.segment import rfm\n"
        "row = {'customer_id': [1], 'occurred_at': ['2026-01-31'], 'amount': [5]}\n"
        "assert rfm(row).plot()._repr_png_().startswith(b'\\x89PNG')\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
