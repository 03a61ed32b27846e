"""Worlds: people with known latents, told of in texts, faces and questionnaires, and embedded by real encoders.

A map, each line using the ones above it:

- ``_vocabulary``: phrases of nine grades in two languages, numbers, words that say nothing
- ``_families``: how a text says latents (adjectives, clauses, numbers, filler, German, biographies); `add_family`
- ``_pictures``: drawn faces and questionnaires
- ``_world``: what a world is, and its people, before anything is embedded
- ``_simulated_encoder``: an encoder without a model
- ``_embedded``: vectors of a world, each text once, kept in a folder
- ``_fixed``: the worlds of the benchmark
"""

from personax.simulate.worlds._embedded import embed_world, kept_world, load_world, save_world, world_key
from personax.simulate.worlds._families import Writer, add_family, family_names
from personax.simulate.worlds._fixed import FIXED_WORLDS, FixedWorld
from personax.simulate.worlds._simulated_encoder import simulated_encoder
from personax.simulate.worlds._world import World, WorldOptions, draw_world, worlds_families

__all__ = [
    "FIXED_WORLDS",
    "FixedWorld",
    "World",
    "WorldOptions",
    "Writer",
    "add_family",
    "draw_world",
    "embed_world",
    "family_names",
    "kept_world",
    "load_world",
    "save_world",
    "simulated_encoder",
    "world_key",
    "worlds_families",
]
