"""Asking several LLMs about people.

The way of an answer: ``prompting`` (what is asked), ``asking`` (of whom, about whom, at what cost), ``runner`` (at what
speed, by ``limits``), ``provider`` (one question), ``journal`` (on disk before all else), ``replies`` (a score, or why
not), ``table`` (rows).
"""
