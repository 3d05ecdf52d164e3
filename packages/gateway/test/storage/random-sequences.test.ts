/**
 * Random sequences of operations on a few conflicting keys, compared with a map of the expected objects. Each operation begins with
 * what the previous ones have left. Tests of single operations begin with an empty bucket.
 */
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { type Random, seeded } from "../../../../tools/seeded-random.ts";
import { type ListEntry, type ListPosition, positionAfter } from "../../src/storage/contract/listing.ts";
import type { NamedPart } from "../../src/storage/contract/multipart.ts";
import type { Storage } from "../../src/storage/contract/storage.ts";
import { disk } from "../../src/storage/disk/index.ts";
import { chunks, codeOf, md5, readBody } from "../../src/testing/contract-tools.ts";
import { over, upstreamGateway } from "./gateway-upstream.ts";

/** Keys that are prefixes of others, impossible as paths, the same for a folding file system, or impossible in XML. */
const KEYS = [
  ...["a", "a/", "a/b", "a/b/", "a/b/c", "a//b", "a/./b", "../a", "/a", "A", "a/B", "caf\u00e9", "cafe\u0301"],
  ...["a+b", "a b", "%41", "line\r\nbreak", "\u0001", "a\ufffe", "\u{1f511}", "\uffee", "x".repeat(256)],
];
const ANOTHER_ETAG = "0".repeat(32);
const bucket = "bucket";

interface Expected {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: number;
}

/** The expected entries, by the definition of a listing. */
function shown(keys: Iterable<string>, prefix: string, delimiter: string | undefined): string[] {
  const found = new Set<string>();
  for (const key of [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
    const at = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
    if (key.startsWith(prefix)) found.add(at < 0 ? key : `${key.slice(0, at + (delimiter?.length ?? 0))} *`);
  }
  return [...found];
}

interface Sequence {
  /** Runs one operation, and checks its result. */
  step(): Promise<void>;
  /** Checks all keys by every read operation, or through another storage of the same objects. */
  compare(at?: Storage): Promise<void>;
}

function sequence(storage: Storage, random: Random): Sequence {
  const objects = new Map<string, Expected>();
  // Few keys, so that operations meet often.
  const keys = ["a", "a/b", "\u0001", ...Array.from({ length: 5 }, () => random.pick(KEYS))];
  let written = 0;

  function body(): Buffer {
    written += 1;
    return Buffer.from(`${written} `.repeat(random.pick([0, 1, 50, 20_000])));
  }

  /** A random condition on the present object, and whether it holds. */
  function condition(current: Expected | undefined) {
    const ifMatch = random.pick([undefined, undefined, "*", ANOTHER_ETAG, current?.etag]);
    const holds = ifMatch === undefined || (current !== undefined && ifMatch !== ANOTHER_ETAG);
    return { ifMatch, holds };
  }

  async function put(key: string): Promise<void> {
    const { ifMatch, holds } = condition(objects.get(key));
    const ifNoneMatch = ifMatch === undefined && random.chance(0.2) ? "*" : undefined;
    const bytes = body();
    const metadata: Record<string, string> = random.chance(0.5) ? { of: String(written) } : {};
    const tags: Record<string, string> | undefined = random.chance(0.2) ? { of: "an upload" } : undefined;
    const options = { contentLength: bytes.length, metadata, tags, ifMatch, ifNoneMatch } as const;
    const allowed = holds && !(ifNoneMatch === "*" && objects.has(key));
    const code = await codeOf(storage.put({ bucket, key }, chunks(bytes), options));
    expect(["put", key, options, code]).toEqual(["put", key, options, allowed ? undefined : "PRECONDITION_FAILED"]);
    if (allowed) objects.set(key, { bytes, etag: md5(bytes), metadata, tags: tags === undefined ? 0 : 1 });
  }

  async function remove(key: string): Promise<void> {
    const { ifMatch, holds } = condition(objects.get(key));
    const code = await codeOf(storage.delete({ bucket, key }, { ifMatch }));
    expect(["delete", key, ifMatch, code]).toEqual(["delete", key, ifMatch, holds ? undefined : "PRECONDITION_FAILED"]);
    if (holds) objects.delete(key);
  }

  async function copy(from: string, key: string): Promise<void> {
    const source = objects.get(from);
    const replace = from === key || random.chance(0.3) ? { metadata: { copied: "yes" } } : undefined;
    const options = { sourceEtag: source?.etag ?? ANOTHER_ETAG, replace };
    const info = await storage.copy({ bucket, key: from }, { bucket, key }, options);
    expect(["copy", from, key, info?.etag]).toEqual(["copy", from, key, source && md5(source.bytes)]);
    if (source === undefined) return;
    const metadata = replace === undefined ? source.metadata : replace.metadata;
    objects.set(key, { ...source, etag: md5(source.bytes), metadata });
  }

  async function uploadInParts(key: string): Promise<void> {
    const upload = await storage.createUpload({ bucket, key }, { metadata: { parts: "yes" } });
    const parts = new Map<number, { readonly bytes: Buffer; readonly named: NamedPart }>();
    for (const number of [2, 1, random.pick([1, 2, 7])]) {
      const bytes = body();
      const { etag } = await storage.putPart(upload, number, chunks(bytes), { contentLength: bytes.length });
      expect(["part", key, etag]).toEqual(["part", key, md5(bytes)]);
      parts.set(number, { bytes, named: { number, etag } });
    }
    const list = [...parts.values()].sort((a, b) => a.named.number - b.named.number);
    const { parts: told } = await storage.listParts(upload, { after: 0, limit: 10 });
    expect(told.map(({ number, etag }) => ({ number, etag }))).toEqual(list.map(({ named }) => named));
    if (random.chance(0.2)) return storage.abortUpload(upload);
    const named = list.map((part) => part.named);
    const { etag } = await storage.completeUpload(upload, named, { minPartSize: 0 });
    const hash = createHash("md5");
    for (const part of named) hash.update(part.etag, "hex");
    expect(["complete", key, etag]).toEqual(["complete", key, `${hash.digest("hex")}-${named.length}`]);
    const bytes = Buffer.concat(list.map((part) => part.bytes));
    objects.set(key, { bytes, etag, metadata: { parts: "yes" }, tags: 0 });
  }

  async function tag(key: string): Promise<void> {
    const current = objects.get(key);
    expect(["tag", key, await storage.setTags({ bucket, key }, { a: "1", b: "2" })]).toEqual(["tag", key, !!current]);
    if (current !== undefined) objects.set(key, { ...current, tags: 2 });
  }

  async function list(): Promise<void> {
    const prefix = random.pick(["", "", "a", "a/", "caf", random.pick(keys)]);
    const delimiter = random.pick([undefined, "/", "/", "b", "\u0301"]);
    const limit = random.pick([1, 2, 3, 1000]);
    const entries: ListEntry[] = [];
    for (let after: ListPosition | undefined; ; ) {
      const page = await storage.list(bucket, { prefix, delimiter, limit, after });
      entries.push(...page.entries);
      const last = page.entries.at(-1);
      if (!page.truncated || last === undefined) break;
      after = positionAfter(last);
    }
    const names = entries.map((entry) => (entry.kind === "object" ? entry.key : `${entry.prefix} *`));
    expect([prefix, delimiter, limit, names]).toEqual([
      prefix,
      delimiter,
      limit,
      shown(objects.keys(), prefix, delimiter),
    ]);
    for (const entry of entries) {
      if (entry.kind !== "object") continue;
      const object = objects.get(entry.key);
      expect([entry.key, entry.size, entry.etag]).toEqual([entry.key, object?.bytes.length, object?.etag]);
    }
  }

  async function compare(at: Storage = storage): Promise<void> {
    const { entries } = await at.list(bucket, { prefix: "", limit: 1000 });
    expect(entries.map((entry) => entry.kind === "object" && entry.key)).toEqual(shown(objects.keys(), "", undefined));
    for (const key of KEYS) {
      const object = objects.get(key);
      const open = await at.get({ bucket, key });
      const bytes = open && (await readBody(open.body()));
      open?.close();
      const head = await at.head({ bucket, key });
      for (const info of [open?.info, head]) {
        expect([key, info?.etag, info?.size, info?.metadata]).toEqual([
          key,
          object?.etag,
          object?.bytes.length,
          object?.metadata,
        ]);
        expect([key, Object.keys(info?.tags ?? {}).length]).toEqual([key, object?.tags ?? 0]);
      }
      expect([key, bytes?.equals(object?.bytes ?? Buffer.alloc(0))]).toEqual([key, object && true]);
    }
  }

  async function step(): Promise<void> {
    const key = random.pick(keys);
    const chosen = random.below(20);
    if (chosen < 7) await put(key);
    else if (chosen < 10) await remove(key);
    else if (chosen < 13) await copy(random.pick(keys), key);
    else if (chosen < 15) await uploadInParts(key);
    else if (chosen < 16) await tag(key);
    else await list();
  }

  return { step, compare };
}

it.each([1, 2, 3])("leaves the expected objects in a folder, also after a restart (seed %i)", async (seed) => {
  const root = await mkdtemp(join(tmpdir(), "daypass-sequences-"));
  onTestFinished(() => rm(root, { recursive: true }));
  await mkdir(join(root, bucket));
  const storage = await disk({ root });
  const { step, compare } = sequence(storage, seeded(seed));
  for (let i = 0; i < 120; i++) await step();
  await compare();
  await storage.close();
  const again = await disk({ root });
  await compare(again);
  await again.close();
});

it.each([4, 8])("leaves the expected objects on an S3 server, also for another process (seed %i)", async (seed) => {
  const files = { [`${bucket}/.keep`]: "" };
  const upstream = await upstreamGateway({ files, gateway: () => ({ limits: { minPart: 0 } }) });
  await upstream.storage.delete({ bucket, key: ".keep" });
  const { step, compare } = sequence(over(upstream), seeded(seed));
  for (let i = 0; i < 60; i++) await step();
  await compare();
  await compare(over(upstream));
  await compare(upstream.storage);
});
