import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { serveSettings } from "../src/commands/serve/settings.ts";
import { AWS, daypass, temporaryFolder } from "./command.ts";

/** The error for a configuration, with `FILE` for its path. Empty if it is valid. */
async function refusalOf(config: object): Promise<string> {
  const folder = temporaryFolder();
  const file = join(folder, "daypass.json");
  mkdirSync(join(folder, "files"));
  writeFileSync(file, JSON.stringify({ root: join(folder, "files"), ...config }));
  return serveSettings({ config: file }).then(
    () => "",
    (error: Error) => error.message.replaceAll(file, "FILE"),
  );
}

function routed(prefix: string) {
  const routes = [{ origin: "https://a.example", prefix, upstream: "http://127.0.0.1:3000" }];
  return { publicUrl: "https://a.example", routes };
}

test.each([
  [{ root: 1 }, "root", "is 1"],
  [{ root: ["a"] }, "root", "is a list"],
  [{ tls: { certFile: "x" } }, "tls.keyFile", "is missing. Add it"],
  [{ publicUrl: "https://user:password@a.example" }, "publicUrl", 'is "https://…@a.example"'],
  [{ publicUrl: "https://a.example/?token=secret\nsecret" }, "publicUrl", 'is "https://a.example/…"'],
  [{ publicUrl: `https://_${"a".repeat(51)}secret` }, "publicUrl", `is "https://_${"a".repeat(51)}…"`],
  [{ publicUrl: "https://a.example:443" }, "publicUrl", 'Write "https://a.example"'],
  [{ publicUrl: "https://A.example" }, "publicUrl", 'Write "https://a.example"'],
  [{ origins: ["https://a.example", "https://under_score.example"] }, "origins[1]", "under_score"],
  [{ publicUrl: "https://a.example", origins: ["http://a.example"] }, "publicUrl and origins", "each Host once"],
  [{ redirectOrigins: ["https://A.example"] }, "redirectOrigins[0]", 'Write "https://a.example"'],
  [
    { cors: { origins: ["https://a.example", "https://c.example:443"] } },
    "cors.origins[1]",
    'Write "https://c.example"',
  ],
  [{ trustedProxies: ["10.0.0.0/8", "10.0.0.0/33"] }, "trustedProxies[1]", 'is "10.0.0.0/33"'],
  [{ hosts: { "A B": ["s3"] } }, 'hosts["A B"]', "localhost:8080"],
  [{ publicUrl: "https://a.example", hosts: { "b.example": ["s3"] } }, 'hosts["b.example"]', "a.example"],
  [{ publicUrl: "https://a.example", hosts: { "a.example:443": ["s3"] } }, 'hosts["a.example:443"]', "a.example"],
  [
    { origins: ["https://a.example", "https://*.s3.example"], hosts: { "s3.example": ["s3"] } },
    'hosts["s3.example"]',
    "*.s3.example",
  ],
  [
    { origins: ["https://a.example", "https://*.s3.example"], hosts: { "*.s3.example": ["s3"] } },
    'hosts["*.s3.example"]',
    "*.s3.example",
  ],
  [routed("/"), "routes[0].prefix", "set links.origin"],
  [routed("/l/"), "routes[0].prefix", 'is "/l/"'],
  [{ ...routed("/d/x"), links: { origin: "https://a.example" } }, "routes[0].prefix", 'is "/d/x"'],
  [{ publicUrl: "https://a.example", links: { origin: "https://b.example" } }, "links.origin", "(https://a.example)"],
  [{ publicUrl: "https://a.example", links: { origin: "http://a.example" } }, "links.origin", 'is "http://a.example"'],
  [{ links: { origin: "https://b.example" } }, "links.origin", "add it to origins"],
  [{ regions: ["us-east-1"], region: "eu-west-1" }, "region", 'is "eu-west-1"'],
  [{ regions: ["eu-west-1"] }, "region", 'is "us-east-1"'],
  [{ origins: ["https://*.s3.example"] }, "every origin", "Add publicUrl"],
  [{ cors: { methods: ["GET"] } }, "cors.origins", "remove cors.methods"],
  [{ cors: { origins: [], maxAge: 5 } }, "cors.origins", "remove cors.maxAge"],
  [{ cors: { origins: ["*"], methods: ["FOO"] } }, "cors.methods[0]", 'is "FOO"'],
  [{ limits: { query: 20_000 } }, "limits.query", "limits.headerBytes (16384)"],
  [{ limits: { minPart: 2, body: 1 } }, "limits.minPart", "limits.body (1)"],
  [{ limits: { object: 1000 } }, "limits.object", "limits.body"],
  [{ listen: { timeouts: { idleMs: 2 ** 31 } } }, "listen.timeouts.idleMs", "is 2147483648"],
  [{ storage: { driver: "s3", timeouts: { idleMs: 2 ** 31 } } }, "storage.timeouts.idleMs", "is 2147483648"],
  [{ storage: { driver: "s3", buckets: {} } }, "storage.buckets", "is empty"],
  [{ storage: { driver: "s3", buckets: { media: ".." } } }, "storage.buckets.media", 'is ".."'],
  [{ storage: { driver: "s3", bucket: "../x" } }, "storage.bucket", 'is "../x"'],
  [{ storage: { driver: "s3", buckets: { "../x": "media" } } }, "storage.buckets", 'has "../x"'],
])("rejects %j with the setting and the value", async (config, place, found) => {
  const message = await refusalOf(config);
  expect(message).toContain(`${place} in FILE`);
  expect(message).toContain(found);
  expect(message).not.toMatch(/password|secret/);
});

test.each([
  { publicUrl: "https://a.example", hosts: { "A.example": ["s3"] } },
  {
    origins: ["https://a.example:8443", "https://*.s3.example"],
    hosts: { "media.s3.example": ["s3"], "a.example:8443": ["url"] },
  },
  { hosts: { "localhost:8080": ["s3"], "media.localhost:8080": ["s3"] } },
  { cors: { origins: ["*"], headers: ["X-Custom", "x-amz-*", "*"] } },
  {
    cors: {
      origins: ["https://a.example", "http://localhost:3000", "capacitor://localhost", "chrome-extension://abc"],
    },
  },
  routed("/l"),
  routed("/list/"),
  { ...routed("/"), origins: ["https://links.example"], links: { origin: "https://links.example" } },
  {
    publicUrl: "https://a.example",
    origins: ["https://*.b.example"],
    links: { origin: "https://links.b.example" },
  },
  { region: "eu-west-1", regions: ["auto", "eu-west-1"] },
  { publicUrl: "http://[::1]:8080" },
  { limits: { body: 1000, query: 16_384 } },
  { origins: ["https://*.s3.example", "https://s3.example"] },
])("accepts %j", async (config) => {
  expect(await refusalOf(config)).toBe("");
});

test("rejects virtual addressing of an IP address", async () => {
  const folder = temporaryFolder();
  const file = join(folder, "daypass.json");
  const storage = { driver: "s3", endpoint: "http://127.0.0.1:9", addressing: "virtual" };
  writeFileSync(file, JSON.stringify({ root: folder, storage }));
  const { status, stderr } = await daypass(["serve", "--config", file, "--port", "0"], { env: AWS });
  expect([status, stderr]).toEqual([
    1,
    expect.stringMatching(/is the IP address 127\.0\.0\.1, .* Use path addressing/),
  ]);
});

test("rejects a repeated setting", async () => {
  const file = join(temporaryFolder(), "daypass.json");
  writeFileSync(file, '{"region":"a","limits":{"body":5},"region":"b"}');
  await expect(serveSettings({ config: file })).rejects.toThrow("has a setting twice");
});

test("names the setting of a wrong file, host or folder", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "files"));
  const file = (name: string, content: unknown): string => {
    writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
    return join(folder, name);
  };
  const failure = async (...args: string[]) => {
    const { status, stderr } = await daypass(["serve", join(folder, "files"), "--port", "0", ...args]);
    expect(status).toBe(1);
    return stderr;
  };
  const pem = file("none.pem", "no certificate");
  const missing = join(folder, "missing.pem");
  const tls = (certFile: string) => file("daypass.json", { tls: { certFile, keyFile: pem } });
  expect(await failure("--config", tls(missing))).toContain(`tls.certFile names ${missing}, which does not exist`);
  expect(await failure("--config", tls(pem))).toContain("Correct tls.certFile or tls.keyFile");
  expect(await failure("--host", "name.invalid")).toContain("name.invalid is a name that does not resolve");
  expect(await failure("--state", pem)).toContain("Correct --state");
  expect(await failure("--state", join(pem, "below"))).toContain("Correct --state");
});
