import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it } from "vitest";
import type { S3AccessKey } from "../../src/index.ts";
import { type S3Sent, sendS3, useGateway } from "../e2e/clients.ts";
import { ASSUME, callSts, credentialsIn } from "../e2e/sts-call.ts";

type Found = S3AccessKey | readonly S3AccessKey[] | null | undefined;

const KEY: S3AccessKey = { accessKeyId: "AKIDFOUND", secretAccessKey: "s3cret", scope: { prefix: "in/" } };
const find = (): Found | Promise<Found> => KEY;
let found = find;
const gateway = useGateway({
  files: { "media/in/a.txt": "a", "media/out.txt": "out" },
  gateway: () => ({ keys: { s3: () => found() }, sessionSecret: Buffer.alloc(32, 7) }),
});
afterEach(() => {
  found = find;
});

async function outcome(sent: S3Sent, credentials = KEY): Promise<string> {
  const { status, code } = await sendS3(gateway, sent, { credentials });
  return status < 300 ? "allowed" : (code ?? String(status));
}

/** What Prisma, Mongoose and Knex return: it has a `then`, and is no instance of this program's Promise. */
const Query: PromiseConstructor = runInNewContext("Promise");
const query = (key: Found): Promise<Found> => Query.resolve(key);

describe("a key that a database finds", () => {
  it.each([
    ["at once", () => KEY],
    ["in a list", () => [KEY]],
    ["later", async () => KEY],
    ["by a query", () => query(KEY)],
    ["in a list by a query", () => query([KEY])],
  ])("is held to its scope where it is found %s", async (_, answer) => {
    found = answer;
    expect(await outcome({ key: "in/a.txt" })).toBe("allowed");
    expect(await outcome({ key: "out.txt" })).toBe("AccessDenied");
  });

  it("accepts sessions of a key that a query returns", async () => {
    found = () => query(KEY);
    const session = credentialsIn(await callSts(gateway, ASSUME, { key: KEY }));
    expect(await outcome({ key: "in/a.txt" }, session)).toBe("allowed");
    expect(await outcome({ key: "out.txt" }, session)).toBe("AccessDenied");
  });

  it.each([
    ["nothing", undefined],
    ["null", null],
    ["an empty list", []],
  ])("is unknown where %s is found while its request is read", async (_, none) => {
    for (const later of [false, true]) {
      let calls = 0;
      found = () => {
        const now = calls++ === 0 ? KEY : none;
        return later ? query(now) : now;
      };
      expect(await outcome({ key: "in/a.txt" })).toBe("InvalidAccessKeyId");
    }
  });

  it.each([false, "", 0])("has no scope, and no say, where %j is found while its request is read", async (none) => {
    let calls = 0;
    found = () => (calls++ === 0 ? KEY : (none as never));
    expect(await outcome({ key: "out.txt" })).toBe("InternalError");
  });
});
