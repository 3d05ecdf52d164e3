import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type UrlHmacKey, urlSigner } from "daypass/url";
import { expect, test } from "vitest";
import { daypass } from "./command.ts";
import { exampleFiles, serve, status } from "./serving.ts";

const good: UrlHmacKey = { kty: "oct", alg: "HS256", kid: "edge-1", k: Buffer.alloc(32, 1).toString("base64url") };
const other: UrlHmacKey = { ...good, kid: "edge-2", k: Buffer.alloc(32, 2).toString("base64url") };

/** A configuration with a key set, which `write` replaces. */
function configured(keys: unknown) {
  const root = exampleFiles();
  const set = join(root, "..", "set.json");
  const config = join(root, "..", "daypass.json");
  const write = (wanted: unknown): void => writeFileSync(set, JSON.stringify({ keys: wanted }));
  writeFileSync(config, JSON.stringify({ root: "files", listen: { port: 0 }, urlKeySetFile: "set.json" }));
  write(keys);
  return { root, set, config, write };
}

test.each<[name: string, keys: unknown, place: string, kid: string]>([
  ["a weak HMAC key", [good, { ...good, kid: "weak", k: "AAAA" }], "keys[1]", "key weak"],
  [
    "a key of low order",
    [{ kty: "OKP", crv: "Ed25519", alg: "Ed25519", kid: "low", x: "A".repeat(43) }],
    "keys[0]",
    "key low",
  ],
  ["a repeated kid", [good, other, { ...other, kid: good.kid }], "keys[2]", "kid edge-1"],
  ["an object that is not a key", [{ foo: 1 }], "keys[0]", "(unnamed)"],
  ["null", [null], "keys[0]", "JSON Web Key"],
])("rejects a start with %s in urlKeySetFile", async (_, keys, place, kid) => {
  const { config, set } = configured(keys);
  const failed = await daypass(["serve", "--config", config]);
  expect([failed.status, failed.stdout]).toEqual([1, ""]);
  for (const text of [set, place, kid]) expect(failed.stderr).toContain(text);
  for (const { k } of [good, other]) expect(failed.stderr).not.toContain(k);
});

test("rejects a reload of an invalid urlKeySetFile, and still applies revocations", async () => {
  const { root, config, write } = configured([good]);
  const { child, said, log } = await serve("--config", config);
  const url = (key: UrlHmacKey) => urlSigner({ key }).sign({ url: `${said.url}/welcome/hello.txt`, expiresIn: 60 }).url;
  const reload = async (keys: unknown): Promise<void> => {
    write(keys);
    const before = log().split("reload failed").length;
    child.kill("SIGHUP");
    await expect.poll(() => log().split("reload failed").length).toBe(before + 1);
  };
  await reload([other, { ...other, kid: "weak", k: "AAAA" }]);
  expect(log()).toContain("keys[1]");
  await reload([{ ...other, kid: said.urlKeyId }]);
  expect(log()).toContain(`kid ${said.urlKeyId}`);
  expect([await status(url(good)), await status(url(other))]).toEqual([200, 403]);

  const own = (await daypass(["sign", `${said.url}/welcome/hello.txt`, "--state", root])).stdout.trim();
  expect(await status(own)).toBe(200);
  await daypass(["keys", "revoke", said.urlKeyId, "--state", root]);
  await expect.poll(() => status(own)).toBe(403);
  expect(await status(url(good))).toBe(200);
});
