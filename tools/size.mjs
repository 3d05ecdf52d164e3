import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { root } from "./run.mjs";

// What an import of the library weighs, minified and gzipped, beside the bars. 1 KB is 1000 bytes, the stricter reading.
// `node tools/size.mjs --write` accepts the present sizes as the report that later changes are compared with.
const reportFile = `${root}tools/size-report.json`;
/** A bundle may outgrow the report by this factor before someone has to look at it. */
const growth = 1.05;
/** `folders` are those it may have parts of; missing where that is any. @type {readonly { what: string, code: string, folders?: string[], bars?: { node: number, portable: number } }[]} */
const bundles = [
  { what: "core", code: `export * from "daypass"`, folders: [] },
  { what: "s3 sign", code: `export { s3Signer } from "daypass/s3"`, folders: ["s3"], bars: { node: 4, portable: 7 } },
  {
    what: "s3 sign + verify",
    code: `export { s3Signer, s3Verifier } from "daypass/s3"`,
    folders: ["s3"],
    bars: { node: 7, portable: 10 },
  },
  { what: "s3/v2", code: `export * from "daypass/s3/v2"`, folders: ["s3"], bars: { node: 9, portable: 12 } },
  {
    what: "s3/v2/header",
    code: `export * from "daypass/s3/v2/header"`,
    folders: ["s3"],
    bars: { node: 9, portable: 12 },
  },
  { what: "s3/header", code: `export * from "daypass/s3/header"`, folders: ["s3"], bars: { node: 9, portable: 12 } },
  { what: "s3/v4a", code: `export * from "daypass/s3/v4a"`, folders: ["s3"], bars: { node: 9, portable: 12 } },
  {
    what: "s3/express sign",
    code: `export { s3ExpressSigner } from "daypass/s3/express"`,
    folders: ["s3"],
    bars: { node: 9, portable: 12 },
  },
  { what: "s3/express", code: `export * from "daypass/s3/express"`, folders: ["s3"], bars: { node: 9, portable: 12 } },
  { what: "presets", code: `export * from "daypass/presets"`, folders: ["presets"] },
  { what: "compat/aws", code: `export * from "daypass/compat/aws"`, folders: ["s3"], bars: { node: 9, portable: 12 } },
  { what: "s3/form", code: `export * from "daypass/s3/form"`, folders: ["s3"], bars: { node: 9, portable: 12 } },
  { what: "s3/form/v2", code: `export * from "daypass/s3/form/v2"`, folders: ["s3"], bars: { node: 9, portable: 12 } },
  {
    what: "azure sign",
    code: `export { azureSigner } from "daypass/azure"`,
    folders: ["azure"],
    bars: { node: 9, portable: 12 },
  },
  {
    what: "azure sign + verify",
    code: `export { azureSigner, azureVerifier } from "daypass/azure"`,
    folders: ["azure"],
    bars: { node: 9, portable: 12 },
  },
  {
    what: "azure user delegation",
    code: `export { azureUserDelegationSigner, azureUserDelegationVerifier } from "daypass/azure"`,
    folders: ["azure"],
    bars: { node: 9, portable: 12 },
  },
  {
    what: "azure account",
    code: `export { azureAccountSigner, azureAccountVerifier } from "daypass/azure"`,
    folders: ["azure"],
    bars: { node: 9, portable: 12 },
  },
  {
    what: "gcs sign",
    code: `export { gcsSigner } from "daypass/gcs"`,
    folders: ["gcs"],
    bars: { node: 9, portable: 12 },
  },
  {
    what: "gcs sign + verify",
    code: `export { gcsSigner, gcsVerifier } from "daypass/gcs"`,
    folders: ["gcs"],
    bars: { node: 9, portable: 12 },
  },
  {
    what: "gcs by HMAC",
    code: `export { gcsHmacSigner, gcsHmacVerifier } from "daypass/gcs"`,
    folders: ["gcs"],
    bars: { node: 9, portable: 12 },
  },
  {
    what: "gcs/v2",
    code: `export { gcsV2Signer, gcsV2Verifier } from "daypass/gcs/v2"`,
    folders: ["gcs"],
    bars: { node: 9, portable: 12 },
  },
  {
    what: "gcs/v2 by HMAC",
    code: `export { gcsV2HmacSigner, gcsV2HmacVerifier } from "daypass/gcs/v2"`,
    folders: ["gcs"],
    bars: { node: 9, portable: 12 },
  },
  {
    what: "gcs/form",
    code: `export { gcsFormSigner, gcsFormVerifier } from "daypass/gcs/form"`,
    folders: ["gcs"],
    bars: { node: 9, portable: 12 },
  },
  {
    what: "gcs/form by HMAC",
    code: `export { gcsHmacFormSigner, gcsHmacFormVerifier } from "daypass/gcs/form"`,
    folders: ["gcs"],
    bars: { node: 9, portable: 12 },
  },
  { what: "oss", code: `export * from "daypass/oss"`, folders: ["oss"], bars: { node: 9, portable: 12 } },
  { what: "oss/v1", code: `export * from "daypass/oss/v1"`, folders: ["oss"], bars: { node: 9, portable: 12 } },
  { what: "cos", code: `export * from "daypass/cos"`, folders: ["cos"], bars: { node: 9, portable: 12 } },
  { what: "swift", code: `export * from "daypass/swift"`, folders: ["swift"], bars: { node: 9, portable: 12 } },
  {
    what: "cloudfront",
    code: `export * from "daypass/cloudfront"`,
    folders: ["cloudfront"],
    bars: { node: 9, portable: 12 },
  },
  {
    what: "url sign",
    code: `export { urlSigner } from "daypass/url"`,
    folders: ["url"],
    bars: { node: 9, portable: 12 },
  },
  { what: "url", code: `export * from "daypass/url"`, folders: ["url"], bars: { node: 9, portable: 12 } },
  { what: "nginx", code: `export * from "daypass/nginx"`, folders: ["nginx"], bars: { node: 9, portable: 12 } },
  { what: "fastly", code: `export * from "daypass/fastly"`, folders: ["fastly"], bars: { node: 9, portable: 12 } },
  {
    what: "cloudflare",
    code: `export * from "daypass/cloudflare"`,
    folders: ["cloudflare"],
    bars: { node: 9, portable: 12 },
  },
  { what: "imgix", code: `export * from "daypass/imgix"`, folders: ["imgix"], bars: { node: 9, portable: 12 } },
  { what: "bunny", code: `export * from "daypass/bunny"`, folders: ["bunny"], bars: { node: 9, portable: 12 } },
  {
    what: "cloud-cdn",
    code: `export * from "daypass/cloud-cdn"`,
    folders: ["cloud-cdn"],
    bars: { node: 9, portable: 12 },
  },
  {
    what: "media-cdn",
    code: `export * from "daypass/media-cdn"`,
    folders: ["media-cdn"],
    bars: { node: 9, portable: 12 },
  },
  {
    what: "media-cdn/token",
    code: `export { mediaCdnTokenSigner, mediaCdnTokenVerifier } from "daypass/media-cdn/token"`,
    folders: ["media-cdn"],
    bars: { node: 9, portable: 12 },
  },
  { what: "akamai", code: `export * from "daypass/akamai"`, folders: ["akamai"], bars: { node: 9, portable: 12 } },
  {
    what: "imgproxy",
    code: `export * from "daypass/imgproxy"`,
    folders: ["imgproxy"],
    bars: { node: 9, portable: 12 },
  },
  { what: "laravel", code: `export * from "daypass/laravel"`, folders: ["laravel"], bars: { node: 9, portable: 12 } },
  { what: "symfony", code: `export * from "daypass/symfony"`, folders: ["symfony"], bars: { node: 9, portable: 12 } },
  {
    what: "uri-signing",
    code: `export { uriSigningSigner, uriSigningVerifier } from "daypass/uri-signing"`,
    folders: ["uri-signing"],
    bars: { node: 9, portable: 12 },
  },
  { what: "uri-signing, all", code: `export * from "daypass/uri-signing"`, folders: ["uri-signing"] },
  { what: "node adapter", code: `export * from "daypass/node"`, folders: ["node"] },
  { what: "fetch adapter", code: `export * from "daypass/fetch"`, folders: ["fetch"] },
  // It reads every scheme, so it has parts of every one.
  { what: "explain", code: `export * from "daypass/explain"` },
  { what: "explain, redactUrl", code: `export { redactUrl } from "daypass/explain"`, folders: ["explain"] },
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
for (const { what, code, folders, bars } of bundles) {
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
    const bar = bars && bars[target] * 1000;
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
      const folder = /packages\/daypass\/dist\/([^/]+)\//.exec(path)?.[1];
      if (folder && folder !== "crypto" && folders?.includes(folder) === false)
        faults.push(`${what} (${target}) drags in ${path}`);
    }
  }
  console.log(
    `${what.padEnd(18)} node ${String(sizes["node"] ?? "-").padStart(6)}   portable ${String(sizes["portable"] ?? "-").padStart(6)}`,
  );
}
for (const subpath of Object.keys(JSON.parse(readFileSync(`${root}packages/daypass/package.json`, "utf8")).exports)) {
  const specifier = `daypass${subpath.slice(1)}`;
  if (subpath !== "./package.json" && !bundles.some(({ code }) => code.endsWith(`"${specifier}"`)))
    faults.push(`${specifier} is not measured: add it to the bundles`);
}
if (process.argv.includes("--write")) writeFileSync(reportFile, `${JSON.stringify(report, null, 2)}\n`);
else if (!existsSync(reportFile)) faults.push("tools/size-report.json is missing: node tools/size.mjs --write");
else if (faults.length) faults.push("if the growth is worth it: node tools/size.mjs --write, and commit the report");
for (const bar of missed) console.log(`over its bar, as the report says: ${bar}`);
for (const fault of faults) console.error(fault);
process.exitCode = faults.length ? 1 : 0;
