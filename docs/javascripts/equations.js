// Typesets the equations of a page by the KaTeX beside it, which is loaded where a page has any.
(() => {
  const equations = document.querySelectorAll(".arithmatex");
  if (!equations.length) return;
  const beside = (name) => new URL(`../katex/${name}`, document.currentScript.src).href;
  const style = document.head.appendChild(document.createElement("link"));
  Object.assign(style, { rel: "stylesheet", href: beside("katex.css") });
  const script = document.head.appendChild(document.createElement("script"));
  script.onload = () => equations.forEach((one) =>
    katex.render(one.textContent.trim().slice(2, -2), one, { displayMode: one.tagName === "DIV", throwOnError: false }));
  script.src = beside("katex.js");
})();
