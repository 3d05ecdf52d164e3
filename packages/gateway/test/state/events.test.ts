import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { BEGIN } from "./audit-contract.ts";
import { eventLines, forgottenActions } from "./event-contract.ts";

const REPOSITORY = fileURLToPath(new URL("../../../..", import.meta.url));
const SOURCES = "packages/gateway/src";
const TESTS = "packages/gateway/test/state";
const PAGE = "docs/guide/webhooks.md";

/** The lines of the table of a page. */
function linesOf(page: string): readonly string[] {
  return page.split("\n").filter((line) => /^\| `[a-z]+\.\w+` \|/.test(line));
}

it("finds the same actions in the texts of both engines, and every action in a source", () => {
  expect(forgottenActions(join(REPOSITORY, SOURCES))).toEqual([]);
});

it("finds every event of webhooks in the guide", () => {
  expect(linesOf(readFileSync(join(REPOSITORY, PAGE), "utf8"))).toEqual(eventLines());
});

/** The parts of a new event: a row in both tables, what adds it in each engine, its trigger in the contract of engines, and a line in the guide. */
const ROW = `"link.trial": { cause: ["link.trial", "ok"], when: "the trial runs" },`;
const ADDED = `append({ action: "link.trial", by, result: "ok", link: by }, { action: "token.revoked"`;
const parts = {
  action: [`${SOURCES}/state/contract/events.ts`, `"link.read":`, `"link.trial": { isRecorded: true }, "link.read":`],
  notification: [`${SOURCES}/state/contract/events.ts`, `"link.viewed": {\n`, `${ROW}\n"link.viewed": {\n`],
  sqlite: [`${SOURCES}/state/sqlite/`, `append({ action: "token.revoked"`, ADDED],
  postgres: [`${SOURCES}/state/postgres/`, `append({ action: "token.revoked"`, ADDED],
  trigger: [
    `${TESTS}/event-contract.ts`,
    `"key.created": `,
    `async "link.trial"({ state }, id) { await state.addToken(token(id), "operator"); return state.revokeToken(id, id); }, "key.created": `,
  ],
  page: [PAGE, "| `link.viewed` ", "| `link.trial` | the trial runs |\n| `link.viewed` "],
} as const satisfies Record<string, readonly [file: string, before: string, after: string]>;

type Part = keyof typeof parts;

/** Copies what an event touches, with all parts but one. */
function repositoryWithout(left: Part | undefined): string {
  const root = mkdtempSync(join(tmpdir(), "daypass-trial-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const path of [SOURCES, TESTS, "tsconfig.base.json", PAGE])
    cpSync(join(REPOSITORY, path), join(root, path), { recursive: true });
  symlinkSync(join(REPOSITORY, "node_modules"), join(root, "node_modules"));
  writeFileSync(join(root, "package.json"), `{ "type": "module" }`);
  const options = { composite: false, isolatedDeclarations: false, declarationMap: false, noEmit: true };
  const allowed = { rewriteRelativeImportExtensions: false, allowImportingTsExtensions: true, skipLibCheck: true };
  const compilerOptions = { ...options, ...allowed, types: ["node"] };
  const config = { extends: "./tsconfig.base.json", compilerOptions, files: [`${TESTS}/event-contract.ts`] };
  writeFileSync(join(root, "tsconfig.json"), JSON.stringify(config));
  for (const [name, [place, before, after]] of Object.entries(parts)) {
    if (name === left) continue;
    const files = place.endsWith("/") ? readdirSync(join(root, place)).map((file) => place + file) : [place];
    const found = files.map((file) => join(root, file)).filter((file) => readFileSync(file, "utf8").includes(before));
    expect(found, `files of ${place} with ${before}`).toHaveLength(1);
    for (const file of found) writeFileSync(file, readFileSync(file, "utf8").replace(before, after));
  }
  return root;
}

/** The checks that an omission turns red. */
async function redIn(root: string): Promise<readonly string[]> {
  const tsc = join(REPOSITORY, "node_modules/.bin/tsc");
  const types = spawnSync(tsc, ["-p", root], { encoding: "utf8" });
  if (types.status !== 0)
    return [`types: ${/'"link\.trial"'|link\.trial/.test(types.stdout) ? "link.trial" : types.stdout}`];
  const contract: typeof import("./event-contract.ts") = await import(join(root, TESTS, "event-contract.ts"));
  const engine: typeof import("../../src/state/sqlite/index.ts") = await import(
    join(root, SOURCES, "state/sqlite/index.ts")
  );
  const opened = { now: BEGIN, writer: "main" };
  const clock = () => new Date(opened.now);
  const state = await engine.sqliteState({ path: ":memory:", clock });
  const missing = await contract.missingEvents(Object.assign(opened, { state, close: () => state.close() }));
  await state.close();
  const page = linesOf(readFileSync(join(root, PAGE), "utf8")).join("\n") === contract.eventLines().join("\n");
  return [
    ...missing.map((one) => `contract: ${one}`),
    ...contract.forgottenActions(join(root, SOURCES)).map((one) => `texts: ${one}`),
    ...(page ? [] : ["page"]),
  ];
}

describe("a new event", () => {
  it.each<readonly [left: Part | undefined, red: readonly string[]]>([
    [undefined, []],
    ["action", ["types: link.trial"]],
    ["notification", ["page"]],
    ["sqlite", ["contract: record link.trial", "contract: notification link.trial", "texts: link.trial"]],
    ["postgres", ["texts: link.trial"]],
    ["trigger", ["types: link.trial"]],
    ["page", ["page"]],
  ])(
    "without %s turns checks red: %j",
    async (left, red) => {
      expect(await redIn(repositoryWithout(left))).toEqual(red);
    },
    60_000,
  );
});
