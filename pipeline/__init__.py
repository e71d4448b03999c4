"""Trayecto: harmonised migration statistics, from national tables to a harvestable open-data site."""

import os

# The matrices of `protect` are many and small: on two threads their algebra took forty times the processor time, and
# last digits could depend on the machine. NumPy reads this once, when it is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
