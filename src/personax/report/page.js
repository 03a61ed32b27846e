// What the reader can do: figures drawn when they come into view, their downloads, tables that sort and filter, tips,
// the place in the navigation. Text only: nothing of a study is ever put into the page as markup.
"use strict";
const page = (() => {
  const make = (name, options = {}, ...children) => {
    const { dataset, attributes, ...rest } = options;
    const node = Object.assign(document.createElement(name), rest);
    Object.assign(node.dataset, dataset || {});
    for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };
  const rowsOf = ({ names, rows }) => rows.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i]])));
  const read = (node) => JSON.parse(node.querySelector("script[type='application/json']").textContent);

  // Downloads
  function save(blob, name) {
    const link = make("a", { href: URL.createObjectURL(blob), download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }
  const fileName = (text, ending) => `${text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 60).replace(/^-+|-+$/g, "") || "figure"}.${ending}`;
  // A text that a spreadsheet would take for a formula is written as a text.
  const field = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    const safe = typeof value !== "number" && /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const csv = (names, rows) => new Blob([`\ufeff${[names, ...rows].map((row) => row.map(field).join(",")).join("\r\n")}\r\n`], { type: "text/csv" });
  const FIXED = ["fill", "stroke", "color", "font-size", "font-family", "font-weight", "stroke-dasharray", "text-anchor"];
  function standalone(svg) {
    const copy = svg.cloneNode(true);
    const [mine, theirs] = [svg, copy].map((root) => [root, ...root.querySelectorAll("*")]);
    mine.forEach((node, i) => {
      const style = getComputedStyle(node);
      for (const name of FIXED) theirs[i].setAttribute(name, style.getPropertyValue(name));
      if (node.getAttribute("style")?.includes("var(")) theirs[i].removeAttribute("style");
    });
    const box = svg.viewBox.baseVal;
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [name, value] of Object.entries({ width: box.width, height: box.height, fill: getComputedStyle(document.body).backgroundColor })) ground.setAttribute(name, value);
    copy.prepend(ground);
    copy.querySelectorAll("[aria-label='tip']").forEach((tip) => tip.remove());
    return new XMLSerializer().serializeToString(copy);
  }
  const saveSvg = (svg, name) => save(new Blob([standalone(svg)], { type: "image/svg+xml" }), fileName(name, "svg"));
  async function savePng(svg, name) {
    const picture = new Image();
    picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(standalone(svg))}`;
    await picture.decode();
    const box = svg.viewBox.baseVal;
    const canvas = make("canvas", { width: 2 * box.width, height: 2 * box.height });
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => save(blob, fileName(name, "png")));
  }
  const button = (text, label, onclick) => make("button", { type: "button", textContent: text, onclick, attributes: { "aria-label": label } });
  function downloads(label, svg, table) {
    const buttons = [button("CSV", `${label}: numbers as CSV`, () => { const { names, rows } = table(); save(csv(names, rows), fileName(label, "csv")); })];
    if (svg) {
      buttons.unshift(button("SVG", `${label}: figure as SVG`, () => saveSvg(svg(), label)), button("PNG", `${label}: figure as PNG`, () => savePng(svg(), label)));
    }
    return make("div", { className: "get" }, ...buttons);
  }

  // Figures: drawn when they come near the window or there is time, again when its width changes, all before printing.
  const flat = (value) => (Array.isArray(value) ? value.flat().join(" ") : value);
  function draw(node) {
    if (!node.clientWidth) return; // in details that are shut
    const width = Math.max(120, node.clientWidth);
    if (node.drawn === width) return;
    const data = (node.data ??= read(node));
    const svg = charts.drawn[node.dataset.kind](rowsOf(data), data.options, width);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", node.dataset.label);
    node.querySelector("svg")?.remove();
    node.prepend(svg);
    node.drawn = width;
    if (!node.querySelector(".get")) {
      node.append(downloads(node.dataset.label, () => node.querySelector("svg"), () => ({ names: data.names, rows: data.rows.map((row) => row.map(flat)) })));
    }
  }
  const near = new IntersectionObserver((seen) => seen.filter((one) => one.isIntersecting).forEach((one) => draw(one.target)), { rootMargin: "400px" });
  const figures = [...document.querySelectorAll(".chart[data-kind]")];
  figures.forEach((node) => near.observe(node));
  // The others follow when there is time, so that a link leads to where its section stays.
  const idle = window.requestIdleCallback ?? ((run) => setTimeout(() => run({ timeRemaining: () => 8 }), 50));
  const waiting = [...figures];
  const rest = (time) => {
    do draw(waiting.shift()); while (waiting.length && time.timeRemaining() > 4);
    if (waiting.length) idle(rest);
  };
  if (waiting.length) addEventListener("load", () => idle(rest));
  let resized;
  addEventListener("resize", () => {
    clearTimeout(resized);
    resized = setTimeout(() => figures.filter((node) => node.drawn).forEach(draw), 150);
  });
  let opened = [];
  const unfold = () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach((one) => { one.open = true; });
    figures.forEach(draw);
  };
  const fold = () => opened.splice(0).forEach((one) => { one.open = false; });
  addEventListener("beforeprint", unfold);
  addEventListener("afterprint", fold);
  document.addEventListener("toggle", () => figures.filter((node) => node.drawn && node.clientWidth).forEach(draw), true);

  // Tables: a click on a head sorts, a field filters, a button saves.
  const valueOf = (cell) => {
    const text = cell.dataset.value ?? cell.textContent.trim();
    const value = Number(text.replaceAll(",", ""));
    return text === "" || Number.isNaN(value) ? text.toLowerCase() : value;
  };
  const order = (a, b) => (typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1);
  function sortable(table) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const press = make("button", { type: "button" }, ...head.childNodes);
      head.replaceChildren(press);
      press.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") === "descending" || (!head.hasAttribute("aria-sort") && !head.classList.contains("num"));
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const keyed = [...table.tBodies[0].rows].map((row, place) => [valueOf(row.cells[column]), place, row]);
        keyed.sort((a, b) => (up ? 1 : -1) * order(a[0], b[0]) || a[1] - b[1]);
        table.tBodies[0].append(...keyed.map(([, , row]) => row));
      });
    });
  }
  function filterable(table) {
    const rows = [...table.tBodies[0].rows];
    const said = make("span", { className: "how", attributes: { "aria-live": "polite" } });
    const input = make("input", { type: "search", placeholder: "Filter rows", attributes: { "aria-label": `Filter rows of ${table.dataset.label}` } });
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      rows.forEach((row) => { row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word)); });
      said.textContent = words.length ? `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows` : "";
    });
    table.parentNode.before(make("div", { className: "filter" }, input, said));
  }
  for (const table of document.querySelectorAll("table")) {
    const section = table.closest("section");
    const label = table.dataset.label || table.closest("article, details")?.querySelector("h4, summary")?.textContent || section?.querySelector("h2")?.textContent || "table";
    const text = (row) => [...row.cells].map((cell) => cell.dataset.value ?? cell.textContent.trim());
    const all = () => { const [names = [], ...rows] = [...table.rows].filter((row) => !row.hidden).map(text); return { names, rows }; };
    if (table.rows.length > 1) (table.closest(".scroll") || table).after(downloads(label.trim(), null, all));
    if (table.classList.contains("sortable")) { sortable(table); filterable(table); }
  }
  const scrolls = () => {
    for (const box of document.querySelectorAll(".scroll")) {
      if (box.scrollWidth > box.clientWidth + 1) { box.tabIndex = 0; box.setAttribute("role", "group"); box.setAttribute("aria-label", "scrolls sideways"); }
    }
  };
  addEventListener("load", scrolls);

  // Tips of cells of tables, on hover, focus and tap
  const tip = document.getElementById("tip");
  const hide = () => { tip.hidden = true; };
  const show = (target, x, y) => {
    tip.textContent = target.dataset.tip;
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.min(Math.max(8, x + 14), innerWidth - box.width - 8)}px`;
    tip.style.top = `${y + 18 + box.height < innerHeight ? y + 18 : Math.max(8, y - box.height - 12)}px`;
  };
  for (const event of ["pointermove", "click"]) {
    document.addEventListener(event, ({ target, clientX, clientY }) => {
      const found = target instanceof Element ? target.closest("[data-tip]") : null;
      found ? show(found, clientX, clientY) : hide();
    });
  }
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  addEventListener("scroll", hide, { passive: true });

  const links = new Map([...document.querySelectorAll("nav a[href^='#']")].map((link) => [link.hash.slice(1), link]));
  const here = () => {
    let current = null;
    for (const section of document.querySelectorAll("main > section")) {
      if (section.getBoundingClientRect().top < innerHeight * 0.3) current = section.id;
    }
    links.forEach((link, id) => (id === current ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
  };
  addEventListener("scroll", here, { passive: true });
  here();

  return { make, rowsOf, read, downloads, draw };
})();
