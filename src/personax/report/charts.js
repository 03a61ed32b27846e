// The figures of the page, drawn by Observable Plot from the rows that stand beside them. Text of a study is only ever
// set as text; colours are variables of style.css, so that a figure follows light and dark.
"use strict";
const charts = (() => {
  const GROUPS = 7;
  const colour = (place) => `var(--g${place % GROUPS})`;
  const shorten = (text, letters) => (text.length > letters ? `${text.slice(0, letters - 1)}…` : text);
  const number = (value, digits = 3) => {
    if (value === null || value === undefined || Number.isNaN(value)) return "none";
    if (value === 0) return "0";
    const size = Math.abs(value);
    if (size >= 1e5 || size < 1e-4) return value.toExponential(1);
    if (size >= 1e4) return Math.round(value).toLocaleString("en");
    return size >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(digits)));
  };
  const pValue = (value) => (value === null || value === undefined ? "none" : value < 1e-300 ? "< 1e-300" : number(value, 2));
  // Plot names the groups of its marks by aria-label, which a group without a role may not have.
  function plot(width, options) {
    const svg = Plot.plot({ className: "plot", width, ...options });
    svg.querySelectorAll("g[aria-label]").forEach((part) => {
      part.dataset.mark = part.getAttribute("aria-label");
      part.removeAttribute("aria-label");
    });
    return svg;
  }
  const lettersOf = (rows, most) => Math.min(most, Math.max(4, ...rows.map((d) => String(d.label ?? "").length)));
  const names = (rows, width) => Math.min(0.42 * width, 14 + 6.6 * lettersOf(rows, 30));
  const fitted = (margin) => (text) => shorten(String(text), Math.max(6, Math.floor((margin - 8) / 7)));

  function histogram(rows, options, width) {
    const people = { ticks: 2, label: null, grid: true, tickSize: 0 };
    const tip = (d) => `${d.label}\n${d.people.toLocaleString("en")} people`;
    const binned = rows.length > 0 && rows[0].from !== undefined && rows[0].from !== null;
    const marks = binned
      ? [Plot.rectY(rows, { x1: "from", x2: "to", y: "people", fill: "var(--bar)", inset: 0.5, title: tip, tip: true })]
      : [Plot.barY(rows, { x: "label", y: "people", fill: "var(--bar)", title: tip, tip: true })];
    const every = Math.ceil(rows.length / Math.max(2, Math.floor(width / 44)));
    const x = binned
      ? { ticks: Math.max(2, Math.floor(width / 60)), label: options.unit || null, tickFormat: (v) => number(v, 4) }
      : { domain: rows.map((d) => d.label), ticks: rows.map((d) => d.label).filter((_, i) => i % every === 0), label: null };
    return plot(width, { height: 128, marginLeft: 36, marginRight: 8, marginTop: 8, marginBottom: options.unit && binned ? 34 : 22, x, y: people, marks });
  }

  function bars(rows, options, width) {
    const margin = names(rows, width);
    const whole = options.whole || 1;
    const share = (d) => (options.shares ? `${number((100 * d.people) / whole, 2)}%` : number(d.people, 4));
    return plot(width, {
      height: 24 + 20 * rows.length, marginLeft: margin, marginRight: 44, marginTop: 4, marginBottom: 20,
      x: { ticks: 3, label: null, grid: true, tickSize: 0, ...(options.span ? { domain: options.span } : {}) },
      y: { domain: rows.map((d) => d.label), label: null, tickSize: 0, tickFormat: fitted(margin) },
      marks: [
        Plot.barX(rows, {
          x: "people", y: "label", fill: (d) => (d.rest ? "var(--rest)" : "var(--bar)"),
          title: (d) => `${d.label}\n${share(d)}${options.shares ? `, ${d.people.toLocaleString("en")} people` : ""}${d.note ? `\n${d.note}` : ""}`, tip: true,
        }),
        Plot.text(rows, { x: "people", y: "label", text: share, textAnchor: "start", dx: 5, fill: "var(--soft)" }),
      ],
    });
  }

  function intervals(rows, options, width) {
    const margin = names(rows, width);
    const known = rows.filter((d) => d.value !== null);
    const tip = (d) =>
      `${d.label}\n${options.meaning || "value"} ${number(d.value)}` +
      (d.low === null || d.low === undefined ? "" : `, 95% interval ${number(d.low)} to ${number(d.high)}`) + (d.note ? `\n${d.note}` : "");
    return plot(width, {
      height: 40 + 24 * rows.length, marginLeft: margin, marginRight: 16, marginTop: 6, marginBottom: 32,
      x: { label: options.meaning || null, labelAnchor: "center", ticks: options.guides?.length ? options.guides : 4, tickFormat: (v) => number(v), ...(options.span ? { domain: options.span, clamp: true } : {}) },
      y: { domain: rows.map((d) => d.label), label: null, tickSize: 0, type: "point", padding: 0.6, tickFormat: fitted(margin) },
      marks: [
        Plot.ruleX(options.guides || [0], { stroke: "var(--rule)" }),
        Plot.ruleY(known.filter((d) => d.low !== null && d.low !== undefined), { x1: "low", x2: "high", y: "label", stroke: "var(--bar)", strokeWidth: 4, strokeLinecap: "round", strokeOpacity: 0.55 }),
        Plot.dot(known, { x: "value", y: "label", r: 4.5, fill: (d) => (d.weak ? "var(--rest)" : "var(--accent)"), stroke: "var(--accent)", title: tip, tip: true }),
        Plot.text(rows.filter((d) => d.value === null), { y: "label", text: () => "none", frameAnchor: "left", fill: "var(--soft)", title: (d) => d.note || "" }),
      ],
    });
  }

  function stacks(rows, options, width) {
    const margin = names(rows, width);
    const labels = [...new Set(rows.map((d) => d.label))];
    return plot(width, {
      height: 26 + 24 * labels.length, marginLeft: margin, marginRight: 10, marginTop: 4, marginBottom: 22,
      x: { label: null, percent: true, ticks: 4, tickFormat: (v) => `${v}%` },
      y: { domain: labels, label: null, tickSize: 0, tickFormat: fitted(margin) },
      marks: [
        Plot.barX(rows, Plot.stackX({ offset: "normalize" }, {
          x: "count", y: "label", fill: (d) => `var(--${d.colour})`, stroke: "var(--paper)",
          title: (d) => `${d.label}\n${d.part}: ${d.count.toLocaleString("en")}`, tip: true,
        })),
      ],
    });
  }

  function lines(rows, options, width) {
    const series = [...new Set(rows.map((d) => d.series))];
    const stroke = (d) => colour(series.indexOf(d.series));
    const last = series.map((name) => rows.filter((d) => d.series === name).at(-1)).sort((a, b) => b.y - a.y);
    const named = series.length > 1 && series.length <= 10;
    const letters = named ? Math.min(22, Math.max(...series.map((s) => String(s).length))) : 0;
    const right = named ? Math.min(0.44 * width, 26 + 6.4 * letters) : 12;
    const most = Math.floor((right - 24) / 6.2);
    const key = (place) => ({ frameAnchor: "top-right", lineAnchor: "top", textAnchor: "start", dy: 14 * place - 4 });
    const banded = rows.some((d) => d.low !== null && d.low !== undefined);
    return plot(width, {
      height: Math.max(options.height || 180, named ? 60 + 14 * series.length : 0), marginLeft: 48, marginRight: right, marginTop: 24, marginBottom: 34,
      x: { label: options.x || null, ticks: options.log ? [...new Set(rows.map((d) => d.x))].filter((_, i, all) => i % Math.ceil(all.length / Math.max(2, Math.floor((width - right) / 45))) === 0) : Math.max(2, Math.floor((width - right) / 60)), type: options.log ? "log" : "linear", tickFormat: (v) => number(v, 4) },
      y: { label: options.y || null, grid: true, ticks: 4, tickFormat: (v) => number(v), zero: options.zero === true, ...(options.span ? { domain: options.span } : {}) },
      marks: [
        ...(options.zero ? [Plot.ruleY([0], { stroke: "var(--rule)" })] : []),
        ...(banded ? [Plot.link(rows.filter((d) => d.low !== null), { x1: "x", x2: "x", y1: "low", y2: "high", stroke, strokeOpacity: 0.4, strokeWidth: 3 })] : []),
        Plot.line(rows, { x: "x", y: "y", z: "series", stroke, strokeWidth: 1.8 }),
        Plot.dot(rows.length <= 80 * series.length ? rows : [], { x: "x", y: "y", r: rows.length <= 60 ? 2.5 : 0, fill: stroke, title: (d) => `${d.series}\n${options.x || "x"} ${number(d.x, 4)}: ${number(d.y)}`, tip: true }),
        ...(named ? last.flatMap((d, place) => [
          Plot.text(["●"], { ...key(place), dx: 8, fill: stroke(d) }),
          Plot.text([shorten(String(d.series), most)], { ...key(place), dx: 20, fill: "var(--ink)", title: [String(d.series)] }),
        ]) : []),
      ],
    });
  }

  const VERDICTS = { found: "--good", missed: "--bad", "false alarm": "--g3", "rightly silent": "--g6" };
  function scatter(rows, options, width) {
    return plot(Math.min(width, 640), {
      height: 320, marginLeft: 52, marginBottom: 40, marginRight: 16,
      x: { label: options.x, labelAnchor: "center", grid: true, zero: true }, y: { label: options.y, grid: true, zero: true },
      marks: [
        Plot.dot(rows, {
          x: "x", y: "y", r: 4.5, fill: (d) => `var(${VERDICTS[d.verdict] || "--bar"})`, stroke: "var(--paper)",
          title: (d) => `${d.label}: ${d.verdict}\n${options.x} ${number(d.x)}\n${options.y} ${number(d.y)}`, tip: true,
        }),
      ],
    });
  }

  function map(rows, options, width) {
    const wide = Math.min(width, 900);
    return plot(wide, {
      height: wide * 0.5, projection: "equal-earth", r: { range: [2, wide / 40] },
      marks: [
        Plot.graticule({ stroke: "var(--rule)", strokeOpacity: 1 }),
        Plot.sphere({ stroke: "var(--soft)" }),
        Plot.dot(rows, {
          x: "longitude", y: "latitude", r: "people", fill: "var(--bar)", fillOpacity: 0.65, stroke: "var(--accent)",
          title: (d) => `${d.place}\n${d.people.toLocaleString("en")} people`, tip: true,
        }),
      ],
    });
  }

  const MARKERS = { tail: undefined, head: "arrow", ring: "circle-stroke" };
  const STATUS = { agreed: "--good", learned: "--g1", pc: "--g4", opposite: "--g3" };
  function graph(rows, options) {
    const edges = rows.flatMap((edge, place) => edge.path.map(([x, y]) => ({ ...edge, place, x, y })));
    const kinds = [...new Set(rows.map((edge) => edge.ends.join(" ")))];
    const grey = (edge) => edge.doubtful || options.grey;
    const stroke = (edge) => (edge.status ? `var(${STATUS[edge.status]})` : "var(--soft)");
    const level = { axis: null, type: "identity" };
    return plot(options.width, {
      height: options.height, margin: 0, x: level, y: level,
      marks: [
        ...kinds.map((kind) => {
          const [start, end] = kind.split(" ");
          return Plot.line(edges.filter((edge) => edge.ends.join(" ") === kind), {
            x: "x", y: "y", z: "place", curve: "bump-x", stroke: (e) => (grey(e) ? "var(--rest)" : stroke(e)), strokeWidth: "width",
            strokeDasharray: options.grey ? "5 4" : undefined, markerStart: MARKERS[start], markerEnd: MARKERS[end], title: "tip",
          });
        }),
        Plot.line(edges.filter((edge) => edge.doubtful && !options.grey), { x: "x", y: "y", z: "place", curve: "bump-x", stroke: "var(--paper)", strokeWidth: "width", strokeDasharray: "4 5" }),
        Plot.rect(options.nodes, {
          x1: (d) => d.x - d.width / 2, x2: (d) => d.x + d.width / 2, y1: (d) => d.y - 14, y2: (d) => d.y + 14, rx: 7,
          fill: (d) => `color-mix(in srgb, ${colour(d.colour)} var(--fade), var(--paper))`, stroke: (d) => colour(d.colour), title: "tip",
        }),
        Plot.text(options.nodes, { x: "x", y: "y", text: "label", fill: "var(--ink)", pointerEvents: "none" }),
      ],
    });
  }

  // The three pictures of one pair: means of groups, a binned curve, a table of counts with residuals.
  function groups(rows, options, width) {
    return intervals(rows.map((d) => ({ ...d, value: d.mean, note: `${d.n.toLocaleString("en")} people` })), { meaning: options.meaning, guides: [], ...options }, Math.min(width, 640));
  }

  function curve(rows, options, width) {
    return plot(Math.min(width, 640), {
      height: 260, marginLeft: 52, marginBottom: 40, marginRight: 16,
      x: { label: options.x, labelAnchor: "center", tickFormat: (v) => number(v, 4) },
      y: { label: options.y, grid: true, tickFormat: (v) => number(v) },
      marks: [
        Plot.areaY(rows, { x: "x", y1: "low", y2: "high", fill: "var(--bar)", fillOpacity: 0.25 }),
        Plot.line(rows, { x: "x", y: "mean", stroke: "var(--accent)", strokeWidth: 1.8 }),
        Plot.dot(rows, { x: "x", y: "mean", fill: "var(--accent)", r: 4, title: (d) => `${options.x} ${d.label}\nmean ${number(d.mean)} (${number(d.low)} to ${number(d.high)})\n${d.n.toLocaleString("en")} people`, tip: true }),
      ],
    });
  }

  function counts(rows, options, width) {
    const across = [...new Set(rows.map((d) => d.column))];
    const down = [...new Set(rows.map((d) => d.row))];
    const margin = Math.min(0.36 * width, 14 + 6.6 * Math.max(4, ...down.map((name) => name.length)));
    const step = (d) => Math.min(3, Math.floor(Math.abs(d.residual) / 2));
    const wide = Math.min(width, margin + 90 * across.length + 10);
    const letters = Math.max(4, Math.floor((wide - margin) / across.length / 6.6));
    return plot(wide, {
      height: 36 + 32 * down.length, marginLeft: margin, marginTop: 26, marginRight: 6, marginBottom: 6,
      x: { axis: "top", domain: across, label: null, tickSize: 0, tickFormat: (t) => shorten(t, letters) },
      y: { domain: down, label: null, tickSize: 0, tickFormat: fitted(margin) },
      marks: [
        Plot.cell(rows, { x: "column", y: "row", inset: 1, rx: 3, fill: (d) => (step(d) === 0 ? "var(--s0)" : `var(--${d.residual > 0 ? "more" : "less"}${step(d)})`),
          title: (d) => `${d.row}, ${d.column}\n${d.n === null ? "fewer than 5" : d.n.toLocaleString("en")} people, expected ${number(d.expected)}\nresidual ${number(d.residual, 2)}`, tip: true }),
        Plot.text(rows, { x: "column", y: "row", text: (d) => (d.n === null ? "< 5" : d.n.toLocaleString("en")), fill: "var(--on-low)", pointerEvents: "none" }),
      ],
    });
  }

  return { drawn: { histogram, bars, intervals, stacks, lines, scatter, map, graph, groups, curve, counts }, number, pValue, shorten, plot };
})();
