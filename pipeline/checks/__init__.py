"""The checks that a row of `rules.csv` may name; `known` lists them all.

This module imports none of them: some ask how a table is protected, which asks others in turn.
"""
