import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { urlSigner } from "daypass/url";
import { describe, expect, test } from "vitest";
import { needsPostgres, type PostgresServer } from "../../../tools/postgres-server.ts";
import { guide, ofEachWorker, open, startReplicas } from "./replicas.ts";
import { status } from "./serving.ts";

const reason = needsPostgres("radosgw");
const [, section = ""] = guide.split("## Backup\n");
/** The commands of the guide: for the backup, and for the restore. */
const [backup = [], restore = []] = [...section.matchAll(/```console\n([^`]*)```/g)].map(([, lines = ""]) =>
  lines
    .trim()
    .split("\n")
    .map((line) => line.slice(2)),
);

/** Runs commands of the guide on a server. */
function type(server: PostgresServer, commands: readonly string[]): void {
  expect(commands.length).toBeGreaterThan(0);
  for (const line of commands) {
    const [name = "", ...words] = line.match(/(?:'[^']*'|[^\s'])+/g) ?? [];
    const args = words.map((word) =>
      word
        .replaceAll("'", "")
        .replace("--dbname=daypass", `--dbname=${server.url}`)
        .replace("daypass.dump", join(server.folder, "daypass.dump")),
    );
    server.run(name, args);
  }
}

describe.skipIf(reason)(`two replicas of two workers after the restore of a backup${reason ?? ""}`, () => {
  test("suspend counted links and older URLs with uses until they are resumed, accept what was revoked since, and find the lost records", async () => {
    const { database, replicas, presigned, keyId } = await startReplicas("LISTEN", { audit: { headsFile: "heads" } });
    const [one, two] = replicas;
    const create = (...more: readonly string[]) => one.json("links", "create", "s3://media/report.pdf", ...more);
    const [withdrawn, counted] = [await create(), await create("--max-deliveries", "3")];
    const claim = async (at: 0 | 1) => (await open(replicas[at], counted.url, `?dl=${crypto.randomUUID()}`)).status;
    expect([await claim(0), await claim(1)]).toEqual([200, 200]);
    const { jwk: key } = await one.json("keys", "create", "url", "--show-secret");
    const sign = (uses = 1) => {
      const url = `${one.running.said.url}/media/report.pdf`;
      return urlSigner({ key }).sign({ url, methods: ["GET"], expiresIn: 3600, uses }).url;
    };
    // Every worker knows the new key before it counts.
    await expect.poll(() => ofEachWorker(sign(99))).toEqual(Array(8).fill(200));
    const [used, unused] = [sign(), sign()];
    type(database, backup);
    expect([await status(used), await status(used)]).toEqual([200, 403]);
    expect([await claim(1), await claim(0)]).toEqual([200, 410]);
    await two.json("links", "revoke", withdrawn.id);
    await one.json("revoke", "--key", keyId);
    await expect.poll(() => ofEachWorker(presigned(two))).toEqual(Array(8).fill(403));

    const lost: string[] = [];
    for (const { running, folder } of replicas) {
      await running.stop();
      const [heads, old] = [join(folder, "heads"), join(folder, "heads.old")];
      lost.push(...readFileSync(heads, "utf8").trim().split("\n"));
      renameSync(heads, old);
    }
    const oldHeads = join(one.folder, "heads.old");
    writeFileSync(oldHeads, lost.join("\n"));
    expect((await one.run("audit", "verify", "--heads-file", oldHeads)).stdout).toMatch(/^as signed/);
    type(database, restore);
    for (const replica of replicas) await replica.restart();

    expect(replicas.map(({ running }) => running.log()).join("")).toContain("counted links are suspended");
    expect((await two.json("links", "show", counted.id)).suspended).toBe("restored");
    expect([await claim(0), await claim(1)]).toEqual([410, 410]);
    expect([await status(used), await status(unused)]).toEqual([403, 403]);
    await expect.poll(() => status(sign())).toBe(200);
    await one.json("links", "resume", "--all");
    expect([await status(used), await status(used), await status(unused)]).toEqual([200, 403, 200]);
    expect([await claim(1), await claim(0)]).toEqual([200, 410]);
    for (const replica of replicas) {
      expect((await open(replica, withdrawn.url)).status).toBe(200);
      expect(await ofEachWorker(presigned(replica))).toEqual(Array(8).fill(200));
    }

    for (const replica of replicas) {
      expect((await replica.run("audit", "accept-restore")).stdout).toMatch(/^accepted: the state has lost the head/);
      await replica.running.stop();
    }
    const heads = join(one.folder, "heads.new");
    writeFileSync(heads, replicas.map(({ folder }) => readFileSync(join(folder, "heads"), "utf8")).join(""));
    expect((await one.run("audit", "verify", "--heads-file", heads)).stdout).toMatch(/^as signed/);
    const found = await one.run("audit", "verify", "--heads-file", oldHeads);
    const cuts = lost.map((line) => {
      const { writer, first, last } = JSON.parse(JSON.parse(line).head);
      return `cut: ${writer} ${first} to ${last}: an exported head covers these records, and it is not in the audit`;
    });
    const [summary, ...faults] = found.stdout.trim().split("\n").reverse();
    expect([found.status, faults.sort(), summary]).toEqual([1, cuts.sort(), expect.stringMatching(/^NOT as signed/)]);
  }, 120_000);
});
