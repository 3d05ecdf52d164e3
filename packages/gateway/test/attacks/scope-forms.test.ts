import { isDaypassError } from "daypass";
import { describe, expect, it } from "vitest";
import type { S3AccessKey } from "../../src/index.ts";
import { sendS3, useGateway } from "../e2e/clients.ts";

let scope: unknown;
const key = (): S3AccessKey => ({
  accessKeyId: "AKIDSCOPED",
  secretAccessKey: "the secret of the scoped key",
  scope: scope as S3AccessKey["scope"],
});
const gateway = useGateway({
  files: { "media/a.txt": "a" },
  gateway: () => ({ keys: { s3: (id) => (id === "AKIDSCOPED" ? key() : undefined) } }),
});

const get = (secretAccessKey = key().secretAccessKey) =>
  sendS3(gateway, { key: "a.txt" }, { credentials: { ...key(), secretAccessKey } });
const errors = () => gateway.events.map(({ error }) => error);

describe("a scope that limits nothing as it is written", () => {
  it.each<[string, unknown]>([
    ["buckets", { buckets: "media-private" }],
    ["buckets", { buckets: [5] }],
    ["buckets", { buckets: ["media", 5] }],
    ["bucket", { bucket: ["other"] }],
    ["prefix", { prefix: ["a"] }],
    ["methods", { methods: ["get"] }],
    ["methods", { methods: ["GET", "put"] }],
    ["methods", { methods: "GET" }],
    ["methods", { methods: [" GET"] }],
    ["methods", { methods: ["GET,"] }],
    ["maxLife", { maxLife: "10m" }],
    ["maxLife", { maxLife: 0 }],
    ["maxLife", { maxLife: -60 }],
    ["maxLife", { maxLife: Number.POSITIVE_INFINITY }],
    ["maxLife", { maxLife: Number.NaN }],
    ["until", { until: "tomorrow" }],
    ["until", { until: "2030-01-02T03:04:05" }],
    ["until", { until: new Date(Number.NaN) }],
    ["allow", { allow: [{ actions: "s3:*", resources: ["*"] }] }],
    ["allow", { allow: [{ actions: ["s3:*"], resources: "*" }] }],
    ["allow", { allow: [{ actions: ["s3:*"], resources: ["*"] }, { actions: ["s3:*"] }] }],
    ["allow", { allow: [null] }],
    ["allow", { allow: {} }],
    ["scope", ["media"]],
    ["scope", null],
  ])("grants nothing, and the log names %s (%j)", async (member, found) => {
    scope = found;
    const before = errors().length;
    expect(await get()).toMatchObject({ status: 500, code: "InternalError" });
    await expect.poll(() => errors().length).toBe(before + 1);
    const error = errors().at(-1);
    expect(isDaypassError(error) && error.code === "INVALID_KEY" && error.message).toContain(member);
    // A client without a valid signature cannot cause or see this error.
    expect((await get("another")).status).toBe(403);
  });
});

it("takes the end of a key as text, too, and every member that is left open", async () => {
  scope = { until: new Date(Date.now() + 60_000).toISOString(), prefix: undefined, allow: undefined };
  expect((await get()).status).toBe(200);
  scope = { until: new Date(Date.now() - 1000).toISOString() };
  expect((await get()).status).toBe(403);
  scope = { until: "2020-01-02T03:04:05+01:00" };
  expect((await get()).status).toBe(403);
});

it("takes a prefix of nothing, or of the whole key, and of no half of a segment", async () => {
  for (const [prefix, status] of [
    ["", 200],
    ["a.txt", 200],
    ["a.tx", 403],
  ]) {
    scope = { prefix };
    expect([prefix, (await get()).status]).toEqual([prefix, status]);
  }
});

it("holds a scope that is narrowed where it stands", async () => {
  const narrowed: { buckets: string[]; prefix?: string } = { buckets: ["media"] };
  scope = narrowed;
  expect((await get()).status).toBe(200);
  narrowed.prefix = "elsewhere/";
  expect((await get()).status).toBe(403);
});

it.each<[string, () => readonly [scope: object, spoil: () => void]]>([
  [
    "whose list is not frozen",
    () => {
      const buckets = ["media"];
      return [{ buckets }, () => void Object.assign(buckets, [5])];
    },
  ],
  [
    "whose date changes",
    () => {
      const until = Object.freeze(new Date(Date.now() + 60_000));
      return [{ until }, () => void until.setTime(Number.NaN)];
    },
  ],
  [
    "that computes a member",
    () => {
      const state: { buckets: unknown } = { buckets: ["media"] };
      const scope = Object.defineProperty({}, "buckets", { get: () => state.buckets, enumerable: true });
      return [scope, () => void Object.assign(state, { buckets: "media-private" })];
    },
  ],
])("grants nothing by a frozen scope %s once it is malformed", async (_, make) => {
  const [made, spoil] = make();
  scope = Object.freeze(made);
  expect((await get()).status).toBe(200);
  spoil();
  expect((await get()).status).toBe(500);
});

it("validates a scope that cannot change once", async () => {
  let read = 0;
  const ownKeys = (target: object): (string | symbol)[] => {
    read += 1;
    return Reflect.ownKeys(target);
  };
  scope = new Proxy(Object.freeze({ buckets: Object.freeze(["media"]) }), { ownKeys });
  expect((await get()).status).toBe(200);
  const once = read;
  expect((await get()).status).toBe(200);
  expect([once > 0, read]).toEqual([true, once]);
});

it("grants nothing by a scope object that is later emptied in place", async () => {
  const changed: { buckets: unknown } = { buckets: ["media"] };
  scope = changed;
  expect((await get()).status).toBe(200);
  changed.buckets = "media-private";
  expect((await get()).status).toBe(500);
});
