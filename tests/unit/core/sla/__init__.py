"""Tests of contracts and attainment."""
