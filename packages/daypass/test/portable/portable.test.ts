import { webcrypto } from "node:crypto";
import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { subjects } from "../registry.ts";
import { cases } from "./cases.ts";
import { signExample, verifyExample } from "./examples.ts";

// The bundle for a browser, in a context with only the language, WebCrypto, base64 and URL: it has no Buffer and no
// process, and as in jsdom no TextEncoder.
const entry = fileURLToPath(new URL("./examples.ts", import.meta.url));
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

  it("uses the portable build, without modules of Node", () => {
    expect(inputs.some((path) => path.endsWith("src/crypto/portable.ts"))).toBe(true);
    expect(inputs.filter((path) => path.includes("node:") || path.endsWith("crypto/node.ts"))).toEqual([]);
    expect(runInContext("typeof TextEncoder + typeof Buffer + typeof process", context)).toBe("undefined".repeat(3));
  });

  /** Runs a call in the context. JSON, because objects of another realm have other prototypes. */
  async function run(call: string): Promise<unknown> {
    const result: string = await runInContext(`Promise.resolve(suite.${call}).then(JSON.stringify)`, context);
    return JSON.parse(result);
  }

  it.each(cases.map(({ name, expected }, index) => ({ name, expected, index })))("$name", async ({ index, expected }) =>
    expect(await run(`cases[${index}].run()`)).toEqual(expected),
  );

  it.each(subjects.map(({ name }, index) => ({ name, index })))(
    "signs and verifies the example $name as the build for Node does",
    async ({ index }) => {
      const signed = await signExample(index);
      const grants = JSON.parse(JSON.stringify(await verifyExample(index, signed)));
      expect(grants).toEqual([expect.objectContaining({ id: expect.any(String) }), "SIGNATURE_MISMATCH"]);
      expect(await run(`verifyExample(${index}, ${JSON.stringify(signed)})`)).toEqual(grants);
      const other = (await run(`signExample(${index})`)) as typeof signed;
      expect(await verifyExample(index, other)).toEqual([expect.anything(), "SIGNATURE_MISMATCH"]);
    },
  );
});
