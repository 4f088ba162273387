"""Two services behind one address: blue follows the champion, green the challenger.

Belongs here: which share of the requests green answers, comparing the two, taking green back. Does not: the proxy itself
(`deploy/nginx` of the project), which version a service loads (`model_store`).
"""
