// Lets a real `node` process run the sources: it strips the types of each file as it is loaded. The tests thus start the
// command as a user does, and need no build first. They start hundreds of processes: what was stripped once is kept, by the
// hash of the file.
import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const cache = new URL("../../../node_modules/.cache/daypass-sources/", import.meta.url);

// Without promises, as `registerHooks` asks for it.
/** @type {import("node:module").LoadHook} */
export function load(url, context, nextLoad) {
  if (!url.endsWith(".ts")) return nextLoad(url, context);
  const text = readFileSync(new URL(url), "utf8");
  const kept = new URL(`${createHash("sha256").update(`${url}\0${text}`).digest("hex")}.mjs`, cache);
  return { format: "module", source: readKept(kept) ?? strip(url, text, kept), shortCircuit: true };
}

/** @param {URL} kept */
function readKept(kept) {
  try {
    return readFileSync(kept, "utf8");
  } catch {
    return undefined;
  }
}

/** @param {string} url @param {string} text @param {URL} kept */
function strip(url, text, kept) {
  // Here, as it is large and most starts need it for no file.
  const { transformSync } = require("esbuild");
  const { code } = transformSync(text, { loader: "ts", sourcefile: url });
  // Others start at the same time: they find the whole file or none.
  const begun = new URL(`${kept.pathname}.${randomUUID()}`, kept);
  mkdirSync(cache, { recursive: true });
  writeFileSync(begun, code);
  renameSync(begun, kept);
  return code;
}
