"""`vedette demo`: the whole way of a result on one machine, in about a minute."""
