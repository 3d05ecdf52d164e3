import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { IN_NAMESPACE, needsMounts } from "../../../../tools/mounts.ts";
import { bundledFixture } from "../storage/bundled-fixture.ts";
import { removeRoot, tempRoot } from "../storage/temp-root.ts";

const reason = needsMounts();

describe.skipIf(reason)(`the state on a full disk${reason ?? ""}`, () => {
  it("stores revocations and nothing else, also after a restart, and recovers when there is space", async () => {
    const program = await bundledFixture("full-state.ts");
    const root = tempRoot();
    const script = 'mount -t tmpfs -o size=24m tmpfs "$1"; exec "$2" "$3" "$1"';
    const output = execFileSync("unshare", [...IN_NAMESPACE, script, "sh", root, process.execPath, program]);
    expect(JSON.parse(output.toString())).toEqual({
      claims: ["STATE_UNAVAILABLE", "STATE_UNAVAILABLE"],
      full: true,
      isTokenRevoked: true,
      suspended: 0,
      fullAfterRestart: true,
      kept: 12,
      recovered: [false, "stored", 1024 * 1024],
    });
    removeRoot(root);
  });
});
