import type { Grant, Verifier } from "daypass";
import type { S3Grant } from "daypass/s3";
import { expect, it } from "vitest";
import type { Session, Sessions } from "../../src/pipeline/sessions.ts";
import { withSessions } from "../../src/protocols/s3/session-verifier.ts";

/** A verifier over sessions that counts how often a token is opened, which is what is kept of one. */
function counted() {
  let opened = 0;
  const sessions: Sessions = {
    issue: () => {
      throw new Error("never");
    },
    open: (token) => {
      opened += 1;
      return { accessKeyId: token } as Session;
    },
    isBound: () => true,
  };
  const verified: Verifier<S3Grant> = { detects: () => true, verify: async () => ({}) as S3Grant };
  const found = new WeakMap<Grant, Session>();
  const verifier = withSessions(() => verified, { keys: () => undefined, sessions, found });
  const open = async (token: string): Promise<number> => {
    const before = opened;
    const headers = [["x-amz-security-token", token]] as const;
    await verifier.verify({ method: "GET", target: "/", authority: "localhost", headers });
    return opened - before;
  };
  return open;
}

it("keeps what is known of a token, and of no more of them than fit, or whoever asks for sessions would fill the memory", async () => {
  const open = counted();
  expect([await open("first"), await open("first")]).toEqual([1, 0]);
  for (let i = 1; i < 256; i++) await open(`token ${i}`);
  expect(await open("first")).toBe(0);
  expect([await open("one more"), await open("first")]).toEqual([1, 1]);
});
