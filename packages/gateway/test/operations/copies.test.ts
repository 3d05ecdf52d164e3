import { beforeAll, describe, expect, it } from "vitest";
import { copyObject } from "../../src/operations/copy-object.ts";
import { type CopyPart, copyPart } from "../../src/operations/copy-part.ts";
import type { OperationContext } from "../../src/operations/operation-context.ts";
import type { PermittedObject } from "../../src/permit.ts";
import { useCountedGateway } from "../e2e/clients.ts";

// Limits that no client can come near: five gigabytes, where the configuration does not say less.
const SIZE = 10;
const [source, target] = ["source", "target"].map((key) => ({
  bucket: "media",
  key,
})) as readonly unknown[] as readonly [PermittedObject, PermittedObject];

const { gateway, calls } = useCountedGateway({ files: { "media/source": "x".repeat(SIZE) } });
let context: OperationContext;
let uploadId: string;
beforeAll(async () => {
  const { storage } = gateway;
  context = { storage, now: Date.now(), signal: undefined, journal: { deletions: undefined, error: undefined } };
  ({ uploadId } = await storage.createUpload(target));
});

const outcome = (copied: Promise<unknown>): Promise<string> =>
  copied.then(
    () => "copied",
    ({ code }) => code,
  );

describe("a copy", () => {
  const copy = (maxBytes: number): Promise<string> => {
    const none = { conditions: undefined, replace: undefined, tags: undefined, checksum: undefined };
    const always = { createOnly: false, ifMatch: undefined };
    return outcome(
      copyObject({ operation: "copy-object", source, object: target, maxBytes, ...none, ...always }, context),
    );
  };

  it("is made of a source of the size that one may have, and of none that is a byte larger", async () => {
    expect(await copy(SIZE)).toBe("copied");
    expect(await copy(SIZE - 1)).toBe("COPY_SOURCE_TOO_LARGE");
  });
});

describe("a part that is copied", () => {
  const copy = (wanted: Partial<CopyPart>): Promise<string> => {
    const whole = { source, object: target, uploadId, number: 1, conditions: undefined, range: undefined };
    return outcome(copyPart({ operation: "copy-part", ...whole, maxBytes: SIZE, ...wanted }, context));
  };

  it("may be as large as a part may be, and not a byte larger", async () => {
    expect(await copy({ maxBytes: SIZE })).toBe("copied");
    expect(await copy({ maxBytes: SIZE - 1 })).toBe("COPY_SOURCE_TOO_LARGE");
    expect(await copy({ maxBytes: 4, range: { start: 3, end: 6 } })).toBe("copied");
    expect(await copy({ maxBytes: 3, range: { start: 3, end: 6 } })).toBe("COPY_SOURCE_TOO_LARGE");
  });

  it("is of bytes that the source has, up to its last one", async () => {
    expect(await copy({ range: { start: SIZE - 1, end: SIZE - 1 } })).toBe("copied");
    expect(await copy({ range: { start: SIZE - 1, end: SIZE } })).toBe("COPY_RANGE");
  });

  it("refuses a part copy to a missing upload before it looks for the source", async () => {
    const missing = { bucket: "media", key: "missing" } as unknown as PermittedObject;
    const before = calls().length;
    expect(await copy({ uploadId: "gone", source: missing })).toBe("NO_SUCH_UPLOAD");
    expect(
      calls()
        .slice(before)
        .map(({ method }) => method),
    ).toEqual(["getUpload"]);
    expect(await copy({ source: missing })).toBe("NO_SUCH_KEY");
  });
});
