"""The loop of drift, training, gate and swap, shown in a home of its own.

Belongs here: the market of the story (`market`), what must have been recorded (`told`), the loop itself (`loop`). Does not: doing
any of it: sensors, jobs and the service do, as they do under `spx up`.
"""
