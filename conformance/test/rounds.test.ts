import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestGateway, testGateway } from "@daypass/gateway/testing";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { needs } from "../../tools/needs.ts";
import { libraryRounds } from "../rounds/libraries.ts";
import { programRounds } from "../rounds/programs.ts";
import { type Outcome, type Place, STEPS } from "../rounds/round.ts";
import { uppyRounds } from "../rounds/uppy.ts";
import { temporaryFolder } from "../servers/temporary.ts";

const rounds = [...libraryRounds, ...programRounds, ...uppyRounds];
const page = new URL("../../docs/conformance.md", import.meta.url);
const BEGIN = "<!-- rounds: begin -->\n";
const END = "<!-- rounds: end -->";

describe("a round of everything that a client can do, against the gateway", () => {
  let gateway: TestGateway;
  let bytes: Buffer;
  const results = new Map<string, readonly Outcome[]>();

  beforeAll(async () => {
    gateway = await testGateway();
    bytes = randomBytes(100_000_000);
  });

  // `npm run conformance` writes the table; otherwise, a table that differs fails.
  afterAll(async () => {
    await gateway?.close();
    if (results.size < rounds.length) return;
    const text = readFileSync(page, "utf8");
    const [before = "", rest = ""] = text.split(BEGIN);
    const [written, after = ""] = rest.split(END);
    const table = [
      `| client | signature | ${STEPS.join(" | ")} |`,
      `|---|---|${STEPS.map(() => "---|").join("")}`,
      ...rounds.map(({ name, signature }) => `| ${name} | ${signature} | ${results.get(name)?.join(" | ")} |`),
      "",
    ].join("\n");
    if (process.env["CONFORMANCE"] === "write") writeFileSync(page, `${before}${BEGIN}${table}${END}${after}`);
    else expect(written).toBe(table);
  });

  for (const [at, round] of rounds.entries()) {
    const noFuse =
      round.name === "s3fs" && !existsSync("/dev/fuse") ? " (skipped: this machine mounts nothing)" : undefined;
    const reason = noFuse ?? (round.needs.length === 0 ? undefined : needs(...round.needs));
    test.skipIf(reason)(
      `${round.name}, ${round.signature}${reason ?? ""}`,
      async () => {
        const folder = temporaryFolder();
        onTestFinished(() => folder.remove());
        const small = `small, for ${round.name}\n`;
        writeFileSync(join(folder.path, "small.txt"), small);
        writeFileSync(join(folder.path, "big.bin"), bytes);
        const place: Place = {
          endpoint: gateway.url,
          region: "us-east-1",
          credentials: gateway.accessKey,
          bucket: `round-${at}`,
          folder: folder.path,
          small,
          bigSha256: createHash("sha256").update(bytes).digest("hex"),
        };
        const outcomes: Outcome[] = [];
        for (const step of STEPS) outcomes.push(await round.steps[step](place));
        results.set(round.name, outcomes);
      },
      240_000,
    );
  }
});
