"""Structures: read from files and checked, one chain at a time, written again."""
