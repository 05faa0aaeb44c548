"""Collections as the registration routes describe them."""

from gateway.pocketbase.contracts.route import Contract


class CollectionColumns(Contract):
    """A collection that a declaration names."""

    #: ``base``, ``auth`` or ``view``.
    type: str
    #: By name, whether the column is hidden.
    columns: dict[str, bool]
