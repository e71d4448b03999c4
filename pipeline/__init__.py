"""Trayecto: harmonised migration statistics, from national tables to a harvestable open-data site."""
