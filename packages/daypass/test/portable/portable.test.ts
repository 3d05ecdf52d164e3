import { webcrypto } from "node:crypto";
import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { cases } from "./cases.ts";

// What a bundler makes for a browser, run where there is nothing but the language, WebCrypto, base64 and URL: no Buffer, no
// process, and as in jsdom no TextEncoder.
const entry = fileURLToPath(new URL("./cases.ts", import.meta.url));
const bundled = build({
  entryPoints: [entry],
  bundle: true,
  platform: "browser",
  conditions: ["@daypass/source"],
  format: "iife",
  globalName: "suite",
  target: "es2022",
  write: false,
  metafile: true,
});

describe("the portable build, without Node and without TextEncoder", () => {
  const context = createContext({ crypto: webcrypto, atob, btoa, URL });
  let inputs: readonly string[] = [];

  beforeAll(async () => {
    const { outputFiles, metafile } = await bundled;
    inputs = Object.keys(metafile.inputs);
    runInContext(outputFiles[0]?.text ?? "", context);
  });

  it("is chosen by the imports map and has nothing of Node in it", () => {
    expect(inputs.some((path) => path.endsWith("src/crypto/portable.ts"))).toBe(true);
    expect(inputs.filter((path) => path.includes("node:") || path.endsWith("crypto/node.ts"))).toEqual([]);
    expect(runInContext("typeof TextEncoder + typeof Buffer + typeof process", context)).toBe("undefined".repeat(3));
  });

  it.each(cases.map(({ name, expected }, index) => ({ name, expected, index })))(
    "$name",
    async ({ index, expected }) => {
      // By way of JSON: objects of another realm have other prototypes.
      const result: string = await runInContext(
        `Promise.resolve(suite.cases[${index}].run()).then(JSON.stringify)`,
        context,
      );
      expect(JSON.parse(result)).toEqual(expected);
    },
  );
});
