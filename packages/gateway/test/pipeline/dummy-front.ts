import { DaypassError, type Grant, type ImmediateVerifier } from "daypass";
import type { GetObject } from "../../src/operations/get-object.ts";
import type { Protocol, Task } from "../../src/protocols/protocol.ts";
import { textAnswer } from "../../src/protocols/text-answer.ts";
import type { Front } from "../../src/protocols.ts";

/** Keys of the dummy dialect: their names. */
type DummyKeys = readonly string[];

const SCOPE = { buckets: ["media"] };
const TARGET = /^\/dummy\/([a-z]+)\/([a-z.]+)\?(?:.*&)?dummy-key=([a-z]+)$/;

interface DummyGrant extends Grant {
  readonly bucket: string;
  readonly key: string;
}

export type DummyProtocol = Protocol<DummyGrant>;

/** A dialect with separate keys. Its URLs are `/dummy/<bucket>/<key>?dummy-key=<name of a key>`. */
function dummyProtocol(keys: DummyKeys, more: Partial<DummyProtocol> = {}): DummyProtocol {
  const verifier: ImmediateVerifier<DummyGrant> = {
    detects: ({ target }) => target.includes("dummy-key="),
    verify({ target }) {
      const [, bucket = "", key = "", keyId = ""] = TARGET.exec(target) ?? [];
      if (!keys.includes(keyId)) throw new DaypassError("UNKNOWN_KEY", "the key is unknown");
      return {
        scheme: "dummy",
        id: keyId,
        keyId,
        bucket,
        key,
        methods: ["GET"],
        notBefore: new Date(0),
        expiresAt: new Date(8e12),
        obligations: [],
        target,
        limitBody: (body) => body,
      };
    },
  };
  return {
    dialect: "dummy",
    verifiers: [verifier],
    resource: ({ bucket, key }) => ({ bucket, key }),
    scopes: () => SCOPE,
    life: () => 0,
    task({ object }) {
      if (object === undefined) throw new TypeError("the dummy dialect has objects only");
      const task: Task<GetObject> = {
        request: { operation: "get-object", object, conditions: undefined, range: undefined },
        present: ({ body }) => ({ status: 200, headers: ["x-dialect", "dummy"], body }),
      };
      return task;
    },
    refuse: ({ code }) => textAnswer({ status: 400, type: "text/plain", text: `dummy ${code}`, headers: [] }),
    ...more,
  };
}

/** The row of the dummy dialect. */
export function dummyFront(more: Partial<DummyProtocol> = {}): Front<DummyKeys> {
  return {
    keys: [Array.isArray, "a list of names"],
    make: (keys) => [dummyProtocol(keys, more)],
    ownerScopes: (keys) => (id) => (keys.includes(id) ? SCOPE : undefined),
  };
}
