import { urlSigner } from "daypass/url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestGateway, testGateway } from "../../src/testing/index.ts";
import { s3For, send } from "../e2e/clients.ts";

const HOST = "files.example.com";
let gateway: TestGateway;

beforeAll(async () => {
  gateway = await testGateway({
    files: { "media/hello.txt": "hello" },
    gateway: () => ({ origins: [`http://${HOST}`], hosts: { [HOST]: ["s3"] } }),
  });
});
afterAll(() => gateway.close());

const SPELLINGS = [HOST, `${HOST}:80`, "FILES.example.com", "Files.Example.COM:80"];

describe("a host speaks its dialects and no other, however it is spelled", () => {
  it.each(SPELLINGS)("host confusion: %s does not speak Daypass URLs", async (host) => {
    const { url } = urlSigner({ key: gateway.urlKey }).sign({ url: `http://${HOST}/media/hello.txt`, expiresIn: 60 });
    const reply = await send(gateway, { target: url.slice(`http://${HOST}`.length), headers: { host } });
    expect(reply.status).toBe(403);
    expect(reply.body.toString()).not.toBe("hello");
  });

  it.each(SPELLINGS)("host confusion: %s speaks S3, for a signature of this very spelling", async (host) => {
    const { url } = s3For(gateway, { endpoint: `http://${HOST}` }).sign({
      bucket: "media",
      key: "hello.txt",
      expiresIn: 60,
    });
    const reply = await send(gateway, { target: url.slice(`http://${HOST}`.length), headers: { host } });
    expect(reply.status).toBe(host === HOST ? 200 : 403);
  });

  it.each([
    `${HOST}.`,
    `${HOST}:8080`,
    `${HOST}:080`,
    `${HOST}:`,
    `${HOST}, evil.example.com`,
    `a@${HOST}`,
    `${HOST}/`,
  ])("host confusion: %s is no spelling of it", async (host) => {
    const { url } = s3For(gateway, { endpoint: `http://${HOST}` }).sign({
      bucket: "media",
      key: "hello.txt",
      expiresIn: 60,
    });
    const reply = await send(gateway, { target: url.slice(`http://${HOST}`.length), headers: { host } });
    expect(reply.status).toBe(400);
  });
});
