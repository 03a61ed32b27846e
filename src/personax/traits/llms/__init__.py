"""Asking several LLMs about people.

The way of an answer: ``prompting`` (what is asked), ``asking`` (of whom, about whom, at what cost), ``runner`` (at what
speed, by ``limits``), ``provider`` (one question), ``journal`` (on disk before all else), ``replies`` (a score, or why
not), ``table`` (rows). By the provider's batch API: ``batching`` (what is sent when), ``batch_api`` (talking to the
provider), ``batch_journal`` (which request lies in which batch).
"""
