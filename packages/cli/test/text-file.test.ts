import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../src/commands/serve/config.ts";
import { AWS, daypass, temporaryFolder } from "./command.ts";

const privateKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({
  type: "pkcs8",
  format: "pem",
});
const jwk = { kid: "k1", kty: "oct", alg: "HS256", k: Buffer.alloc(32, 7).toString("base64url") };
const credentials = { accessKeyId: AWS.AWS_ACCESS_KEY_ID, secretAccessKey: AWS.AWS_SECRET_ACCESS_KEY };
const env = { ...AWS, AWS_REGION: "us-east-1" };

const little = (text: string) => Buffer.from(`\ufeff${text}`, "utf16le");
const WRITTEN: readonly (readonly [string, (text: string) => Buffer])[] = [
  ["UTF-8 with a byte order mark", (text) => Buffer.from(`\ufeff${text}`)],
  ["UTF-16 as PowerShell writes it", little],
  ["big-endian UTF-16", (text) => little(text).swap16()],
];

test.each(WRITTEN)("reads files in %s", async (_, write) => {
  const folder = temporaryFolder();
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, write(text));
    return path;
  };
  const { stdout: url } = await daypass(["sign", "s3://b/k"], { env });
  const schemes = JSON.stringify({ scheme: "s3", credentials });
  const form = (await daypass(["sign", "s3://b/k", "--as", "html-form", "--json"], { env })).stdout;
  const account = JSON.stringify({ type: "service_account", client_email: "a@b.example", private_key: privateKey });
  const profile = "[default]\naws_access_key_id = AKMARKED\naws_secret_access_key = s\n";
  const lines = join(folder, "lines");
  writeFileSync(lines, '{"key":"k"}');
  const runs: readonly (readonly [readonly string[], Readonly<Record<string, string>>, (string | Uint8Array)?])[] = [
    [["sign", "s3://b", "--batch", lines, "--strict", "--defaults", file("defaults", '{"expiresIn":60}')], env],
    [["verify", url.trim(), "--schemes", file("schemes", schemes)], {}],
    [["verify", url.trim(), "--schemes", "-"], {}, write(schemes)],
    [["explain", "--form", file("form", form)], {}],
    [["sign", "https://a.example/x"], { DAYPASS_KEY_FILE: file("jwk", JSON.stringify(jwk)) }],
    [["sign", "gs://b/k"], { GOOGLE_APPLICATION_CREDENTIALS: file("account", account) }],
    [["sign", "s3://b/k", "--region", "x"], { AWS_SHARED_CREDENTIALS_FILE: file("profile", profile) }],
  ];
  for (const [args, more, input = ""] of runs) {
    const { status, stderr } = await daypass(args, { env: more, input });
    expect([args, status, stderr]).toEqual([args, 0, expect.anything()]);
  }
  expect(await loadConfig(file("config", '{"listen":{"port":0}}'))).toEqual({ listen: { port: 0 } });
});

test("rejects batch lines in UTF-16", async () => {
  const run = async (args: readonly string[], text: string) =>
    daypass(["sign", "s3://b", "--batch", "-", "--expires-in", "60", ...args], { env, input: little(text) });
  const { stdout } = await run([], '{"key":"k"}\n{"key":"k"}\n');
  for (const line of stdout.trim().split("\n").slice(0, 2)) expect(line).toContain("Save the file as UTF-8");
  expect((await run(["--format", "csv"], "key\nk\n")).stderr).toContain("header row in UTF-8");
});

test("ignores empty AWS variables", async () => {
  const empty = { AWS_PROFILE: "", AWS_CONFIG_FILE: "", AWS_SHARED_CREDENTIALS_FILE: "" };
  expect((await daypass(["sign", "s3://b/k"], { env: { ...env, ...empty } })).status).toBe(0);
});
