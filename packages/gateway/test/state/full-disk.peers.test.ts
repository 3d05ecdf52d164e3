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
    const script = 'mount -t tmpfs -o size=24m tmpfs "$1"; "$2" "$3" "$1" first; exec "$2" "$3" "$1" second';
    const output = execFileSync("unshare", [...IN_NAMESPACE, script, "sh", root, process.execPath, program]);
    const [first = "", second = ""] = output.toString().split("\n");
    const claims = ["STATE_UNAVAILABLE", "STATE_UNAVAILABLE"];
    expect(JSON.parse(first)).toEqual({ claims, isFull: true, isTokenRevoked: true });
    expect(JSON.parse(second)).toEqual({
      suspended: 0,
      isFull: true,
      revocations: 12,
      recovered: { isFull: false, claim: "stored" },
      reserve: 1024 * 1024,
    });
    removeRoot(root);
  });
});
