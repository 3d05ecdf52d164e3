import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { schemes } from "daypass/schemes";
import { build } from "esbuild";
import { root } from "./run.mjs";

// What an import of the library weighs, minified and gzipped, beside the bars. 1 KB is 1000 bytes, the stricter reading.
// `node tools/size.mjs --write` accepts the present sizes as the report that later changes are compared with.
const reportFile = `${root}tools/size-report.json`;
/** A bundle may outgrow the report by this factor before someone has to look at it. */
const growth = 1.05;
/** KB. @typedef {{ readonly node?: number, readonly portable?: number }} Bars */

/** One scheme, both ways. @type {Bars} */
const usual = { node: 11, portable: 13.5 };
/** @type {Bars} */
const noBars = {};
/** Bundles with separate bars. @type {Record<string, Bars>} */
const ownBars = {
  "s3 sign": { node: 5, portable: 7.2 },
  azure: { node: 13, portable: 15 },
  "azure, azureAccount": { node: 13, portable: 15 },
  "azure, azureUserDelegation": { node: 13, portable: 15 },
  url: { node: 12.5, portable: 14.5 },
};

/**
 * One import. It may contain parts of one folder of schemes, or of all if `folder` is `null`.
 * @param {string} what
 * @param {string} subpath
 * @param {{ names?: readonly string[], folder?: string | null, bars?: Bars }} [options]
 */
const bundleOf = (what, subpath, { names, folder = null, bars = noBars } = {}) => ({
  what,
  code: `export ${names === undefined ? "*" : `{ ${names.join(", ")} }`} from "daypass${subpath}"`,
  folder,
  bars,
});

/** `azureAccount` for `azureAccountSigner`. @param {string} name */
const stemOf = (name) => name.replace(/(?:Signer|Verifier)$/, "");

/** Each signer of a scheme alone, and with the verifier of the same name. @param {import("daypass/schemes").SchemeRow} row */
async function bundlesOf({ id, load }) {
  const all = Object.keys(await load()).filter((name) => /(?:Signer|Verifier)$/.test(name));
  // The shortest verifier has the name of the scheme alone.
  const [main = ""] = all.filter((name) => name.endsWith("Verifier")).sort((a, b) => a.length - b.length);
  const folder = id.split("/", 1)[0] ?? id;
  return Array.from(new Set(all.map(stemOf))).flatMap((stem) => {
    const names = all.filter((name) => stemOf(name) === stem);
    const what = stem === stemOf(main) ? id : `${id}, ${stem}`;
    const signers = names.filter((name) => name.endsWith("Signer"));
    return [
      ...(signers.length === 0 || signers.length === names.length
        ? []
        : [bundleOf(`${what} sign`, `/${id}`, { names: signers, folder, bars: ownBars[`${what} sign`] ?? noBars })]),
      bundleOf(what, `/${id}`, { names, folder, bars: ownBars[what] ?? usual }),
    ];
  });
}

const bundles = [
  bundleOf("core", "", { folder: "" }),
  ...(await Promise.all(Object.values(schemes).map(bundlesOf))).flat(),
  bundleOf("compat/aws", "/compat/aws", { folder: "s3", bars: usual }),
  bundleOf("presets", "/presets", { folder: "s3" }),
  bundleOf("node adapter", "/node", { folder: "" }),
  bundleOf("fetch adapter", "/fetch", { folder: "" }),
  bundleOf("routes", "/routes", { folder: "url" }),
  ...["node", "fetch", "express", "fastify", "hono", "next"].map((name) =>
    bundleOf(`routes, ${name}`, `/routes/${name}`, { folder: "url" }),
  ),
  bundleOf("explain", "/explain"),
  bundleOf("explain, redactUrl", "/explain", { names: ["redactUrl"], folder: "" }),
];

/** @param {string} code @param {"node" | "portable"} target */
async function bundle(code, target) {
  const result = await build({
    stdin: { contents: code, resolveDir: root },
    platform: target === "node" ? "node" : "browser",
    format: "esm",
    target: "es2022",
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const [output] = Object.values(result.metafile.outputs);
  // What esbuild read but shook out weighs nothing and is no bleed.
  const inputs = Object.entries(output?.inputs ?? {})
    .filter(([, input]) => input.bytesInOutput > 0)
    .sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput);
  return {
    bytes: gzipSync(result.outputFiles[0]?.contents ?? "", { level: 9 }).length,
    inputs: inputs.map(([path]) => path),
    heaviest: inputs
      .slice(0, 6)
      .map(([path, { bytesInOutput }]) => `${path.replace(/^.*\/(dist|node_modules)\//, "")} ${bytesInOutput}`),
  };
}

/** @type {Record<string, Record<string, number>>} */
const known = existsSync(reportFile) ? JSON.parse(readFileSync(reportFile, "utf8")) : {};
/** @type {typeof known} */
const report = {};
const faults = [];
/** @type {string[]} */
const missed = [];
for (const { what, code, folder, bars } of bundles) {
  /** @type {Record<string, number>} */
  const sizes = {};
  report[what] = sizes;
  for (const target of /** @type {const} */ (["node", "portable"])) {
    const built = await bundle(code, target).catch((/** @type {Error} */ error) => error);
    if (built instanceof Error) {
      faults.push(`${what} (${target}): ${built.message.replace(/\s+/g, " ")}`);
      continue;
    }
    const { bytes, inputs, heaviest } = built;
    sizes[target] = bytes;
    const bar = (bars[target] ?? 0) * 1000;
    const before = known[what]?.[target];
    // A bar that the report says is missed stays missed in the open: it is printed, and may only shrink.
    if (bar && bytes > bar) {
      const text = `${what} (${target}): ${bytes} bytes, the bar is ${bar}\n  minified: ${heaviest.join(", ")}`;
      if (before && before > bar) missed.push(text);
      else faults.push(text);
    }
    if (before && bytes > before * growth)
      faults.push(`${what} (${target}): ${bytes} bytes, the report says ${before}`);
    for (const path of inputs) {
      const other = /packages\/daypass\/dist\/schemes\/([^/]+)\//.exec(path)?.[1];
      if (other !== undefined && folder !== null && other !== folder)
        faults.push(`${what} (${target}) drags in ${path}`);
    }
  }
  console.log(
    `${what.padEnd(42)} node ${String(sizes["node"] ?? "-").padStart(6)}   portable ${String(sizes["portable"] ?? "-").padStart(6)}`,
  );
}
for (const subpath of Object.keys(JSON.parse(readFileSync(`${root}packages/daypass/package.json`, "utf8")).exports)) {
  const specifier = `daypass${subpath.slice(1)}`;
  // The registry loads every scheme by itself, when one is asked for.
  if (
    !["./package.json", "./schemes"].includes(subpath) &&
    !bundles.some(({ code }) => code.endsWith(`"${specifier}"`))
  )
    faults.push(`${specifier} is not measured: add it to the bundles`);
}
if (process.argv.includes("--write")) writeFileSync(reportFile, `${JSON.stringify(report, null, 2)}\n`);
else if (!existsSync(reportFile)) faults.push("tools/size-report.json is missing: node tools/size.mjs --write");
else if (faults.length) faults.push("if the growth is worth it: node tools/size.mjs --write, and commit the report");
for (const bar of missed) console.log(`over its bar, as the report says: ${bar}`);
for (const fault of faults) console.error(fault);
process.exitCode = faults.length ? 1 : 0;
