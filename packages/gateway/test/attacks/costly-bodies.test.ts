import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { buffer } from "node:stream/consumers";
import type { WireRequest } from "daypass";
import { s3FormSigner } from "daypass/s3/form";
import { describe, expect, it } from "vitest";
import { preflight } from "../../src/http/cors.ts";
import { networkOf } from "../../src/pipeline/unverified-body-limit.ts";
import { hashBody } from "../../src/protocols/sts/hash-body.ts";
import { testGateway } from "../../src/testing/index.ts";
import { callBucket, contentMd5 } from "../e2e/bucket-client.ts";
import { s3Code, s3For, useGateway } from "../e2e/clients.ts";

const gateway = useGateway({ files: { "media/a.txt": "a" }, gateway: () => ({ limits: { inFlight: 8 } }) });

describe("a body that is cheap to send and dear to read", () => {
  // An end of quadratic time took 17 minutes of the one thread for these 1 MB.
  it("has no spaces in the end of an element that take the square of their number", async () => {
    const body = `<Delete></Delete${" ".repeat(1_000_000)}x>`;
    const request = { method: "POST" as const, query: { delete: "" }, body, headers: contentMd5(body) };
    // Quadratic time would exceed the timeout of the test.
    const reply = await callBucket(gateway, request);
    expect([reply.status, s3Code(reply.body)]).toEqual([400, "MalformedXML"]);
  });
});

describe("the holder of a key, who sends documents of 4 MB", () => {
  // They took five seconds of the one thread and 500 MB of memory, and three.
  it.each(["&", "&lt;"])("has none of them read long that is all %s", async (reference) => {
    const key = reference.repeat(4_000_000 / reference.length);
    const body = `<Delete><Object><Key>${key}</Key></Object></Delete>`;
    const request = { method: "POST" as const, query: { delete: "" }, body, headers: contentMd5(body) };
    const reply = await callBucket(gateway, request);
    expect(reply.status).toBe(reference === "&" ? 400 : 200);
    expect(reply.body.length).toBeLessThan(10_000);
  });
});

describe("the holder of one URL for a document", () => {
  it("has no object kept for each of its bytes", async () => {
    const xml = Buffer.from("<Delete><Object><Key>none</Key></Object></Delete>");
    // All pieces share one buffer: code that keeps a piece without a copy sees the last byte many times.
    async function* oneByOne(): AsyncGenerator<Uint8Array> {
      const piece = new Uint8Array(1);
      for (const byte of xml) {
        piece[0] = byte;
        yield piece;
      }
    }
    const query = { delete: "" };
    const { url } = s3For(gateway).sign({
      method: "POST",
      bucket: "media",
      resource: "bucket",
      expiresIn: 60,
      bind: { query },
    });
    const request = wireOf(url.slice(gateway.url.length), contentMd5(xml.toString()));
    const outcome = await gateway.gateway.handle(request(), oneByOne());
    outcome.delivered(0, true);
    expect(outcome.status).toBe(200);
    // The same of a stranger's call for a session.
    const hashed = await hashBody(request(), oneByOne(), createHash);
    expect((await buffer(hashed.body)).equals(xml)).toBe(true);
  });

  it("stops reading a document of unknown length at the size limit", async () => {
    let taken = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        taken += 1;
        yield Buffer.alloc(1024 * 1024, " ");
      }
    }
    const query = { delete: "" };
    const { url } = s3For(gateway).sign({
      method: "POST",
      bucket: "media",
      resource: "bucket",
      expiresIn: 60,
      bind: { query },
    });
    const outcome = await gateway.gateway.handle(wireOf(url.slice(gateway.url.length), contentMd5("x"))(), endless());
    outcome.delivered(0, true);
    expect([outcome.status, taken]).toEqual([400, 5]);
  });

  it("cannot fill the memory with documents that never end", async () => {
    await using large = await testGateway({ files: { "media/a.txt": "a" } });
    const { url } = s3For(large).sign({
      method: "POST",
      bucket: "media",
      resource: "bucket",
      expiresIn: 60,
      bind: { query: { delete: "" } },
    });
    const authority = `127.0.0.1:${large.port}`;
    const headers = { host: authority, "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==" };
    const piece = Buffer.alloc(1024 * 1024, " ");
    let release = (): void => {};
    const stalled = new Promise<void>((resolve) => {
      release = resolve;
    });
    let taken = 0;
    const post = async (): Promise<number> => {
      async function* body(): AsyncGenerator<Uint8Array> {
        for (let count = 0; count < 4; count++) {
          yield piece;
          taken += 1;
        }
        await stalled;
      }
      const request = {
        method: "POST",
        target: url.slice(large.url.length),
        authority,
        headers: Object.entries(headers),
      };
      const outcome = await large.gateway.handle(request, body());
      outcome.delivered(0, true);
      return outcome.status;
    };
    const waiting = Array.from({ length: 100 }, post);
    await expect.poll(() => taken, { timeout: 5000 }).toBeGreaterThanOrEqual(64);
    // Requests without a document are not affected.
    const reply = await fetch(s3For(large).sign({ bucket: "media", key: "a.txt", expiresIn: 60 }).url);
    expect(reply.status).toBe(200);
    release();
    const statuses = await Promise.all(waiting);
    expect(new Set(statuses)).toEqual(new Set([400, 503]));
    // 4 MB each.
    expect(statuses.filter((status) => status === 400).length).toBeLessThanOrEqual(16);
    // And the room is free again.
    expect(await post()).toBe(400);
  });
});

const FORM = "multipart/form-data; boundary=B";

/** Made when it is sent: the port is not known before. */
function wireOf(target: string, headers: Readonly<Record<string, string>>): () => WireRequest {
  return () => {
    const authority = `127.0.0.1:${gateway.port}`;
    return { method: "POST", target, authority, headers: Object.entries({ host: authority, ...headers }) };
  };
}

/** A request with a wrong signature over as many names as a target has room for. */
function wronglySigned(): WireRequest {
  const names = Array.from({ length: 1800 }, (_, i) => (i + 12_960).toString(36));
  const { url } = s3For(gateway).sign({ bucket: "media", key: "a.txt", expiresIn: 60 });
  const target = url
    .slice(gateway.url.length)
    .replace("SignedHeaders=host", `SignedHeaders=${[...names, "host"].sort().join(";")}`);
  const headers = names.slice(0, 90).map((name) => [name, "1"] as const);
  return { ...wireOf(target, {})(), method: "GET", headers: [...wireOf(target, {})().headers, ...headers] };
}

describe("an unverified sender", () => {
  it.each([
    [
      "an Accept header of many types",
      wireOf("/media", { accept: `text/html,${"a,".repeat(7500)}`, "user-agent": "Mozilla/5.0" }),
    ],
    ["a signature over many names", wronglySigned],
    ["a form that comes byte by byte", wireOf("/media", { "content-type": FORM })],
  ] as const)("refuses %s a hundred times within the timeout of the test", async (_, request) => {
    const form = Buffer.from(`--B\r\nContent-Disposition: form-data; name="key"\r\n\r\n${"a".repeat(19_000)}`);
    async function* body(): AsyncGenerator<Uint8Array> {
      for (const byte of form) yield Uint8Array.of(byte);
    }
    for (let i = 0; i < 100; i++) {
      const outcome = await gateway.gateway.handle(request(), body());
      outcome.delivered(0, true);
      expect(outcome.status).toBeGreaterThanOrEqual(400);
    }
  });

  it.each([
    ["forms", wireOf("/media", { "content-type": FORM })],
    [
      "calls for a session",
      wireOf("/", { authorization: "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/sts/aws4_request" }),
    ],
  ])("cannot take the places of all others by %s that never end", async (_, request) => {
    let release = (): void => {};
    const stalled = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("--B\r\n");
      await stalled;
    }
    // Each from its own address.
    const waiting = Array.from({ length: 8 }, async (_, i) => {
      const outcome = await gateway.gateway.handle({ ...request(), remoteAddress: `192.0.2.${i}` }, body());
      outcome.delivered(0, true);
      return outcome.status;
    });
    const { url } = s3For(gateway).sign({ bucket: "media", key: "a.txt", expiresIn: 60 });
    expect(await (await fetch(url)).text()).toBe("a");
    release();
    const statuses = await Promise.all(waiting);
    expect(statuses.filter((status) => status === 503)).toHaveLength(6);
    expect(statuses.filter((status) => status >= 400 && status < 500)).toHaveLength(2);
  });

  it("has no more than a share of the places from one address, and leaves the rest to others", async () => {
    await using wide = await testGateway({
      files: { "media/a.txt": "a" },
      gateway: () => ({ limits: { inFlight: 32 } }),
    });
    const head = `POST /media HTTP/1.1\r\nhost: 127.0.0.1:${wide.port}\r\ncontent-type: ${FORM}\r\ncontent-length: 1000000\r\n\r\n--B\r\n`;
    const hold = async (localAddress: string) => {
      const socket = connect({ host: "127.0.0.1", port: wide.port, localAddress });
      let answer = "";
      socket.setEncoding("latin1").on("data", (text: string) => {
        answer += text;
      });
      socket.on("error", () => {});
      await once(socket, "connect");
      socket.write(head);
      return { socket, status: () => answer.split(" ")[1] };
    };
    const greedy = await Promise.all(Array.from({ length: 12 }, () => hold("127.0.0.2")));
    // 8 slots for unverified bodies, half of them for one address.
    const refused = () => greedy.filter(({ status }) => status() === "503").length;
    await expect.poll(refused).toBe(8);
    const form = s3FormSigner(wide.clients.daypass).sign({ bucket: "media", key: "form.txt", expiresIn: 60 });
    const upload = async (): Promise<number> => {
      const data = new FormData();
      for (const [name, value] of Object.entries(form.fields)) data.append(name, value);
      data.append("file", new Blob(["content"]), "form.txt");
      return (await fetch(form.url, { method: "POST", body: data })).status;
    };
    expect(await upload()).toBe(204);
    const others = await Promise.all(Array.from({ length: 4 }, () => hold("127.0.0.3")));
    // Now all places are taken.
    await expect.poll(upload).toBe(503);
    for (const { socket } of greedy) socket.destroy();
    await expect.poll(upload).toBe(204);
    expect(refused()).toBe(8);
    expect(others.map(({ status }) => status())).toEqual(Array(4).fill(undefined));
    for (const { socket } of others) socket.destroy();
  });

  it("is one sender with all addresses of its network, however they are written", () => {
    const home = ["2001:db8:0:1::1", "2001:0DB8:0000:0001:ffff:1:2:3", "2001:db8:0:1:5::", "2001:db8::1:0:0:0:1"];
    expect(new Set(home.map(networkOf))).toEqual(new Set(["2001:db8:0:1"]));
    expect(networkOf("2001:db8:0:2::1")).toBe("2001:db8:0:2");
    expect([networkOf("::1"), networkOf("fe80::1%eth0"), networkOf("")]).toEqual(["0:0:0:0", "fe80:0:0:0", ""]);
    expect([networkOf("192.0.2.1"), networkOf("::ffff:192.0.2.1"), networkOf("192.0.2.2")]).toEqual([
      "192.0.2.1",
      "192.0.2.1",
      "192.0.2.2",
    ]);
  });

  it("cannot have a long file name put into a form a thousand times", async () => {
    const fields = {
      "x-amz-algorithm": "AWS4-HMAC-SHA256",
      "x-amz-credential": `${gateway.accessKey.accessKeyId}/20260101/us-east-1/s3/aws4_request`,
      "x-amz-date": "20260101T000000Z",
      "x-amz-signature": "0".repeat(64),
      key: "a",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the placeholder of S3
      policy: "${filename}".repeat(1600),
    };
    const part = (disposition: string, value: string): string =>
      `--B\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${value}\r\n`;
    const texts = Object.entries(fields).map(([name, value]) => part(`name="${name}"`, value));
    const body = `${texts.join("")}${part(`name="file"; filename="${"f".repeat(1900)}"`, "x")}--B--\r\n`;
    const reply = await fetch(`${gateway.url}/media`, { method: "POST", headers: { "content-type": FORM }, body });
    expect([reply.status, s3Code(await reply.text())]).toEqual([400, "MaxPostPreDataLengthExceeded"]);
  });

  it("cannot have a bucket's rules held against thousands of names", () => {
    // 64 KB of rules, as the owner of any bucket may set them, and 14 KB of header: a third of a second for each request.
    const headers = [...Array.from({ length: 1900 }, () => "A*"), "*"];
    const rules = [{ origins: ["*"], methods: ["GET"], headers, exposeHeaders: [] }];
    const asked = (count: number) => ({ origin: "https://a.example", method: "GET", headers: "x,".repeat(count) });
    expect(preflight(rules, asked(100))).toBeDefined();
    expect(preflight(rules, asked(101))).toBeUndefined();
  });
});
