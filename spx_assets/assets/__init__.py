"""The asset graph: what is made from what, week by week.

Belongs here: asset declarations, the IO manager between them and the lake, their checks and resources. Does not:
arithmetic; a body calls one function of the libraries and returns what it gives.
"""
