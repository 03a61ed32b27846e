// Bundle what plot.js names; a helper of ../report_bundle.py, which says how to run it.
import { readFile } from "node:fs/promises";
import { build } from "esbuild";

// Plot puts a <style> into each figure, which the page's Content-Security-Policy forbids; style.css has its rules.
const styleElement = /svg\.append\("style"\)\.text\(\s*`[^`]*`\s*\)/;

const withoutStyle = {
  name: "without-style",
  setup(bundle) {
    bundle.onLoad({ filter: /@observablehq\/plot\/src\/plot\.js$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      if (!styleElement.test(source)) throw new Error(`${path} has no style element to leave out; mend build.mjs`);
      return { contents: source.replace(styleElement, "svg"), loader: "js" };
    });
  },
};

const result = await build({
  entryPoints: ["plot.js"],
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "Plot",
  target: "es2020",
  legalComments: "none",
  charset: "ascii",
  metafile: true,
  outfile: process.argv[2],
  plugins: [withoutStyle],
});
const used = Object.entries(Object.values(result.metafile.outputs)[0].inputs).filter(([, part]) => part.bytesInOutput);
const packages = used.map(([path]) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1]).filter(Boolean);
console.log(JSON.stringify([...new Set(packages)].sort()));
