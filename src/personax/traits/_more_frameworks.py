"""Frameworks beside the default one, each a file of ``frameworks``; imported when one of them is asked for."""

from __future__ import annotations

from personax.registry import register
from personax.traits._framework_files import packaged_framework

register("trait_frameworks", "big_five_de", title="Big Five, in German", help="the same, asked in German", order=1)(
    packaged_framework("big_five_de")
)
register("trait_frameworks", "bfi2_facets", title="Facets of the BFI-2", help="15 facets, three a trait", order=2)(
    packaged_framework("bfi2_facets")
)
register("trait_frameworks", "hexaco", title="HEXACO", help="six traits, h e x a c o", order=3)(
    packaged_framework("hexaco")
)
register("trait_frameworks", "dark_triad", title="Dark Triad", help="three traits, m n p; never a diagnosis", order=4)(
    packaged_framework("dark_triad")
)
register("trait_frameworks", "hexaco_facets", title="Facets of the HEXACO", help="24 facets, four a trait", order=5)(
    packaged_framework("hexaco_facets")
)
