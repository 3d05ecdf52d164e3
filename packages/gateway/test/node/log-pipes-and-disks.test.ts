import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { IN_NAMESPACE, needsMounts } from "../../../../tools/mounts.ts";
import { bundledFixture } from "../storage/bundled-fixture.ts";

const reason = needsMounts();

interface Line {
  readonly part?: string;
  readonly i?: number;
  readonly worker?: number;
  readonly lost?: number;
  readonly error?: string;
}

const linesOf = (text: string): readonly Line[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

it("keeps the lines of workers whole when they share a pipe with a slow reader", async () => {
  const program = await bundledFixture("../../node/fixtures/log-workers.ts");
  const count = 5000;
  // A pipe of the shell, because Node connects a child by sockets.
  const script = '"$@" 2>&1 >/dev/null | { sleep 0.5; cat; }';
  const text = execFileSync("sh", ["-c", script, "sh", process.execPath, program, String(count)], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  const lines = linesOf(text);
  for (const worker of [1, 2]) {
    const own = lines.filter((line) => line.worker === worker).map(({ i }) => i);
    expect(own).toEqual(Array.from({ length: count }, (_, i) => i));
  }
  expect(lines).toHaveLength(2 * count);
});

it.skipIf(reason)(`reports the lost lines after the disk was full${reason ?? ""}`, async () => {
  const program = await bundledFixture("../../node/fixtures/log-full.ts");
  const script = 'mount -t tmpfs -o size=256k tmpfs /mnt; "$@" /mnt; cat /mnt/log';
  const text = execFileSync("unshare", [...IN_NAMESPACE, script, "sh", process.execPath, program], {
    encoding: "utf8",
  });
  // The line that was cut when the disk became full.
  const torn = text.split("\n").filter((line) => !line.endsWith("}") && line !== "");
  expect(torn.length).toBeLessThanOrEqual(1);
  const lines = linesOf(
    text
      .split("\n")
      .filter((line) => !torn.includes(line))
      .join("\n"),
  );
  const of = (part: string): number => lines.filter((line) => line.part === part).length;
  expect([of("before"), of("after")]).toEqual([100, 100]);
  expect(of("full")).toBeLessThan(100);
  const losses = lines.filter(({ lost }) => lost !== undefined);
  expect(losses).toEqual([expect.objectContaining({ level: 50, lost: 100 - of("full"), error: "ENOSPC" })]);
});
