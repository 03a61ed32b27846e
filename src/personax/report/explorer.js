// Level I: the heatmap with its search, order, slider and switches, and the panel of the pair that is picked.
"use strict";
(() => {
  const root = document.getElementById("explorer");
  if (!root) return;
  const { make, rowsOf, read, downloads } = page;
  const { number, pValue, shorten, plot } = charts;
  const data = read(root);
  const cells = rowsOf(data.cells);
  const LIMITS = { effect: [0.02, 0.05, 0.1, 0.2, 0.3, 0.5], p: [0.05, 0.01, 1e-3, 1e-6, 1e-12, 1e-30] };
  const step = (cell, by) => (by === "p" ? LIMITS.p.filter((limit) => cell.corrected < limit).length : LIMITS.effect.filter((limit) => cell.effect >= limit).length);
  const SIGNS = { rises: "↑", falls: "↓", U: "∪", peak: "∩", groups: "≠", together: "+", apart: "−", cycle: "∿" };
  const WAYS = { rises: "rises", falls: "falls", U: "falls, then rises", peak: "rises, then falls", groups: "groups differ", together: "levels stand together", apart: "levels stand apart", cycle: "goes in cycles" };
  const saidOf = ([shape, text]) => text ?? WAYS[shape] ?? shape; // in words for the scores that the page begins with
  const key = (cell) => `${cell.feature} ${cell.target}`;
  const shown = root.querySelector(".heat");
  const panel = root.querySelector(".pair");
  const said = root.querySelector(".said");
  const control = (name) => root.querySelector(`[name="${name}"]`);
  let picked = null;

  const state = () => ({
    group: Number(control("group").value), test: Number(control("test").value), order: control("order").value, by: control("colour").value,
    search: control("search").value.toLowerCase().split(/\s+/).filter(Boolean), least: Number(control("least").value), dependent: control("dependent").checked, given: control("given")?.checked === true,
  });
  const direct = new Map((data.direct ?? []).map(([feature, target, joined]) => [`${feature} ${target}`, joined === 1]));
  const ofView = ({ group, test }) => cells.filter((cell) => cell.group === group && cell.test === test);
  const strongest = (mine) => {
    const best = new Map();
    for (const cell of mine) best.set(cell.feature, Math.max(best.get(cell.feature) ?? -1, cell.effect ?? -1));
    return [...best].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([feature]) => feature);
  };
  function ordered(mine, now) {
    if (now.order === "alphabetical") return data.features.map((_, i) => i).sort((a, b) => data.features[a].localeCompare(data.features[b]));
    return now.order === "clustered" ? data.clustered : strongest(mine);
  }
  const passes = (cell, now) => (cell.effect ?? 0) >= now.least && (!now.dependent || cell.rejected === true) && (!now.given || direct.get(key(cell)) === true);

  const givenOthers = (cell) => (direct.has(key(cell)) ? [direct.get(key(cell)) ? "given others: still dependent" : "given others: explained away"] : []);
  function told(cell) {
    const pair = `${data.features[cell.feature]} and ${data.targets[cell.target]}`;
    if (cell.p === null) return `${pair}\nno p-value: ${data.reasons[cell.reason] ?? "this test was not asked for this pair"}`;
    const between = cell.low === null ? "" : ` (${number(cell.low)} to ${number(cell.high)})`;
    const way = data.directions[`${cell.group} ${key(cell)}`];
    return [pair, ...(way ? [saidOf(way)] : []), `${data.measures[cell.measure] ?? "effect size"} ${number(cell.effect)}${between}`, `corrected p ${pValue(cell.corrected)}, p ${pValue(cell.p)}, n ${cell.n.toLocaleString("en")}`,
      cell.rejected ? "dependent after correction" : "independence not rejected", ...givenOthers(cell)].join("\n");
  }

  function update() {
    const now = state();
    root.querySelector("output").textContent = number(now.least, 2);
    for (const legend of root.querySelectorAll(".legend")) legend.hidden = legend.dataset.by !== now.by;
    const mine = ofView(now);
    const matches = (cell) => now.search.every((word) => `${data.features[cell.feature]} ${data.targets[cell.target]}`.toLowerCase().includes(word));
    const found = mine.filter(matches);
    const narrowed = now.least > 0 || now.dependent || now.given;
    const kept = new Set(found.filter((cell) => !narrowed || passes(cell, now)).map((cell) => cell.feature));
    const features = ordered(mine, now).filter((feature) => kept.has(feature));
    const targets = [...new Set(found.filter((cell) => kept.has(cell.feature)).map((cell) => cell.target))].sort((a, b) => a - b);
    const visible = found.filter((cell) => kept.has(cell.feature));
    const dependent = visible.filter((cell) => cell.rejected).length;
    said.textContent = `${features.length} of ${data.features.length} features, ${dependent} of ${visible.length} pairs dependent.`;
    shown.replaceChildren();
    if (!features.length) { shown.append(make("p", { className: "empty", textContent: "No pair is like that." })); return; }
    const narrow = root.clientWidth < 560;
    const left = Math.min(narrow ? 110 : 210, 16 + 7 * Math.max(...features.map((f) => data.features[f].length)));
    const column = Math.max(narrow ? 46 : 58, Math.min(130, (root.clientWidth - left - 8) / targets.length));
    const faint = (cell) => narrowed && !passes(cell, now);
    const fill = (cell) => (cell.p === null ? "var(--hatch-ground)" : `var(--s${step(cell, now.by)})`);
    const strong = (cell) => cell.p !== null && step(cell, now.by) >= 5;
    const label = (cell) => {
      if (cell.p === null) return "–";
      const way = data.directions[`${cell.group} ${key(cell)}`];
      const value = now.by === "p" ? pValue(cell.corrected).replace(/^0\./, ".") : cell.effect === null ? "–" : cell.effect.toFixed(2).replace(/^0\./, ".");
      return `${value}${way && cell.rejected ? ` ${SIGNS[way[0]] ?? ""}` : ""}`;
    };
    const text = (weight) => ({ x: "target", y: "feature", text: label, pointerEvents: "none", fontWeight: weight, fill: (cell) => (strong(cell) ? "var(--on-high)" : "var(--on-low)") });
    const bold = (cell) => cell.rejected === true;
    const svg = plot(left + column * targets.length + 8, {
      height: 34 + 30 * features.length, marginLeft: left, marginTop: 30, marginRight: 8, marginBottom: 4, padding: 0,
      x: { axis: "top", domain: targets, type: "band", tickSize: 0, label: null, tickFormat: (t) => shorten(data.targets[t], Math.max(5, Math.floor(column / (column > 90 ? 7.2 : 8.6)))) },
      y: { domain: features, type: "band", tickSize: 0, label: null, tickFormat: (f) => shorten(data.features[f], Math.floor(left / 7)) },
      marks: [
        Plot.cell(visible, { x: "target", y: "feature", inset: 1.5, rx: 3, fill, className: "cells", fillOpacity: (cell) => (faint(cell) ? 0.25 : 1), title: told }),
        Plot.text(visible.filter((cell) => !faint(cell) && bold(cell)), text(700)),
        Plot.text(visible.filter((cell) => !faint(cell) && !bold(cell)), text(400)),
      ],
    });
    svg.setAttribute("role", "grid");
    svg.setAttribute("aria-label", `Effect sizes, ${data.tests[now.test]}, ${data.groups[now.group]}`);
    svg.querySelectorAll("[data-mark*='axis'], [data-mark='text']").forEach((part) => part.setAttribute("aria-hidden", "true"));
    const rects = [...svg.querySelectorAll(".cells rect")];
    const rows = new Map(features.map((feature) => [feature, []]));
    rects.forEach((rect, i) => {
      const cell = visible[i];
      Object.assign(rect.dataset, { feature: data.features[cell.feature], target: data.targets[cell.target] });
      rect.setAttribute("role", "gridcell");
      rect.setAttribute("tabindex", "-1");
      rect.setAttribute("aria-label", told(cell).replaceAll("\n", ", "));
      rect.cell = cell;
      rows.get(cell.feature).push(rect);
    });
    // A grid's cells stand in rows.
    const layer = svg.querySelector(".cells");
    layer.setAttribute("role", "rowgroup");
    for (const [feature, own] of rows) {
      const row = document.createElementNS("http://www.w3.org/2000/svg", "g");
      row.setAttribute("role", "row");
      row.setAttribute("aria-label", data.features[feature]);
      own.sort((a, b) => a.cell.target - b.cell.target);
      row.append(...own);
      layer.append(row);
    }
    const grid = [...rows.values()];
    grid[0]?.[0]?.setAttribute("tabindex", "0");
    const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    layer.addEventListener("keydown", (event) => {
      const row = grid.findIndex((own) => own.includes(event.target));
      if (row < 0) return;
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); pick(event.target.cell, true); return; }
      const move = STEPS[event.key];
      const next = move && grid[row + move[0]]?.[grid[row].indexOf(event.target) + move[1]];
      if (!next) return;
      event.preventDefault();
      event.target.setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
    });
    layer.addEventListener("click", ({ target }) => { if (target.cell) pick(target.cell, false); });
    shown.append(svg);
    mark();
  }
  const mark = () => shown.querySelectorAll(".cells rect").forEach((rect) => rect.classList.toggle("picked", picked !== null && key(rect.cell) === key(picked)));

  const COUNTED = new Set(["n", "statistic", "p", "corrected", "effect"]);
  const NAMES = { group: "Scores of", test: "Test", n: "n", statistic: "Statistic", p: "p", corrected: "Corrected p", effect: "Effect", interval: "95 % interval", measure: "Measured by", result: "Result" };
  function resultsOf(cell) {
    const own = cells.filter((other) => key(other) === key(cell)).sort((a, b) => (b.group === cell.group) - (a.group === cell.group) || a.group - b.group || a.test - b.test);
    return own.map((one) => ({
      group: data.groups[one.group], test: data.tests[one.test], n: one.n, statistic: one.statistic === null ? "" : `${number(one.statistic, 4)}${one.dof === null ? "" : ` (${one.dof} df)`}`, p: one.p === null ? "" : pValue(one.p), corrected: one.p === null ? "" : pValue(one.corrected),
      effect: number(one.effect), interval: one.low === null ? "" : `${number(one.low)} to ${number(one.high)}`, measure: data.measures[one.measure] ?? "",
      result: one.p === null ? `not run: ${data.reasons[one.reason] ?? "not asked for"}` : one.rejected ? "dependent" : "not rejected",
    }));
  }
  function pick(cell, focus) {
    picked = cell;
    mark();
    const [feature, target] = [data.features[cell.feature], data.targets[cell.target]];
    const title = make("h3", { textContent: `${feature} and ${target}`, tabIndex: -1 });
    const close = make("button", { type: "button", className: "close", textContent: "Close", onclick: () => { panel.hidden = true; picked = null; mark(); } });
    const way = data.directions[`${cell.group} ${key(cell)}`];
    const parts = [close, title, make("p", { textContent: way ? `${saidOf(way)}.` : "No direction was found that holds." }), ...givenOthers(cell).map((text) => make("p", { textContent: `By the graph search, ${text}.` }))];
    const profile = data.profiles[key(cell)];
    if (profile) {
      const box = make("div", { className: "chart" });
      const rows = rowsOf(profile);
      const label = `${feature} and ${target}`;
      const wide = Math.max(220, Math.min(root.clientWidth, 900) - 20);
      const svg = charts.drawn[profile.kind](rows, profile.options, wide);
      svg.setAttribute("role", "img");
      svg.setAttribute("aria-label", `${label}: ${profile.told}`);
      box.append(svg, downloads(label, () => svg, () => profile));
      parts.push(box, make("p", { className: "how", textContent: profile.told }));
    } else {
      parts.push(make("p", { className: "how", textContent: "There is no picture of this pair on the page: it is none of the strongest, or has fewer than five people a group." }));
    }
    const rows = resultsOf(cell);
    const head = make("tr", {}, ...Object.entries(NAMES).map(([name, text]) => make("th", { textContent: text, className: COUNTED.has(name) ? "num" : "", attributes: { scope: "col" } })));
    const body = rows.map((row) => make("tr", {}, ...Object.keys(NAMES).map((name) => make("td", { textContent: typeof row[name] === "number" ? row[name].toLocaleString("en") : row[name] ?? "", className: COUNTED.has(name) ? "num" : "" }))));
    const table = make("table", { className: "loose" }, make("thead", {}, head), make("tbody", {}, ...body));
    parts.push(make("div", { className: "scroll", tabIndex: 0, attributes: { role: "group", "aria-label": "All tests of this pair" } }, table));
    parts.push(downloads(`${feature} and ${target}, tests`, null, () => ({ names: Object.values(NAMES), rows: rows.map((row) => Object.keys(NAMES).map((name) => row[name])) })));
    panel.replaceChildren(...parts);
    panel.hidden = false;
    if (focus) title.focus();
    panel.scrollIntoView({ block: "nearest" });
  }
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") panel.querySelector(".close").click();
  });

  const view = () => {
    const now = state();
    return ofView(now).map((cell) => [data.features[cell.feature], data.targets[cell.target], data.groups[cell.group], data.tests[cell.test], cell.n, cell.p, cell.corrected, cell.effect, cell.low, cell.high, cell.rejected, data.reasons[cell.reason] ?? "", saidOf(data.directions[`${cell.group} ${key(cell)}`] ?? ["", ""])]);
  };
  const NUMBERS = ["feature", "target", "scores of", "test", "n", "p", "corrected p", "effect size", "low", "high", "dependent", "reason", "direction"];
  shown.parentNode.after(downloads("What depends on what", () => shown.querySelector("svg"), () => ({ names: NUMBERS, rows: view() })));
  root.querySelector(".controls").addEventListener("input", update);
  let resized;
  addEventListener("resize", () => { clearTimeout(resized); resized = setTimeout(update, 150); });
  new IntersectionObserver((seen, watcher) => { if (seen.some((one) => one.isIntersecting)) { watcher.disconnect(); update(); } }, { rootMargin: "400px" }).observe(root);
  addEventListener("beforeprint", () => { if (!shown.firstChild) update(); });
})();
