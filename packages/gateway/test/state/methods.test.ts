import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { forEachMethod, isMethod, type MethodName, methods } from "../../src/state/contract/methods.ts";
import type { State, StateProcess } from "../../src/state/contract/state.ts";
import { measuredState } from "../../src/state/measured.ts";
import { postgresState } from "../../src/state/postgres/index.ts";
import { connectState } from "../../src/state/remote.ts";
import { sqliteState } from "../../src/state/sqlite/index.ts";

const all = Object.keys(methods) as MethodName[];
const ofEngines = all.filter((name) => methods[name].of === "engines");
const ofReplicas = all.filter((name) => methods[name].of === "replicas");
const process: Readonly<Record<keyof StateProcess, true>> = {
  sharedByReplicas: true,
  watch: true,
  auditFault: true,
  holdWriter: true,
  isAvailable: true,
  isFull: true,
  close: true,
};

for (const [name, open] of [
  ["SQLite", () => sqliteState({ path: ":memory:" })],
  ["PostgreSQL", () => postgresState({ url: "postgres://127.0.0.1:1/none" })],
] as const) {
  it(`${name} has the methods of the table, and no other`, async () => {
    const state = await open();
    onTestFinished(() => state.close());
    const own = Object.keys(state).filter((member) => !Object.hasOwn(process, member));
    expect(own.sort()).toEqual([...ofEngines, ...(state.sharedByReplicas ? ofReplicas : [])].sort());
  });
}

it("an engine that lacks a method of the table does not compile", () => {
  const others: Omit<State, "claimUse"> = Object.create(null);
  // @ts-expect-error: the method is missing
  const engine: State = others;
  expect(engine.claimUse).toBe(undefined);
});

it("measures each method of the table by its name", async () => {
  const reported: string[] = [];
  const answers = forEachMethod(() => async () => JSON.parse('{"ok":true}'));
  const state: State = { ...answers, sharedByReplicas: false, close: async () => undefined };
  const measured = measuredState(state, ({ name }) => reported.push(name));
  for (const name of all) await Reflect.apply(measured[name] ?? fail, measured, ["v", { type: name }]);
  expect(reported).toEqual(all);
});

it("sends a call again whose answer was lost if its row says so, and rejects any other", async () => {
  const folder = mkdtempSync(join(tmpdir(), "daypass-methods-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const seen = new Set<string>();
  // Loses the first answer of each method with its connection.
  const server = createServer((socket) =>
    socket.on("data", (text) => {
      for (const line of String(text).trim().split("\n")) {
        const { id, method } = JSON.parse(line);
        if (seen.has(method)) socket.write(`${JSON.stringify({ id, result: "" })}\n`);
        else socket.destroy();
        seen.add(method);
      }
    }),
  );
  await new Promise<void>((resolve) => server.listen(join(folder, "sock"), resolve));
  const state = connectState({ path: join(folder, "sock") });
  onTestFinished(() => state.close().then(() => void server.close()));
  for (const name of all) {
    const outcome = Reflect.apply(state[name] ?? fail, state, []).then(
      () => "sent again",
      ({ code }: { code: string }) => code,
    );
    expect([name, await outcome]).toEqual([name, methods[name].repeatable ? "sent again" : "STATE_UNAVAILABLE"]);
  }
});

it("serves no member that is not in the table", () => {
  for (const name of [...Object.keys(process), "toString", "__proto__", "constructor"])
    expect(isMethod(name)).toBe(false);
});

function fail(): never {
  throw new Error("the state lacks the method");
}
