import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { daypass, jsonLines, parseLines, temporaryFolder } from "./command.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const signedAt = "2026-01-02T03:04:05Z";
const pinned = { scheme: "s3", region: "us-east-1", bucket: "media", credentials, expiresIn: 900, signedAt };

test("keeps default bindings if a line binds something else", async () => {
  const defaults = join(temporaryFolder(), "defaults.json");
  const headers = { "x-amz-meta-a": "1" };
  writeFileSync(defaults, JSON.stringify({ ...pinned, method: "PUT", bind: { headers, sha256: "0".repeat(64) } }));
  const input = jsonLines([
    { key: "a", bind: { contentLength: 5 } },
    { key: "b", bind: { contentType: "text/plain", headers: { "x-amz-meta-b": "2" } } },
    // A header with the name of a binding.
    { key: "c", headers: { "If-None-Match": '"1"', "x-amz-acl": "private", sha256: "b" } },
  ]);
  const options = ["--content-type", "image/png", "--header", "if-none-match: *", "--header", "x-amz-meta-c: 3"];
  const { stdout } = await daypass(["sign", "--batch", "-", "--defaults", defaults, ...options], { input });
  const [a, b, c] = parseLines<{ headers: object }>(stdout);
  const sent = { ...headers, "x-amz-content-sha256": "0".repeat(64), "x-amz-meta-c": "3" };
  const common = { ...sent, "if-none-match": "*" };
  expect(a?.headers).toEqual({ ...common, "content-type": "image/png", "content-length": "5" });
  expect(b?.headers).toEqual({ ...common, "content-type": "text/plain", "x-amz-meta-b": "2" });
  expect(c?.headers).toEqual({
    ...sent,
    "content-type": "image/png",
    "if-none-match": '"1"',
    "x-amz-acl": "private",
    sha256: "b",
  });
});

test.each([
  ["--content-type", "image/png"],
  ["--header", "content-type: image/png"],
])("replaces a default %s by any field of a line", async (...option) => {
  const lines = [
    { key: "a", headers: { "Content-Type": "text/css" } },
    { key: "b", bind: { contentType: "text/css" } },
    { key: "c", bind: { headers: { "Content-Type": "text/css" } } },
  ];
  const input = jsonLines(lines.map((line) => ({ ...pinned, method: "PUT", ...line })));
  const { stdout } = await daypass(["sign", "--batch", "-", ...option, "--header", "x-amz-meta-a: 1"], { input });
  for (const { headers } of parseLines<{ headers: object }>(stdout))
    expect(headers).toEqual({ "content-type": "text/css", "x-amz-meta-a": "1" });
});

test("rejects a field __proto__ in a line or in the defaults", async () => {
  const folder = temporaryFolder();
  const written = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const proto = '"__proto__":{"key":"other"}';
  const common = JSON.stringify(pinned);
  const plain = written("plain.json", common);
  const strange = written("strange.json", `${common.slice(0, -1)},${proto}}`);
  const answers = [
    await daypass(["sign", "--batch", "-", "--defaults", plain], {
      input: `{${proto}}\n{"expiresIn":60,"__proto__":1}\n`,
    }),
    await daypass(["sign", "--batch", "-", "--defaults", strange], {
      input: '{"key":"a"}\n{"key":"a","expiresIn":60}\n',
    }),
  ];
  const found = answers.flatMap(({ stdout }) => parseLines<{ error?: { message: string } }>(stdout));
  expect(found).toHaveLength(4);
  for (const { error } of found) expect(error?.message).toMatch(/^"__proto__" is not a field here/);
});
