"""Split rows by subject: real rows test, real and virtual rows of the others train."""

from har_virtual.model_selection.splitters import LeaveOneSubjectOut, SubjectHoldOut

__all__ = ["LeaveOneSubjectOut", "SubjectHoldOut"]
