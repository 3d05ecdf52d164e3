import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fieldList, type NamedField } from "@daypass/gateway/link-fields";
import { expect, test } from "vitest";
import { daypass, temporaryFolder } from "./command.ts";

/** The value of an option by the kind of its field, and what the API then shows. */
const SAMPLES: Readonly<Partial<Record<NamedField["kind"], readonly [given: string | undefined, shown: unknown]>>> = {
  text: ["t-77", "t-77"],
  instant: ["1h", expect.stringMatching(/Z$/)],
  count: ["3", 3],
  bytes: ["1GB", 1_000_000_000],
  networks: ["192.0.2.0/24", ["192.0.2.0/24"]],
  flag: [undefined, true],
  password: [undefined, true],
};

const fields = fieldList.flatMap(({ name, kind, option, editable }) => {
  if (option === undefined) return [];
  const [long = ""] = option.split(" ");
  const [given, shown] = SAMPLES[kind] ?? [];
  const words = given === undefined ? [long] : [long, given];
  return { name, editable, words, shown: long.startsWith("--no-") ? false : shown };
});

/** A gateway's state beside a file that links can open. */
function links() {
  const folder = temporaryFolder();
  const state = join(folder, ".daypass");
  for (const one of [join(folder, "media"), state]) mkdirSync(one, { mode: 0o700 });
  writeFileSync(join(folder, "media/a.txt"), "first");
  return async (...args: readonly string[]) => {
    const { status, stdout } = await daypass(["links", ...args, "--json", "--state", state], { input: "secret\n" });
    const answer = JSON.parse(stdout);
    return status === 0 ? answer : answer.error.message;
  };
}

test.each(fields)("creates a link with $words and shows it, or refuses it", async ({ name, words, shown }) => {
  const run = links();
  const made = await run("create", "media/a.txt", ...new Set([...words, "--public"]));
  if (name === "handOver") return expect(made).toMatch("hands nothing over");
  const { [name]: read, expiresAt } = await run("show", made.id);
  expect([made[name], read]).toEqual([shown, shown]);
  expect(Date.parse(expiresAt) > Date.now() + 2 * 3_600_000).toBe(name !== "expiresAt");
});

test.each(fields.filter(({ editable }) => editable))("edits a link with $words", async ({ name, words, shown }) => {
  const run = links();
  const { id, [name]: before } = await run("create", "media/a.txt");
  const { [name]: after } = await run("edit", id, ...words);
  expect([after, (await run("show", id))[name]]).toEqual([shown, after]);
  expect(after).not.toEqual(before);
});
