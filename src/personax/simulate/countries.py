"""A few countries with their capitals' coordinates, ordered by longitude; the invented people's region picks one."""

from __future__ import annotations

__all__ = ["COUNTRIES"]

COUNTRIES: tuple[tuple[str, float, float], ...] = (
    ("Mexico", 19.43, -99.13),
    ("United States", 38.90, -77.04),
    ("Canada", 45.42, -75.70),
    ("Colombia", 4.71, -74.07),
    ("Chile", -33.45, -70.67),
    ("Argentina", -34.60, -58.38),
    ("Brazil", -15.79, -47.88),
    ("Senegal", 14.69, -17.44),
    ("Portugal", 38.72, -9.14),
    ("Morocco", 34.02, -6.83),
    ("Spain", 40.42, -3.70),
    ("Ghana", 5.60, -0.19),
    ("United Kingdom", 51.51, -0.13),
    ("France", 48.86, 2.35),
    ("Netherlands", 52.37, 4.90),
    ("Nigeria", 9.08, 7.40),
    ("Norway", 59.91, 10.75),
    ("Italy", 41.90, 12.50),
    ("Germany", 52.52, 13.41),
    ("Namibia", -22.56, 17.08),
    ("Poland", 52.23, 21.01),
    ("Greece", 37.98, 23.73),
    ("Egypt", 30.04, 31.24),
    ("Kenya", -1.29, 36.82),
    ("India", 28.61, 77.21),
    ("Thailand", 13.76, 100.50),
    ("Indonesia", -6.21, 106.85),
    ("China", 39.90, 116.41),
    ("South Korea", 37.57, 126.98),
    ("Japan", 35.68, 139.69),
    ("Australia", -35.28, 149.13),
    ("New Zealand", -41.29, 174.78),
)
"""Name, latitude and longitude in degrees."""
