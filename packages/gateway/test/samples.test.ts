import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { chdir, cwd } from "node:process";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it, vi } from "vitest";
import { modulesOf, samplesIn } from "../../../tools/samples.ts";

// That the samples compile is checked in examples/test/docs.test.ts. Here those run that can: that need no worker and no upstream.

const root = new URL("../../../", import.meta.url);
const folder = mkdtempSync(fileURLToPath(new URL(".samples-", import.meta.url)));
const home = cwd();
afterAll(() => {
  chdir(home);
  rmSync(folder, { recursive: true });
});

const read = (path: string): string => readFileSync(new URL(path, root), "utf8");
const pages = ["docs/guide/", "docs/drivers/", "packages/gateway/", ""].flatMap((path) =>
  readdirSync(new URL(path, root))
    .filter((name) => name.endsWith(".md"))
    .map((name) => ({ name: path + name, text: read(path + name) })),
);
const docstrings = readdirSync(new URL("packages/gateway/src/", root), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => ({ name: `src/${name}`, text: read(`packages/gateway/src/${name}`).replace(/^ *\* ?/gm, "") }));

const samples = samplesIn([...pages, ...docstrings]);
const own = samples.filter(({ code }) => modulesOf(code).some((module) => module.startsWith("@daypass/gateway")));
const runnable = own.filter(
  ({ code }) =>
    modulesOf(code).every((module) => /^(?:daypass|@daypass\/gateway|node:)/.test(module)) &&
    !/\bdeclare\b|\bprocess\.env\b|worker\.js|cluster\.isPrimary/.test(code),
);

it.each(runnable)("$name runs", async ({ code, name }) => {
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  // Each in its own folder, as a reader would, and on a port that is free.
  const own = `${folder}/${name.replace(/\W+/g, "-")}`;
  mkdirSync(own);
  writeFileSync(`${own}/sample.ts`, code.replaceAll("port: 8080", "port: 0"));
  chdir(own);
  const before = process.listeners("SIGTERM");
  try {
    const made: Record<string, unknown> = await import(`${own}/sample.ts`);
    for (const value of Object.values(made)) await close(value);
    // A program that ends its server at a signal.
    for (const end of process.listeners("SIGTERM").filter((listener) => !before.includes(listener))) {
      process.off("SIGTERM", end);
      await end("SIGTERM");
    }
  } finally {
    log.mockRestore();
  }
});

interface Closable {
  drain?(timeoutMs: number): Promise<void>;
  close?(): Promise<void>;
}

async function close(value: unknown): Promise<void> {
  if (typeof value !== "object" || value === null) return;
  const { drain, close } = value as Closable;
  await (drain === undefined ? close?.() : drain(0));
}

it("runs most samples, and there is one for each function that a subpath exports", async () => {
  expect(runnable.length).toBeGreaterThan(own.length / 2);
  const modules = await Promise.all([
    import("../src/index.ts"),
    import("../src/node/index.ts"),
    import("../src/storage/disk/index.ts"),
    import("../src/storage/drivers.ts"),
    import("../src/storage/s3/index.ts"),
    import("../src/testing/index.ts"),
  ]);
  const exported = modules.flatMap((module) => Object.keys(module)).filter((name) => !/^default[A-Z]/.test(name));
  const inDocstrings = own.filter(({ name }) => name.startsWith("src/")).map(({ code }) => code);
  expect(exported.filter((name) => !inDocstrings.some((code) => code.includes(name)))).toEqual([]);
});
