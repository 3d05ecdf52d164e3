import { existsSync } from "node:fs";
import { s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { urlSigner } from "daypass/url";
import { expect, it } from "vitest";
import { type TestGatewayOptions, testGateway } from "../../src/testing/index.ts";

const status = async (url: string, init?: RequestInit): Promise<number> => {
  const reply = await fetch(url, init);
  await reply.arrayBuffer();
  return reply.status;
};

it("opens, refuses a tampered URL, and expires URLs without waiting", async () => {
  await using gateway = await testGateway({ files: { "media/hello.txt": "hello" } });
  const { clock, clients, urlKey } = gateway;
  const urls = [
    s3Signer({ ...clients.daypass, clock }).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 }).url,
    s3V2Signer({ ...clients.daypass, clock }).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 }).url,
    urlSigner({ key: urlKey, clock }).sign({ url: `${gateway.url}/media/hello.txt`, expiresIn: 60 }).url,
  ];
  for (const url of urls) expect([await status(url), await status(gateway.tamper(url))]).toEqual([200, 403]);
  gateway.advance(61);
  for (const url of urls) expect(await status(url)).toBe(403);
  const { url } = s3Signer({ ...clients.daypass, clock }).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 });
  expect(await status(url)).toBe(200);
  gateway.resetClock();
  for (const url of urls) expect(await status(url)).toBe(200);
  expect(() => gateway.tamper(gateway.url)).toThrow("the URL has no parameter with a signature");
  expect(() => gateway.advance(-1)).toThrow(RangeError);
});

it.each([
  ["x-amz-server-side-encryption", "AES256", "encryption", 501],
  ["x-amz-acl", "public-read", "acl", 400],
] as const)("refuses %s: %s unless it tolerates %s", async (name, value, kind, refused) => {
  for (const tolerate of [[], [kind]] as const) {
    await using gateway = await testGateway({ files: { "media/hello.txt": "hello" }, tolerate });
    const put = {
      method: "PUT",
      bucket: "media",
      key: "a",
      expiresIn: 60,
      bind: { headers: { [name]: value } },
    } as const;
    const { url, headers } = s3Signer(gateway.clients.daypass).sign(put);
    const response = await fetch(url, { method: "PUT", headers, body: "a" });
    expect(response.status).toBe(tolerate.length === 0 ? refused : 200);
    expect((await response.text()).includes(`tolerate: [&quot;${kind}&quot;]`)).toBe(tolerate.length === 0);
  }
});

it("refuses a misspelt option, and names the right one", async () => {
  const misspelt = { file: {}, files: {} } as TestGatewayOptions;
  await expect(testGateway(misspelt)).rejects.toThrow(
    expect.objectContaining({ code: "INVALID_INPUT", message: "file is not an option. Did you mean files?" }),
  );
});

it("is gone with everything when its scope ends", async () => {
  let root = "";
  let url = "";
  {
    await using gateway = await testGateway({ files: { "media/hello.txt": "hello" } });
    ({ root, url } = gateway);
    expect(existsSync(root)).toBe(true);
  }
  expect(existsSync(root)).toBe(false);
  await expect(fetch(url)).rejects.toThrow();
});

it("writes no file outside of its folder, nor under another name", async () => {
  for (const path of ["", "/media/a", "../media/a", "media/../../a", "media//a", "media/./a", "media/"]) {
    await expect(testGateway({ files: { [path]: "a" } }), path).rejects.toThrow(TypeError);
  }
});
