import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defaultLimits } from "@daypass/gateway";
import { defaultTimeouts } from "@daypass/gateway/node";
import { expect, test } from "vitest";
import { z } from "zod";
import { loadConfig } from "../src/commands/serve/config.ts";
import { configFaults, settingPaths } from "../src/commands/serve/config-fault.ts";
import { configSchema } from "../src/commands/serve/config-schema.ts";
import { nearestName } from "../src/nearest-name.ts";
import { temporaryFolder } from "./command.ts";

interface SchemaNode {
  readonly description?: string;
  readonly pattern?: string;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly anyOf?: readonly SchemaNode[];
}

const published = z.toJSONSchema(configSchema) as SchemaNode;

const guide = readFileSync(new URL("../../../docs/guide/configuration.md", import.meta.url), "utf8");

function properties(node: SchemaNode, path = ""): readonly (readonly [path: string, node: SchemaNode])[] {
  const own = Object.entries(node.properties ?? {}).flatMap(([name, property]) => {
    const at = path === "" ? name : `${path}.${name}`;
    return [[at, property] as const, ...properties(property, at)];
  });
  return [...own, ...(node.anyOf ?? []).flatMap((one) => properties(one, path))];
}

const everything = {
  $schema: "https://example.com/config.schema.json",
  root: "files",
  state: {
    folder: "state",
    postgres: { file: "postgres", variable: "STATE_URL" },
    direct: { file: "direct", variable: "DIRECT_URL" },
    connections: 8,
    suspendAfterFailover: true,
  },
  storage: {
    driver: "s3",
    endpoint: "https://s3.example.com",
    region: "auto",
    addressing: "path",
    bucket: "media",
    buckets: { media: "media-production" },
    profile: "gateway",
    redirect: false,
    timeouts: { connectMs: 1, answerMs: 1, idleMs: 1 },
  },
  listen: { host: "127.0.0.1", port: 8443, maxConnections: 10, timeouts: { headersMs: 1, keepAliveMs: 1, idleMs: 1 } },
  tls: { certFile: "cert.pem", keyFile: "key.pem" },
  workers: 2,
  publicUrl: "https://files.example.com",
  origins: ["https://*.s3.example.com"],
  trustedProxies: ["10.0.0.0/8", "::1"],
  redirectOrigins: ["https://app.example.com"],
  region: "eu-west-1",
  regions: ["eu-west-1", "auto"],
  audience: "files",
  urlKeySetFile: "keys.json",
  hosts: { "s3.example.com": ["s3"], "files.example.com": ["url"] },
  cors: { origins: ["*"], methods: ["GET"], headers: ["x-amz-meta-*"], maxAge: 60 },
  limits: {
    path: 1,
    query: 1,
    headerBytes: 1024,
    headerCount: 1,
    body: 0,
    minPart: 0,
    object: 1_000_000_000,
    metadata: 0,
    inFlight: 1,
    unverifiedPerAddress: 1,
  },
  log: { level: "warn", requests: false },
  routes: [
    {
      origin: "https://api.example.com",
      prefix: "/invoices/",
      upstream: "http://127.0.0.1:3000",
      methods: ["GET", "PATCH"],
      requires: ["exact"],
      host: "app.example.com",
      headers: ["x-tenant"],
      cookies: true,
      upgrade: true,
      subjects: false,
      sharedCaches: false,
      timeouts: { connectMs: 1, answerMs: 1, idleMs: 1 },
    },
  ],
  forwardAuth: {
    listen: "127.0.0.1:8083",
    fastcgi: "127.0.0.1:8084",
    hosts: [{ origin: "https://photos.example.com", prefix: "/album/", methods: ["GET"], subjects: true }],
  },
  links: {
    origin: "https://files.example.com",
    sharedBy: "Ann",
    onStale: "serve",
    maxRevocationAgeSeconds: 60,
    handOver: { via: "x-accel-redirect", prefix: "/daypass-files/" },
  },
  audit: {
    keyFile: "audit.pem",
    headsFile: "heads.ndjson",
    heads: { endpoint: "https://s3.example.com", region: "us-east-1", bucket: "heads", prefix: "audit/" },
    retentionDays: 365,
  },
  webhooks: { allowNetworks: ["10.0.0.0/8"] },
  admin: { listen: "127.0.0.1:8081", origins: ["http://127.0.0.1:8081"] },
  metrics: true,
  debugFields: false,
  drainDelaySeconds: 5,
  drainSeconds: 0,
};

test("accepts a configuration with every setting", () => {
  expect(configFaults(everything)[0]).toBeUndefined();
  const known = properties(published).map(([path]) => path);
  const used = (value: object, path = ""): string[] =>
    Object.entries(value).flatMap(([name, item]) => {
      const own = path === "" ? name : `${path}.${name}`;
      return [
        own,
        ...(typeof item === "object" && !Array.isArray(item) && !["hosts", "buckets"].includes(name)
          ? used(item, own)
          : []),
      ];
    });
  expect(used(everything).sort()).toEqual([...known].sort());
});

test.each([
  [[], "", "object"],
  [{ prot: 1 }, "prot", "a setting"],
  [{ listen: { port: "8080" } }, "listen.port", "a whole number"],
  [{ listen: { port: 70_000 } }, "listen.port", "65535 or less"],
  [{ listen: { port: 1.5 } }, "listen.port", "a whole number"],
  [{ tls: { certFile: "x" } }, "tls.keyFile", "a value"],
  [{ publicUrl: "https://x.example/path" }, "publicUrl", 'such as "https://files.example.com"'],
  [{ origins: [] }, "origins", "at least 1"],
  [{ redirectOrigins: "https://app.example.com" }, "redirectOrigins", "a list"],
  [{ redirectOrigins: ["https://app.example.com/done"] }, "redirectOrigins[0]", "such as "],
  [{ redirectOrigins: ["https://*.example.com"] }, "redirectOrigins[0]", "such as "],
  [{ regions: ["a", "a"] }, "regions", "unique items"],
  [{ regions: ["a", 1] }, "regions[1]", "string"],
  [{ hosts: { "a.example": ["gcs"] } }, "hosts.a.example[0]", "one of s3, url"],
  [{ cors: { maxAge: -1 } }, "cors.maxAge", "0 or more"],
  [{ log: { level: "loud" } }, "log.level", "one of"],
  [{ root: "" }, "root", "at least 1 characters"],
  [{ publicUrl: "https://user:password@files.example.com" }, "publicUrl", 'such as "https://files.example.com"'],
  [{ publicUrl: "https://*.example.com" }, "publicUrl", 'such as "https://files.example.com"'],
  [{ origins: ["https://user:password@files.example.com"] }, "origins[0]", "such as "],
  [{ cors: { origins: ["nope"] } }, "cors.origins[0]", "such as "],
  [{ cors: { origins: ["https://a.example/"] } }, "cors.origins[0]", "such as "],
  [{ cors: { origins: ["HTTPS://B.example"] } }, "cors.origins[0]", "such as "],
  [{ cors: { origins: ["https://*.example.com"] } }, "cors.origins[0]", "such as "],
  [{ cors: { headers: ["X Custom"] } }, "cors.headers[0]", "such as "],
  [{ cors: { headers: ["x-*-y"] } }, "cors.headers[0]", "such as "],
])("reports the path of the fault in %j", (value, path, expected) => {
  expect(configFaults(value)[0]).toMatchObject({ path, expected: expect.stringContaining(expected) });
});

test.each([
  ["cros", "cors"],
  ["port", "listen.port"],
  ["bucket", "storage.bucket"],
  ["listen.prot", "listen.port"],
  ["Root", "root"],
  ["workres", "workers"],
  ["something", undefined],
])("names the setting nearest to %s", (name, nearest) => {
  expect(nearestName(name, settingPaths())).toBe(nearest);
});

test("reports an unknown setting without a list of all settings", async () => {
  const path = join(temporaryFolder(), "daypass.json");
  writeFileSync(path, '{"listen":{"prot":1}}');
  const message = `listen.prot in ${path} is not a setting. Did you mean listen.port?`;
  await expect(loadConfig(path)).rejects.toThrow(message);
});

test("publishes the schema that serve checks", async () => {
  const text = `${JSON.stringify(published, undefined, 2)}\n`;
  await expect(text).toMatchFileSnapshot("../config.schema.json");
});

test("documents every setting", () => {
  for (const [path, { description }] of properties(published)) {
    expect(description, path).toMatch(/.{10,}/);
    expect(guide, path).toContain(`\`${path}\``);
  }
});

test("has an example for every pattern", () => {
  const patterns = (node: unknown): readonly SchemaNode[] =>
    typeof node !== "object" || node === null
      ? []
      : [
          ...(typeof (node as SchemaNode).pattern === "string" ? [node as SchemaNode] : []),
          ...Object.values(node).flatMap(patterns),
        ];
  const found = patterns(published);
  expect(found.length).toBeGreaterThan(8);
  for (const node of found) {
    const [example] = node.examples ?? [];
    expect(example).toMatch(new RegExp(node.pattern ?? "", "u"));
  }
});

test("resolves paths against the folder of the file", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "daypass.json");
  writeFileSync(path, JSON.stringify(everything));
  expect(await loadConfig(path)).toMatchObject({
    root: join(folder, "files"),
    state: {
      folder: join(folder, "state"),
      postgres: { file: join(folder, "postgres") },
      direct: { variable: "DIRECT_URL" },
    },
    urlKeySetFile: join(folder, "keys.json"),
    tls: { certFile: join(folder, "cert.pem"), keyFile: join(folder, "key.pem") },
  });
  writeFileSync(path, "{");
  await expect(loadConfig(path)).rejects.toThrow(/daypass\.json is not JSON: /);
  writeFileSync(path, '{\n  "region": "a",\n  "audience": "b",\n}\n');
  await expect(loadConfig(path)).rejects.toThrow(/in JSON at position \d+ \(line 4\b/);
  await expect(loadConfig(join(folder, "none.json"))).rejects.toThrow(
    /--config names .*none\.json, which does not exist/,
  );
});

test("documents the defaults of the gateway", () => {
  const units: Readonly<Record<string, number>> = { "": 1, " MiB": 1024 ** 2, " GiB": 1024 ** 3, " TB": 1000 ** 4 };
  const rows = guide.matchAll(/^\| `(?:limits|listen\.timeouts)\.(\w+)` \| (\d+)( [GM]iB| TB)? \|/gm);
  const told = Object.fromEntries(
    Array.from(rows, ([, name, number, unit = ""]) => [name, Number(number) * (units[unit] ?? 0)]),
  );
  // 10,000 parts of 5 GiB.
  expect(told).toEqual({ ...defaultLimits, object: 50 * 1000 ** 4, ...defaultTimeouts });
  for (const [path, { description = "" }] of properties(published)) {
    const [, ownDefault] = /^\| `[^`]+` \| ([^|]*) \|/.exec(guide.slice(guide.indexOf(`| \`${path}\` |`))) ?? [];
    if (ownDefault !== undefined && /^[\d.]+(?: \w+)?$/.test(ownDefault))
      expect([path, description]).toEqual([path, expect.stringContaining(ownDefault)]);
  }
});
