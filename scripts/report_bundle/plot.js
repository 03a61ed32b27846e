// The parts of Observable Plot that charts.js draws with; everything else is left out of the bundle.
export {
  areaY, barX, barY, cell, dot, frame, geo, graticule, line, link, plot, pointer, rect, rectY, ruleX, ruleY, sphere, stackX, text, tip,
} from "@observablehq/plot";
