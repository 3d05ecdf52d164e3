import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { root } from "./run.mjs";

// What an import of the library weighs, minified and gzipped, beside the bars. 1 KB is 1000 bytes, the stricter reading.
// `node tools/size.mjs --write` accepts the present sizes as the report that later changes are compared with.
const reportFile = `${root}tools/size-report.json`;
/** A bundle may outgrow the report by this factor before someone has to look at it. */
const growth = 1.05;
/** KB. @typedef {{ readonly node?: number, readonly portable?: number }} Bars */

/** What a scheme may weigh, unless it says otherwise. @type {Bars} */
const usual = { node: 9, portable: 12 };
/** @type {Bars} */
const noBars = {};

/**
 * One import. It may have parts of its own folder alone, or of all folders where `folder` is `null`.
 * @param {string} subpath
 * @param {{ what?: string, names?: string, folder?: string | null | undefined, bars?: Bars }} [options]
 */
const from = (subpath, { what = subpath, names, folder = subpath.split("/")[0], bars = usual } = {}) => ({
  what,
  code: `export ${names === undefined ? "*" : `{ ${names} }`} from "daypass/${subpath}"`,
  folders: folder === null ? undefined : [folder],
  bars,
});

/** `folders` are those it may have parts of; missing where that is any. @type {readonly { what: string, code: string, folders: readonly (string | undefined)[] | undefined, bars: Bars }[]} */
const bundles = [
  { what: "core", code: `export * from "daypass"`, folders: [], bars: noBars },
  from("s3", { what: "s3 sign", names: "s3Signer", bars: { node: 4, portable: 7 } }),
  from("s3", { what: "s3 sign + verify", names: "s3Signer, s3Verifier", bars: { node: 7, portable: 10 } }),
  from("s3/v2"),
  from("s3/v2/header"),
  from("s3/header"),
  from("s3/v4a"),
  from("s3/express", { what: "s3/express sign", names: "s3ExpressSigner" }),
  from("s3/express"),
  from("presets", { bars: noBars }),
  from("compat/aws", { folder: "s3" }),
  from("s3/form"),
  from("s3/form/v2"),
  from("azure", { what: "azure sign", names: "azureSigner" }),
  from("azure", { what: "azure sign + verify", names: "azureSigner, azureVerifier" }),
  from("azure", {
    what: "azure user delegation",
    names: "azureUserDelegationSigner, azureUserDelegationVerifier",
  }),
  from("azure", { what: "azure account", names: "azureAccountSigner, azureAccountVerifier" }),
  from("gcs", { what: "gcs sign", names: "gcsSigner" }),
  from("gcs", { what: "gcs sign + verify", names: "gcsSigner, gcsVerifier" }),
  from("gcs", { what: "gcs by HMAC", names: "gcsHmacSigner, gcsHmacVerifier" }),
  from("gcs/v2", { names: "gcsV2Signer, gcsV2Verifier" }),
  from("gcs/v2", { what: "gcs/v2 by HMAC", names: "gcsV2HmacSigner, gcsV2HmacVerifier" }),
  from("gcs/form", { names: "gcsFormSigner, gcsFormVerifier" }),
  from("gcs/form", { what: "gcs/form by HMAC", names: "gcsHmacFormSigner, gcsHmacFormVerifier" }),
  from("oss"),
  from("oss/v1"),
  from("cos"),
  from("swift"),
  from("cloudfront"),
  from("url", { what: "url sign", names: "urlSigner" }),
  from("url"),
  from("nginx"),
  from("fastly"),
  from("cloudflare"),
  from("imgix"),
  from("bunny"),
  from("cloud-cdn"),
  from("media-cdn"),
  from("media-cdn/token", { names: "mediaCdnTokenSigner, mediaCdnTokenVerifier" }),
  from("akamai"),
  from("imgproxy"),
  from("laravel"),
  from("symfony"),
  from("uri-signing", { names: "uriSigningSigner, uriSigningVerifier" }),
  from("uri-signing", { what: "uri-signing, all", bars: noBars }),
  from("node", { what: "node adapter", bars: noBars }),
  from("fetch", { what: "fetch adapter", bars: noBars }),
  // It reads every scheme, so it has parts of every one.
  from("explain", { folder: null, bars: noBars }),
  from("explain", { what: "explain, redactUrl", names: "redactUrl", bars: noBars }),
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
