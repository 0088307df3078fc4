"""What would distract from the lessons: seeding, data, plots, progress, answer checks. Imports nothing heavy."""

from lepton_helpers.checks import check

__all__ = ["check"]
