"""The pages of the explorer: plain links and forms, rendered here with the templates and the style of the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import polars as pl
from markupsafe import Markup

from personax import registry
from personax.errors import InputError, PersonaxError, StudyError
from personax.explorer._explored_study import ExploredStudy
from personax.explorer._people_filter import OPERATORS, conditions
from personax.explorer._single_test import EVERY, MAX_PEOPLE, AskedTest, SingleTest, offered_tests, run_single_test
from personax.report import (
    SectionInput,
    chart,
    gather,
    page_environment,
    page_script,
    page_style,
    renderer,
)

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["make_application"]

NAMED = 500
"""Names of columns that a form proposes; any other can be typed."""

KEPT = 200
"""Results of tests that are not computed again."""


class _Pages:
    """What each page shows, as text of HTML."""

    def __init__(self, study: ExploredStudy) -> None:
        self.study, self.environment = study, page_environment(study.framework(), "personax.explorer")

    def page(self, name: str, **values: object) -> str:
        """Return a page."""
        template = self.environment.get_template(f"explore_{name}.html.j2")
        return template.render(title=self.study.title, private=self.study.private, here=name, **values)

    def study_(self, _: Request) -> str:
        return self.page("study", stages=self.study.stages(), root=str(self.study.folder.root))

    def people(self, request: Request) -> str:
        asked = request.query_params
        columns, operators, values = (asked.getlist(name) for name in ("column", "operator", "value"))
        types = self.study.types()
        used = conditions(columns, operators, values, types)
        number = asked.get("page", "0")
        found = self.study.people(used, int(number) if number.isdecimal() and len(number) < 9 else 0)
        form = [("column", one.column) for one in used] + [("operator", one.operator) for one in used]
        form += [("value", one.value) for one in used]
        return self.page("people", found=found, used=used, names=list(types)[:NAMED], operators=OPERATORS,
                         query=urlencode(form), linked=lambda person: urlencode({"id": person}))  # fmt: skip

    def person(self, request: Request) -> str | None:
        person = request.query_params.get("id", "")
        found = self.study.person(person)
        return None if found is None else self.page("person", person=person, found=found)

    def test(self, asked: AskedTest, found: SingleTest | None, problem: str = "") -> str:
        columns = [*self.study.people_columns(), *self.study.score_columns()]
        names = [column.name for column in columns if column.role in ("feature", "target")]
        tests = list(dict.fromkeys([*offered_tests(), *offered_tests(given=True), EVERY]))
        return self.page("test", asked=asked, found=found, problem=problem, names=names[:NAMED], tests=tests,
                         limit=MAX_PEOPLE)  # fmt: skip

    def audit(self, request: Request) -> str:
        told = self.study.audit()
        data = gather(self.study.folder, title=self.study.title, stages=("release",))
        section = Markup("")
        if data.release is not None:
            section = registry.get("report_sections", "release")(SectionInput(data, renderer(data)))
        attacks = list(_attacks(told or {}))
        chosen = request.query_params.get("of", "")
        return self.page("audit", section=section, chosen=chosen, of=list(dict.fromkeys(one["of"] for one in attacks)),
                         attacks=[one for one in attacks if chosen in ("", one["of"])], told=told is not None,
                         link=lambda of: urlencode({"of": of}))  # fmt: skip

    def latents(self, request: Request) -> str:
        frame = self.study.latents()
        if frame is None or frame.is_empty():
            return self.page("latents", latents=[])
        latents = frame["latent"].unique(maintain_order=True).to_list()
        latent = request.query_params.get("latent", latents[0])
        if latent not in latents:
            raise InputError(f"there is no latent {latent}; choose from {', '.join(latents)}")
        mine = frame.filter(pl.col("latent") == latent)
        places = sorted(mine["quantile"].unique().to_list())
        place = _nearest(request.query_params.get("at", "0.5"), places)
        at = mine.filter(pl.col("quantile") == place)
        near = next((one for one in at["nearest"].to_list() if one), "")
        return self.page(
            "latents", latents=latents, latent=latent, places=places, place=place, rows=at.to_dicts(), near=near,
            figure=_moved(mine, latent), near_link=urlencode({"id": near}), people=max(at["people"].to_list()),
            link=_latent_link,
        )  # fmt: skip


def _moved(mine: pl.DataFrame, latent: str) -> Markup:
    """Draw the means of attributes over the quantiles of a latent."""
    attributes = mine.filter(pl.col("kind") == "attribute").sort("quantile")
    drawn = [
        {"series": name, "x": 100 * quantile, "y": mean}
        for name, quantile, mean in attributes.select("name", "quantile", "mean").iter_rows()
    ]
    return chart("lines", drawn, f"What moves with {latent}", x="quantile of the latent, %", y="mean")


def _latent_link(latent: str, at: float) -> str:
    return urlencode({"latent": latent, "at": at})


def _nearest(text: str, places: list[float]) -> float:
    try:
        wanted = float(text)
    except ValueError:
        raise InputError(f"{text!r} is no place on a latent; choose from {', '.join(map(str, places))}") from None
    return min(places, key=lambda place: abs(place - wanted) if wanted == wanted else place)


def _attacks(audit: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """Yield every attack of an audit, with what it was aimed at and what its attacker holds."""
    for one in audit.get("table", []):
        yield {"of": "the table", "holds": one.get("knows", ""), **one}
    for where, told in audit.get("measurements", {}).items():
        for campaign in told.get("campaigns", []):
            for one in campaign.get("attacks", []):
                yield {"of": where, "holds": campaign.get("holds", ""), **one}


def make_application(study: ExploredStudy) -> Starlette:
    """Return the pages of a study as an ASGI application; `AccessGuard` stands before it.

    Parameters
    ----------
    study
        What is looked at.
    """
    from anyio import CapacityLimiter, to_thread
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.responses import HTMLResponse, Response
    from starlette.routing import Route

    pages = _Pages(study)
    one_at_a_time = CapacityLimiter(1)

    @lru_cache(KEPT)
    def computed(asked: AskedTest, _files: tuple[object, ...]) -> SingleTest:
        return run_single_test(study, asked)

    async def test(request: Request) -> Response:
        """Run one test at a time in a thread, so that other pages answer meanwhile."""
        given = request.query_params.get
        asked = AskedTest(x=given("x", ""), y=given("y", ""), z=given("z", ""), test=given("test", "auto"))
        found, problem = None, ""
        if asked.x or asked.y:
            try:
                found = await to_thread.run_sync(computed, asked, study.versions(), limiter=one_at_a_time)
            except InputError as error:
                problem = str(error)
        html = await to_thread.run_sync(pages.test, asked, found, problem)
        return HTMLResponse(html, 400 if problem else 200)

    def asset(request: Request) -> Response:
        kept = {"cache-control": "private, max-age=3600"}
        if request.url.path.endswith(".css"):
            return Response(page_style(), media_type="text/css", headers=kept)
        return Response(page_script(), media_type="text/javascript", headers=kept)

    def shown(made: Any) -> Any:  # noqa: ANN401 - a function of _Pages
        def endpoint(request: Request) -> Response:
            html = made(request)
            if html is None:
                raise HTTPException(404)
            return HTMLResponse(html)

        return endpoint

    def told(_: Request, error: Exception) -> Response:
        return HTMLResponse(pages.page("problem", text=_sentence(error)), _status(error))

    routes = [Route("/", shown(pages.study_)), Route("/test", test)]
    routes += [Route(f"/{name}", shown(getattr(pages, name))) for name in ("people", "person", "audit", "latents")]
    routes += [Route("/assets/page.js", asset), Route("/assets/style.css", asset)]
    known = (PersonaxError, HTTPException, OSError, pl.exceptions.PolarsError, Exception)
    return Starlette(routes=routes, exception_handlers=dict.fromkeys(known, told))


def _status(error: Exception) -> int:
    if isinstance(error, InputError):
        return 400
    return getattr(error, "status_code", 404 if isinstance(error, StudyError) else 500)


def _sentence(error: Exception) -> str:
    if isinstance(error, PersonaxError):
        return str(error)
    if hasattr(error, "status_code"):
        return (
            "There is no such page, or nobody of this id." if error.status_code == 404 else "This cannot be answered."
        )
    return f"The page could not be made ({type(error).__name__}); the terminal tells more."
