"""Limits the memory of deliveries; see `gateway.admission`."""

from gateway.admission import Admission, Admitted

__all__ = ["Admission", "Admitted"]
