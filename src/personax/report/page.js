// Tips on hover, focus and tap; the heatmap's switches and arrow keys; the place in the navigation. Text only: nothing
// of a study is ever put into the page as markup.
"use strict";
(() => {
  const tip = document.getElementById("tip");
  const heat = document.getElementById("heatmap");

  const short = (text) => {
    const value = Number(text);
    if (text === undefined || Number.isNaN(value)) return "none";
    if (value === 0) return "0";
    return Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5 ? String(Number(value.toPrecision(4))) : value.toExponential(2);
  };
  const shortP = (text) => (Number(text) < 1e-300 ? "< 1e-300" : short(text));

  function cellTip(cell) {
    const d = cell.dataset;
    const title = `${cell.parentNode.dataset.feature} · ${d.target}`;
    const n = d.n === undefined ? [] : [`n ${Number(d.n).toLocaleString("en")}`];
    if (d.reason !== undefined) return [title, ["no p-value: " + d.reason, ...n].join("\n")];
    const dof = d.dof === undefined ? "" : ` (${d.dof} degrees of freedom)`;
    return [title, [
      ...(d.direction ? [d.direction] : []),
      `${d.effectName || "effect size"} ${short(d.effect)}`,
      `corrected p ${shortP(d.corrected)}`,
      `p ${shortP(d.p)}`,
      `statistic ${short(d.statistic)}${dof}`,
      ...n,
      d.rejected === "yes" ? "dependent after correction" : "independence not rejected",
    ].join("\n")];
  }

  function show(target, x, y) {
    const [title, text] = target.classList.contains("cell") ? cellTip(target) : [null, target.dataset.tip];
    tip.replaceChildren();
    if (title) tip.append(Object.assign(document.createElement("b"), { textContent: title }));
    tip.append(text);
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const left = Math.min(Math.max(8, x + 14), innerWidth - box.width - 8);
    const below = y + 18 + box.height < innerHeight;
    tip.style.left = `${left}px`;
    tip.style.top = `${below ? y + 18 : Math.max(8, y - box.height - 12)}px`;
  }
  const hide = () => { tip.hidden = true; };
  const tipped = (node) => (node instanceof Element ? node.closest(".cell, [data-tip]") : null);

  document.addEventListener("pointermove", (event) => {
    const target = tipped(event.target);
    target ? show(target, event.clientX, event.clientY) : hide();
  });
  document.addEventListener("click", (event) => {
    const target = tipped(event.target);
    target ? show(target, event.clientX, event.clientY) : hide();
  });
  document.addEventListener("focusin", (event) => {
    const target = tipped(event.target);
    if (!target || !target.matches(":focus-visible")) return;
    const box = target.getBoundingClientRect();
    show(target, box.left + box.width / 2, box.bottom - 8);
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  addEventListener("scroll", hide, { passive: true });

  if (heat) {
    const panels = [...heat.querySelectorAll(".panel")];
    const cellsOf = (panel) => [...panel.querySelectorAll("[data-feature]")].map((row) => [...row.querySelectorAll(".cell")]);
    const chosen = (name) => (heat.querySelector(`input[name=${name}]:checked`) || {}).value;

    const brief = (text) => {
      const q = Number(text);
      if (text === undefined || Number.isNaN(q)) return "–";
      if (q < 1e-300) return "<e-300";
      return q >= 0.9995 ? "1" : q >= 0.001 ? q.toFixed(3).replace(/^0/, "") : q.toExponential(0);
    };
    const label = (cell, byP) => {
      cell.setAttribute("aria-label", cellTip(cell).join("\n"));
      const text = cell.querySelector("text");
      if (!text) return;
      if (cell.own === undefined) cell.own = text.textContent;
      text.textContent = byP ? brief(cell.dataset.corrected) : cell.own;
    };
    const update = () => {
      const byP = chosen("colour") === "p";
      heat.className = byP ? "by-p" : "by-effect";
      for (const panel of panels) {
        const { test, group } = panel.dataset;
        panel.hidden = (chosen("test") || test) !== test || (chosen("group") || group) !== group;
        if (!panel.hidden) panel.querySelectorAll(".cell").forEach((cell) => label(cell, byP));
      }
    };
    heat.addEventListener("change", update);
    update();

    // One stop of the tab key a panel; arrow keys walk inside it.
    for (const panel of panels) panel.querySelector(".cell")?.setAttribute("tabindex", "0");
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    heat.addEventListener("keydown", (event) => {
      const cell = event.target.closest?.(".cell");
      const step = steps[event.key];
      if (!cell || !step) return;
      event.preventDefault();
      const rows = cellsOf(cell.closest(".panel"));
      const row = rows.findIndex((cells) => cells.includes(cell));
      const next = rows[row + step[0]]?.[rows[row].indexOf(cell) + step[1]];
      if (!next) return;
      cell.setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
    });
  }

  // A node lights its edges and its neighbours.
  for (const svg of document.querySelectorAll(".graph")) {
    const nodes = [...svg.querySelectorAll(".node")];
    const edges = [...svg.querySelectorAll(".edge")];
    const light = (node) => {
      const near = new Set([node.dataset.node]);
      for (const edge of edges) {
        const ends = edge.dataset.ends.split(" ");
        const lit = ends.includes(node.dataset.node);
        edge.classList.toggle("lit", lit);
        if (lit) ends.forEach((end) => near.add(end));
      }
      nodes.forEach((other) => other.classList.toggle("lit", near.has(other.dataset.node)));
      svg.classList.add("dim");
    };
    const unlight = () => {
      svg.classList.remove("dim");
      svg.querySelectorAll(".lit").forEach((part) => part.classList.remove("lit"));
    };
    for (const node of nodes) {
      node.addEventListener("pointerenter", () => light(node));
      node.addEventListener("pointerleave", unlight);
      node.addEventListener("focus", () => light(node));
      node.addEventListener("blur", unlight);
    }
  }

  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const here = () => {
    let current = null;
    for (const section of document.querySelectorAll("main > section")) {
      if (section.getBoundingClientRect().top < innerHeight * 0.3) current = section.id;
    }
    links.forEach((link, id) => link.classList.toggle("here", id === current));
  };
  addEventListener("scroll", here, { passive: true });
  here();
})();
