"""Conformance kits: whether a part of personax, or of another package, does what the rest relies on.

One function a kind of part, in the manner of scikit-learn's ``check_estimator``: it returns nothing, or raises an
``AssertionError`` whose sentence says what is wrong and how to mend it. It ends so whatever the part is or does, be it
None, a class, or code that raises anything. Our own parts pass the same checks.

========================  ======================================================
`check_test`              a test of independence, by its name
`check_transform`         a transform of a release, by its name
`check_attack`            an attack of the audit of a release, by its name
`check_source`            a source of people, with its settings and pages
`check_provider`          a client of LLMs, by its name, with an endpoint
`check_method`            a method of Level II, not fitted
`check_rating_model`      a rating model, by its name
`check_trait_framework`   a framework of traits, by its name
`check_encoder`           an encoder of texts or images, by its name, or itself
`check_report_section`    a section of the report, by its name, with a study
`check_plot`              what draws a result, by its name, with a result
========================  ======================================================

Examples
--------
>>> from personax.testing import check_test
>>> check_test("gsq", times=40)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from personax.crl._conformance import check_method
    from personax.embed._conformance import check_encoder
    from personax.independence._conformance import check_test
    from personax.plots._conformance import check_plot
    from personax.release.audit._conformance import check_attack
    from personax.release.transforms._conformance import check_transform
    from personax.report._conformance import check_report_section
    from personax.sources._conformance import check_source
    from personax.traits._conformance import check_provider, check_rating_model, check_trait_framework

__all__ = [
    "check_attack",
    "check_encoder",
    "check_method",
    "check_plot",
    "check_provider",
    "check_rating_model",
    "check_report_section",
    "check_source",
    "check_test",
    "check_trait_framework",
    "check_transform",
]

_HOME = {
    "check_attack": "release.audit",
    "check_encoder": "embed",
    "check_method": "crl",
    "check_plot": "figures",
    "check_provider": "traits",
    "check_rating_model": "traits",
    "check_report_section": "report",
    "check_trait_framework": "traits",
    "check_source": "sources",
    "check_test": "independence",
    "check_transform": "release.transforms",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        text = f"module 'personax.testing' has no attribute {name!r}"
        raise AttributeError(text)
    return getattr(import_module(f"personax.{_HOME[name]}._conformance"), name)
