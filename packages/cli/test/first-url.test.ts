import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { explain } from "daypass/explain";
import { expect, test } from "vitest";
import { daypass, temporaryFolder } from "./command.ts";
import { type Said, serve, status } from "./serving.ts";

/** Starts a gateway for these files. */
async function started(
  files: Readonly<Record<string, string>>,
  { key, config = {} }: { readonly key?: readonly string[]; readonly config?: object } = {},
): Promise<Said & { readonly presignedUrlExpiresAt?: string }> {
  const folder = temporaryFolder();
  const root = join(folder, "root");
  mkdirSync(root);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  const file = join(folder, "daypass.json");
  writeFileSync(file, JSON.stringify({ root, listen: { port: 0 }, ...config }));
  const state = join(root, ".daypass");
  mkdirSync(state, { mode: 0o700 });
  if (key !== undefined) {
    const made = await daypass(["keys", "create", ...key, "--out", join(folder, "key"), "--state", state]);
    expect([made.status, made.stderr]).toEqual([0, ""]);
  }
  return (await serve("--config", file)).said;
}

test.each([
  ["loose files beside a folder files", { "readme.txt": "a", "files/z.bin": "b" }, "/files/z.bin"],
  ["names that are not keys", { "b/a\\b.txt": "a", "b/a\u0001.txt": "a", "b/z.bin": "b" }, "/b/z.bin"],
  ["the folder of the gateway's own paths", { "-/a.txt": "a", "b/z.bin": "b" }, "/b/z.bin"],
])("skips %s", async (_, files, path) => {
  const said = await started(files);
  expect(new URL(said.presignedUrl).pathname).toBe(path);
  expect(await status(said.presignedUrl)).toBe(200);
});

test("prints a URL within the scope of the key", async () => {
  const files = { "b/a.txt": "a", "b/below/z.bin": "z", "b/below-not/a.txt": "a" };
  const said = await started(files, { key: ["--prefix", "below", "--max-life", "10m"] });
  expect(new URL(said.presignedUrl).pathname).toBe("/b/below/z.bin");
  expect(await status(said.presignedUrl)).toBe(200);
  expect(Date.parse(said.presignedUrlExpiresAt ?? "") - Date.now()).toBeLessThanOrEqual(600_000);
  // X-Amz-Date has whole seconds.
  const { endsAt } = await explain(said.presignedUrl);
  expect(said.presignedUrlExpiresAt).toBe(endsAt?.toISOString());
});

test("prints no URL that would be refused", async () => {
  const files = { "b/a.txt": "a" };
  for (const key of [
    ["--method", "PUT"],
    ["--prefix", "none/"],
    ["--bucket", "other"],
  ])
    expect([key, (await started(files, { key })).presignedUrl]).toEqual([key, undefined]);
  const config = { publicUrl: "http://files.example:8080", hosts: { "files.example:8080": ["url"] } };
  expect((await started(files, { config })).presignedUrl).toBeUndefined();
});
