// Bundles one ES module and one style sheet per screen: src/screens/<name>.ts -> dist/<name>.js, dist/<name>.css.
// src/lab.ts is what JupyterLab's shell needs besides: the REST transport and the sidebar.
// `node build.mjs --check` rebuilds in memory and fails where the committed files differ.
import { build } from "esbuild";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const screens = readdirSync(join(here, "src/screens")).map((name) => [
  basename(name, ".ts"),
  join("src/screens", name),
]);

const { outputFiles } = await build({
  absWorkingDir: here,
  entryPoints: Object.fromEntries([...screens, ["lab", "src/lab.ts"]]),
  outdir: "dist",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "inline",
  banner: { js: "/* Built from views/src by `npm run build`; do not edit. */" },
  write: !process.argv.includes("--check"),
  metafile: false,
  logLevel: "warning",
});

// With `write: true` esbuild reports no files, so there is nothing to compare.
const stale = (outputFiles ?? []).filter(({ path, text }) => {
  try {
    return readFileSync(path, "utf8") !== text;
  } catch {
    return true;
  }
});
if (stale.length > 0) {
  console.error(
    `stale: ${stale.map(({ path }) => basename(path)).join(", ")}; run \`npm run build\` in ${here}`,
  );
  process.exit(1);
}
