// Lets a real `node` process run the sources: it strips the types of each file as it is loaded. The tests thus start the
// command as a user does, and need no build first.
import { readFile } from "node:fs/promises";
import { transform } from "esbuild";

/** @type {import("node:module").LoadHook} */
export async function load(url, context, nextLoad) {
  if (!url.endsWith(".ts")) return nextLoad(url, context);
  const { code } = await transform(await readFile(new URL(url), "utf8"), { loader: "ts", sourcefile: url });
  return { format: "module", source: code, shortCircuit: true };
}
