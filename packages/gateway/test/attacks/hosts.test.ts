import { s3FormSigner } from "daypass/s3/form";
import { urlSigner } from "daypass/url";
import { describe, expect, it } from "vitest";
import { testGateway } from "../../src/testing/index.ts";
import { s3For, send, useGateway } from "../e2e/clients.ts";

const HOST = "files.example.com";
const gateway = useGateway({
  files: { "media/hello.txt": "hello" },
  gateway: () => ({ origins: [`http://${HOST}`], hosts: { [HOST]: ["s3"] } }),
});

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

it("host confusion: a host speaks its dialects and no other, however the operator spells it", async () => {
  await using own = await testGateway({
    files: { "media/hello.txt": "hello" },
    gateway: () => ({ origins: [`http://${HOST}`], hosts: { "Files.Example.com": ["s3"] } }),
  });
  const { url } = urlSigner({ key: own.urlKey }).sign({ url: `http://${HOST}/media/hello.txt`, expiresIn: 60 });
  const reply = await send(own, { target: url.slice(`http://${HOST}`.length), headers: { host: HOST } });
  expect(reply.status).toBe(403);
});

describe("the owner of a bucket whose name ends like the host of others", () => {
  const domains = ["*.example.com", "*.s3.example.com"];

  it.each([[domains], [[...domains].reverse()]])(
    "sets no rules for theirs, and has none of their forms: %j",
    async (hosts) => {
      await using several = await testGateway({
        files: { "media/hello.txt": "hello", "media.s3/hello.txt": "another" },
        gateway: () => ({ origins: [...hosts, "example.org"].map((host) => `http://${host}`) }),
      });
      const rule = { origins: ["*"], methods: ["GET"], headers: [], exposeHeaders: [] };
      await several.storage.setCorsRules("media.s3", [rule]);
      const place = { endpoint: "http://s3.example.com", addressing: "virtual" } as const;
      const { url } = s3For(several, place).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 });
      const host = "media.s3.example.com";
      const headers = { host, origin: "https://evil.example" };
      const reply = await send(several, { target: url.slice(`http://${host}`.length), headers });
      expect([reply.status, reply.body.toString()]).toEqual([200, "hello"]);
      expect(reply.headers["access-control-allow-origin"]).toBe(undefined);
      const form = s3FormSigner({ ...several.clients.daypass, ...place }).sign({
        bucket: "media",
        key: "a",
        expiresIn: 60,
      });
      const data = new FormData();
      for (const [name, value] of Object.entries(form.fields)) data.set(name, value);
      data.set("file", new Blob(["x"]), "a");
      const body = new Response(data);
      const posted = await send(several, {
        method: "POST",
        target: "/",
        headers: { host, "content-type": body.headers.get("content-type") ?? "" },
        body: Buffer.from(await body.arrayBuffer()),
      });
      expect(posted.status).toBe(204);
      expect(await several.storage.head({ bucket: "media", key: "a" })).toMatchObject({ size: 1 });
    },
  );
});
