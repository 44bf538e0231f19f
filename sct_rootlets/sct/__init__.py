"""The room that knows the Spinal Cord Toolbox (SCT).

SCT lives in an environment of its own, so that most of this room speaks to it as a user
does: through its commands and its Python, in processes of their own. Nothing here is needed
where there is no SCT, and nothing is imported until it is asked for, since `hook` enters every
Python of SCT's environment.
"""
