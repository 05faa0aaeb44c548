"""Bounds what deliveries hold in memory; see `gateway.admission`."""

from gateway.admission import Admission, Admitted

__all__ = ["Admission", "Admitted"]
