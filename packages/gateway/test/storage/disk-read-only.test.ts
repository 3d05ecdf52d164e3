import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { IN_NAMESPACE, needsMounts } from "../../../../tools/mounts.ts";
import { bundledFixture } from "./bundled-fixture.ts";
import { removeRoot, tempRoot } from "./temp-root.ts";

const reason = needsMounts();
// The mount alone: of a tmpfs that another user than root has made, the options name a user that its namespace does not know.
const SCRIPT = `
mount -t tmpfs tmpfs "$1"
mkdir "$1/bucket" "$1/empty"; printf foreign > "$1/bucket/foreign.txt"
if [ "$4" != new ]; then "$2" "$3" "$1" seed; fi
if [ "$4" = copied ]; then for name in .daypass bucket; do cp -a "$1/$name" "$1/copy"; rm -r "$1/$name"; mv "$1/copy" "$1/$name"; done; fi
mount -o remount,bind,ro "$1"
exec "$2" "$3" "$1"
`;

describe.skipIf(reason)(`a folder that can only be read${reason ?? ""}`, () => {
  it.each([
    ["that was never served", "new", [404, "application/xml", null], ["foreign.txt"]],
    ["with all that was stored, in a copy of it", "copied", [200, "text/x-kept", "1"], ["foreign.txt", "stored.bin"]],
    ["with all that was stored", "served", [200, "text/x-kept", "1"], ["foreign.txt", "stored.bin"]],
  ])("is served, %s, and nothing in it changes", async (_, before, stored, listed) => {
    const program = await bundledFixture("read-only.ts");
    const [root, temporary] = [tempRoot(), tempRoot()];
    const run = [...IN_NAMESPACE, SCRIPT, "sh", root, process.execPath, program, before];
    const output = execFileSync("unshare", run, { env: { ...process.env, TMPDIR: temporary } });
    const said = JSON.parse(output.toString());
    expect(said.served).toMatchObject({
      told: 1,
      foreign: "foreign",
      stored,
      other: "404 NoSuchKey",
      listed,
      uploads: "200",
    });
    expect(said.refused).toEqual(Array(9).fill("403 AccessDenied"));
    // The copy of the index goes with the gateway.
    expect(readdirSync(temporary).filter((name) => name.startsWith("daypass-index-"))).toEqual([]);
    for (const folder of [root, temporary]) removeRoot(folder);
  });
});
