import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Log } from "@daypass/gateway/node";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type KeyRing, keyRing, pollKeys } from "../src/commands/serve/key-ring.ts";
import { endOfKey, hasEnded, inSigningOrder, isActive, type KeyRecord } from "../src/state-folder/key-record.ts";
import { keyStore } from "../src/state-folder/key-store.ts";
import { masterKey, seal, sessionSecret, unseal } from "../src/state-folder/master-key.ts";
import { temporaryFolder } from "./command.ts";

const AT = Date.parse("2026-01-02T03:04:05Z");
const S3 = { algorithm: "AWS4-HMAC-SHA256", scope: {} } as const;
const URL_KEY = { algorithm: "HS256", scope: {} } as const;

/** A store with a movable clock. */
function storeOf(env: Readonly<Record<string, string>> = {}) {
  const folder = temporaryFolder();
  let now = AT;
  const clock = () => new Date(now);
  const path = join(folder, "keys.json");
  const rows = (): { record: KeyRecord; secret?: string }[] => JSON.parse(readFileSync(path, "utf8")).keys;
  const setRows = (keys: unknown): void => writeFileSync(path, JSON.stringify({ version: 1, keys }));
  const pass = (seconds: number): void => {
    now += seconds * 1000;
  };
  return { folder, path, clock, pass, rows, setRows, store: keyStore({ folder, env, clock }) };
}

describe("seal()", () => {
  const key = randomBytes(32);
  const sealed = seal(key, "the secret", "context");

  test("decrypts with the same key and context, and never repeats a text", () => {
    expect(unseal(key, sealed, "context")).toBe("the secret");
    expect(seal(key, "the secret", "context")).not.toBe(sealed);
    expect(sealed).not.toContain(Buffer.from("the secret").toString("base64url"));
  });

  test("rejects another key or context, and a truncated or changed text", () => {
    expect(unseal(randomBytes(32), sealed, "context")).toBe(undefined);
    expect(unseal(key, sealed, "contexts")).toBe(undefined);
    const bytes = Buffer.from(sealed, "base64url");
    for (let at = 0; at < bytes.length; at++) {
      expect(unseal(key, bytes.subarray(0, at).toString("base64url"), "context")).toBe(undefined);
      const changed = Buffer.from(bytes);
      changed.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      expect(unseal(key, changed.toString("base64url"), "context")).toBe(undefined);
    }
  });
});

describe("keyStore()", () => {
  test("creates first keys once, also if all of them were revoked", async () => {
    const { store, rows } = storeOf();
    expect(await store.fingerprint()).toBe("");
    expect(await store.createFirst([S3, URL_KEY])).toBe(true);
    expect(rows().map(({ record }) => record.kind)).toEqual(["s3", "url"]);
    for (const { id } of await store.list()) await store.revoke(id);
    expect(await store.createFirst([S3])).toBe(false);
    expect([await store.active(), rows().length]).toEqual([[], 2]);
    const another = storeOf();
    await another.store.create(S3);
    expect([await another.store.createFirst([S3]), another.rows().length]).toEqual([false, 1]);
  });

  test("creates folders of mode 0700", async () => {
    const folder = join(temporaryFolder(), "gateway", "state");
    await keyStore({ folder, env: {}, clock: () => new Date(AT) }).create(S3);
    for (const made of [folder, dirname(folder)]) expect(statSync(made).mode & 0o777).toBe(0o700);
  });

  test("changes its fingerprint with each change only", async () => {
    const { store } = storeOf();
    const seen = [await store.fingerprint()];
    const { record } = await store.create(S3);
    seen.push(await store.fingerprint());
    await store.list();
    expect(await store.fingerprint()).toBe(seen[1]);
    await store.revoke(record.id);
    seen.push(await store.fingerprint());
    expect(new Set(seen).size).toBe(3);
  });

  test("changes its fingerprint if the file is replaced by one of the same length and time", async () => {
    const { store, path } = storeOf();
    await store.create({ ...S3, label: "before" });
    // A restored file may have the same time.
    utimesSync(path, AT / 1000, AT / 1000);
    const before = await store.fingerprint();
    const text = readFileSync(path, "utf8");
    writeFileSync(`${path}.new`, text.replace("before", "behind"));
    utimesSync(`${path}.new`, AT / 1000, AT / 1000);
    renameSync(`${path}.new`, path);
    expect(await store.fingerprint()).not.toBe(before);
  });

  test("deletes the secret of a revoked key, and keeps the first time of revocation", async () => {
    const { store, pass, rows } = storeOf();
    const { record } = await store.create(S3);
    const other = await store.create(S3);
    const at = (await store.revoke(record.id)).revokedAt;
    pass(60);
    expect((await store.revoke(record.id)).revokedAt).toBe(at);
    expect(rows().map(({ secret }) => secret === undefined)).toEqual([true, false]);
    expect((await store.active()).map(({ record: { id } }) => id)).toEqual([other.record.id]);
  });

  test("has both keys of a rotation until the overlap ends", async () => {
    const { store, pass, clock } = storeOf();
    const scope = { buckets: ["media"], prefix: "a/", methods: ["GET"], maxLife: 60 };
    const old = await store.create({ ...S3, scope, label: "backup" });
    const next = await store.rotate(old.record.id, 30);
    expect(next.record).toMatchObject({ algorithm: S3.algorithm, scope, label: "backup", createdAt: clock().toJSON() });
    const ids = async () => (await store.active()).map(({ record: { id } }) => id);
    pass(29);
    expect(await ids()).toEqual([old.record.id, next.record.id]);
    pass(1);
    expect(await ids()).toEqual([next.record.id]);
    await expect(store.rotate(old.record.id, 30)).rejects.toThrow("was revoked or has retired");
    await store.revoke(next.record.id);
    await expect(store.rotate(next.record.id, 30)).rejects.toThrow("was revoked or has retired");
    await expect(store.rotate("k-none", 30)).rejects.toThrow("is not the id of a stored key");
  });

  test("rejects the rotation of an expired key", async () => {
    const { store, pass } = storeOf();
    const until = new Date(AT + 30_000).toISOString();
    const { record } = await store.create({ ...S3, scope: { until } });
    pass(30);
    await expect(store.rotate(record.id, 1)).rejects.toThrow("has expired");
    expect([hasEnded(record, new Date(AT + 29_999)), hasEnded(record, new Date(AT + 30_000))]).toEqual([false, true]);
    expect(isActive(record, new Date(AT + 60_000))).toBe(true);
  });

  test("has no key to sign with after the only key has expired", async () => {
    const { store, clock, pass } = storeOf();
    await store.create({ ...S3, scope: { until: new Date(AT + 30_000).toISOString() } });
    const ids = async () => inSigningOrder(await store.active(), clock()).length;
    expect(await ids()).toBe(1);
    pass(30);
    expect([(await store.active()).length, await ids()]).toEqual([1, 0]);
  });

  test("expires a key with its overlap or its scope, whichever is first", async () => {
    const { store } = storeOf();
    const until = new Date(AT + 30_000).toISOString();
    const { record } = await store.create({ ...S3, scope: { until } });
    await store.rotate(record.id, 3600);
    const [late] = await store.list();
    await store.rotate((await store.create({ ...S3, scope: { until } })).record.id, 10);
    const early = (await store.list()).find(({ retiresAt }) => retiresAt === new Date(AT + 10_000).toISOString());
    expect(late && endOfKey(late)).toEqual(new Date(AT + 30_000));
    expect(early && endOfKey(early)).toEqual(new Date(AT + 10_000));
  });

  test.each([
    "{",
    "null",
    "[]",
    '{"version":1,"keys":{}}',
    '{"version":1}',
    '{"version":1,"keys":[null]}',
    '{"version":1,"keys":[{}]}',
    '{"version":1,"keys":[{"record":{"kind":"s3","id":"A","algorithm":"HS256","createdAt":"2026-01-02T03:04:05Z"}}]}',
    '{"version":1,"keys":[{"record":{"kind":"s3","id":"A","algorithm":"HS256","createdAt":1,"scope":{}}}]}',
    '{"version":1,"keys":[{"record":{"kind":"s3","id":"A","algorithm":"HS256","createdAt":"2026-01-02T03:04:05Z","scope":{}},"secret":5}]}',
    '{"version":2,"keys":[]}',
  ])("rejects the damaged file %s with a remedy, and does not change the file", async (text) => {
    const { path, store } = storeOf();
    writeFileSync(path, text);
    const change = [() => store.revoke("A"), () => store.create(S3), () => store.createFirst([S3])];
    for (const read of [store.list, store.active, store.opened, ...change])
      await expect(read()).rejects.toThrow(
        /(?:\. Restore (?:it|the file) from a backup|a newer release wrote it\. Use that release)$/,
      );
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  test("rejects a row with a lost, shortened or exchanged secret, and opens the others", async () => {
    const { store, rows, setRows } = storeOf();
    for (const wanted of [S3, S3, URL_KEY]) await store.create(wanted);
    const [first, second, third] = rows();
    for (const secret of ["", "AAAA", second?.secret, first?.secret?.slice(0, -4)]) {
      setRows([{ ...first, secret }, second, third]);
      const opened = (await store.opened()).map(({ key }) => key?.record.id);
      expect(opened).toEqual([undefined, second?.record.id, third?.record.id]);
      await expect(store.active()).rejects.toThrow(`the master key does not decrypt the key ${first?.record.id}`);
      await expect(store.create(S3)).rejects.toThrow(`the master key does not decrypt the key ${first?.record.id}`);
    }
    // The key can still be revoked.
    await store.revoke(first?.record.id ?? "");
    expect(await store.active()).toHaveLength(2);
  });

  test("needs the master key only for secrets, and creates none while sealed keys exist", async () => {
    const { store, rows, setRows, folder, pass } = storeOf();
    const master = join(folder, "master.key");
    expect([await store.active(), await store.opened(), existsSync(master)]).toEqual([[], [], false]);
    const { record } = await store.create(S3);
    const next = await store.rotate(record.id, 30);
    rmSync(master);
    for (const step of [() => store.active(), () => store.opened(), () => store.create(S3)]) {
      await expect(step()).rejects.toThrow(`${master} of these keys does not exist`);
      expect(existsSync(master)).toBe(false);
    }
    // A retired key need not be decrypted, but it is listed.
    pass(30);
    await store.revoke(next.record.id);
    await expect(store.create(S3)).rejects.toThrow(`${master} of these keys does not exist`);
    writeFileSync(master, `${randomBytes(32).toString("hex")}\n`, { mode: 0o600 });
    const own = await store.create(S3);
    expect((await store.opened()).map(({ key }) => key?.record.id)).toEqual([undefined, undefined, own.record.id]);
    setRows(rows().map(({ record }) => ({ record })));
    rmSync(master);
    expect((await store.opened()).map(({ key }) => key)).toEqual([undefined, undefined, undefined]);
    expect(await store.active()).toEqual([]);
    await store.create(S3);
    expect(await store.active()).toHaveLength(1);
  });
});

describe("masterKey()", () => {
  const key = randomBytes(32);
  const of = (env: Readonly<Record<string, string>>, create = false) =>
    masterKey({ env, folder: temporaryFolder(), create });

  test("reads the environment in any spelling, then its file, then the folder", async () => {
    const file = join(temporaryFolder(), "key");
    writeFileSync(file, `${key.toString("hex")}\n`);
    for (const text of [
      key.toString("base64"),
      key.toString("base64url"),
      key.toString("hex"),
      key.toString("hex").toUpperCase(),
      ` ${key.toString("hex")}\n`,
    ])
      expect(await of({ DAYPASS_MASTER_KEY: text, DAYPASS_MASTER_KEY_FILE: "/none" })).toEqual(key);
    expect(await of({ DAYPASS_MASTER_KEY_FILE: file })).toEqual(key);
    const folder = temporaryFolder();
    const made = await masterKey({ env: {}, folder, create: true });
    expect(await masterKey({ env: {}, folder, create: true })).toEqual(made);
    expect(await of({}, true)).not.toEqual(made);
  });

  test("requires 32 bytes, and creates no key if not allowed", async () => {
    for (const text of [
      "short",
      key.subarray(1).toString("hex"),
      `${key.toString("hex")}00`,
      "é".repeat(32),
      "*".repeat(44),
      `${key.toString("base64")}*`,
      `"${key.toString("base64")}`,
    ])
      await expect(of({ DAYPASS_MASTER_KEY: text })).rejects.toThrow("DAYPASS_MASTER_KEY is not 32 bytes");
    await expect(of({ DAYPASS_MASTER_KEY_FILE: "/none" }, true)).rejects.toThrow(
      "DAYPASS_MASTER_KEY_FILE names /none, which does not exist",
    );
    const folder = temporaryFolder();
    await expect(masterKey({ env: {}, folder, create: false })).rejects.toThrow("of these keys does not exist");
    expect(existsSync(join(folder, "master.key"))).toBe(false);
  });
});

test("derives the session secret from the master key once a key exists", async () => {
  const [one, other] = [storeOf(), storeOf()];
  const secretOf = ({ folder }: typeof one) => sessionSecret({ folder, env: {} });
  expect(await secretOf(one)).toBe(undefined);
  for (const { store } of [one, other]) await store.create(S3);
  const secret = await secretOf(one);
  expect(secret).toHaveLength(32);
  expect(await secretOf(one)).toEqual(secret);
  expect(await secretOf(other)).not.toEqual(secret);
  expect(Buffer.from(secret ?? []).equals(await masterKey({ folder: one.folder, env: {}, create: false }))).toBe(false);
});

describe("keyRing()", () => {
  test("follows the store, and expires keys", async () => {
    const { store, pass, clock, path } = storeOf();
    const s3 = await store.create(S3);
    const url = await store.create(URL_KEY);
    const foreign = {
      kty: "oct",
      alg: "HS256",
      kid: "public",
      k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
    } as const;
    let gone = 0;
    const asked: (readonly string[])[] = [];
    const ring = await keyRing(store, {
      clock,
      publicKeys: (stored) => {
        asked.push([...stored]);
        return [foreign];
      },
      onGone: () => {
        gone += 1;
      },
    });
    expect(asked).toEqual([[s3.record.id, url.record.id]]);
    const found = (): readonly boolean[] =>
      [ring.s3(s3.record.id), ring.url(url.record.id), ring.url("public"), ring.s3("none")].map(Boolean);
    expect(found()).toEqual([true, true, true, false]);
    // Access keys and URL keys are separate.
    expect([ring.url(s3.record.id), ring.s3(url.record.id), ring.s3("public")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    // The object stays the same while nothing changes.
    const before = ring.s3(s3.record.id);
    await ring.refresh();
    expect(ring.s3(s3.record.id)).toBe(before);

    await store.rotate(s3.record.id, 10);
    await ring.refresh();
    pass(9);
    expect(found()).toEqual([true, true, true, false]);
    pass(1);
    expect(found()).toEqual([false, true, true, false]);
    await store.revoke(url.record.id);
    expect(found()).toEqual([false, true, true, false]);
    await ring.refresh();
    expect(found()).toEqual([false, false, true, false]);
    expect([asked.length, gone]).toEqual([1, 0]);

    rmSync(path);
    await ring.refresh();
    await ring.refresh();
    expect([found(), gone]).toEqual([[false, false, true, false], 1]);
  });
});

test("pollKeys() logs a fault of the keys once, and its end", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const lines: string[] = [];
  const write = (...args: readonly unknown[]) => void lines.push(String(args.at(-1)));
  let fault: Error | undefined = new Error("damaged");
  const keys = {
    refresh: async () => {
      if (fault !== undefined) throw fault;
    },
  } as KeyRing;
  const stop = pollKeys(keys, () => new Date(), { logger: { error: write, info: write } } as unknown as Log);
  await vi.advanceTimersByTimeAsync(2000);
  expect(lines).toEqual(["could not read the keys, the previous ones stay in use"]);
  fault = undefined;
  await vi.advanceTimersByTimeAsync(2000);
  expect(lines.slice(1)).toEqual(["keys can be read again"]);
  stop();
});
