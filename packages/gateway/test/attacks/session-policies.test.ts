import { describe, expect, it } from "vitest";
import { Refusal } from "../../src/pipeline/refusal.ts";
import { scopeOfPolicy } from "../../src/protocols/sts/policy.ts";

type Statement = readonly [actions: string | readonly string[], resources: string | readonly string[]];

function read(...statements: readonly Statement[]): unknown {
  const Statement = statements.map(([actions, resources]) => ({
    Effect: "Allow",
    Action: typeof actions === "string" ? `s3:${actions}` : actions.map((action) => `s3:${action}`),
    Resource: [resources].flat().map((resource) => `arn:aws:s3:::${resource}`),
  }));
  try {
    return scopeOfPolicy(JSON.stringify({ Version: "2012-10-17", Statement }));
  } catch (error) {
    return error instanceof Refusal ? error.code : error;
  }
}

describe("a session policy grants nothing that it does not say", () => {
  it.each<[string, ...Statement[]]>([
    ["writes to the bucket that is for reading", ["GetObject", "a/*"], ["PutObject", "b/*"]],
    ["deletes in the bucket that is for writing", [["PutObject", "DeleteObject"], "a/*"], ["PutObject", "b/*"]],
    ["reads of what may only be listed", ["ListBucket", ["a", "a/*"]]],
    ["reads of what may be listed and written", ["ListBucket", "a"], ["PutObject", "a/*"]],
    ["reads of what may be uploaded in parts", [["PutObject", "ListMultipartUploadParts"], "a/*"]],
    ["deletions of what may be uploaded in parts", [["PutObject", "AbortMultipartUpload"], "a/*"]],
    ["keys of a bucket that is named for itself", ["*", "a"]],
    ["keys of the second bucket, which is named for itself", ["*", "a"], ["*", "b/x/*"]],
    ["reads of all buckets, where one may be read and all be listed", ["ListBucket", "*"], ["GetObject", "a/*"]],
  ])("not %s", (_, ...statements) => {
    expect(read(...statements)).toBe("MALFORMED_POLICY");
  });

  it("not the making, removal and rules of buckets, unless it is s3:* on the bucket and its keys", () => {
    const objects = ["GetObject", "PutObject", "DeleteObject"] as const;
    expect(read([objects, "a/*"])).toEqual({ buckets: ["a"], prefix: "" });
    expect(read([objects, ["a", "a/*"]])).toEqual({ buckets: ["a"], prefix: "" });
    expect(read([objects, "*"])).toEqual({ prefix: "" });
    expect(read(["PutObject", ["a/*", "b/*"]])).toEqual({ methods: ["PUT", "POST"], buckets: ["a", "b"], prefix: "" });
    expect(read(["*", "a/*"])).toEqual({ buckets: ["a"], prefix: "" });
    expect(read(["*", ["a", "a/*"]])).toEqual({ buckets: ["a"] });
    expect(read(["*", ["a", "a/*", "b/*"]])).toEqual({ buckets: ["a", "b"], prefix: "" });
    expect(read(["*", "*"])).toEqual({});
  });

  it("and what it says in several statements, of a bucket and of its keys, is put together", () => {
    expect(read(["ListBucket", "a"], ["GetObject", "a/x/*"], ["PutObject", "a/x/*"])).toEqual({
      methods: ["GET", "PUT", "POST"],
      buckets: ["a"],
      prefix: "x/",
    });
  });
});
