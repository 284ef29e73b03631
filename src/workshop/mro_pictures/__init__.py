"""Classes as pictures: the MRO as a path through the class diagram, and all orders at once.

mro_pictures.chain(mro_table(…))            the table of who defines, calls, is reached, adds
mro_pictures.class_diagram(mro_table(…), …) the same as a class diagram with the calls on it
mro_pictures.orders_grid({"row": …}, …)     a row for each `try_every_order(…)`, a column an order
"""

from workshop.mro_pictures.call_table import chain
from workshop.mro_pictures.class_diagram import class_diagram
from workshop.mro_pictures.orders_grid import orders_grid

__all__ = ["chain", "class_diagram", "orders_grid"]
