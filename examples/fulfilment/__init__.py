"""A saga over two HTTP services: reserve goods, book a shipment, undo both if one refuses."""
