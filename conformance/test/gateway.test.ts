import { type TestGateway, testGateway } from "@daypass/gateway/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../../tools/needs.ts";
import type { ClientCall } from "../clients/client.ts";
import { curlVersion, curlWithSigV4 } from "../clients/curl.ts";
import { urlClients } from "../clients/url-clients.ts";
import { HOSTILE_KEYS } from "../random/hostile-keys.ts";
import { hasDotSegment } from "../random/keys.ts";
import { send } from "../send.ts";

const missing = needs("python3", "aws", "s3cmd", "rclone", "curl");
const BUCKET = "media";

describe.skipIf(missing)(`the gateway, asked by foreign clients${missing ?? ""}`, () => {
  let gateway: TestGateway;
  const table: string[] = [];
  const target = () => ({ endpoint: gateway.url, region: "us-east-1", credentials: gateway.accessKey });

  beforeAll(async () => {
    gateway = await testGateway({ files: { "media/.keep": "" } });
  });
  afterAll(async () => {
    await gateway?.close();
    const head = ["| client | signature | PUT | HEAD | GET | range | DELETE |", "|---|---|---|---|---|---|---|"];
    console.log([...head, ...table].join("\n"));
  });

  test.each(urlClients)("serves the URLs of $name ($signature)", async (client) => {
    const keys = HOSTILE_KEYS.filter((key) => client.excludes?.(key) === undefined).slice(
      0,
      client.isSlow ? 12 : undefined,
    );
    const counts = { PUT: 0, HEAD: 0, GET: 0, range: 0, DELETE: 0 };
    const failed: string[] = [];
    const made = new Map<ClientCall["method"], readonly string[]>();
    const calls = (method: ClientCall["method"]) => keys.map((key) => ({ method, bucket: BUCKET, key }));
    const step = async (
      method: ClientCall["method"],
      count: keyof typeof counts,
      check: (url: string, key: string) => Promise<readonly [actual: unknown, expected: unknown]>,
    ) => {
      if (!client.methods.includes(method)) return;
      const urls = made.get(method) ?? (await client.urls(target(), calls(method)));
      made.set(method, urls);
      for (const [at, url] of urls.entries()) {
        const key = keys[at] as string;
        const [actual, expected] = await check(url, key);
        if (JSON.stringify(actual) === JSON.stringify(expected)) counts[count] += 1;
        else failed.push(`${count} ${JSON.stringify(key)}: ${JSON.stringify(actual)} at ${url}`.slice(0, 600));
      }
    };

    // What the client cannot upload, another one uploads.
    if (!client.methods.includes("PUT")) await uploadAll(keys);
    await step("PUT", "PUT", async (url, key) => {
      const { code } = await send({ method: "PUT", url, body: content(key) });
      return [code, ""];
    });
    await step("HEAD", "HEAD", async (url, key) => {
      const { status, headers } = await send({ method: "HEAD", url });
      return [
        [status, headers["content-length"]],
        [200, String(Buffer.byteLength(content(key)))],
      ];
    });
    await step("GET", "GET", async (url, key) => {
      const { status, body } = await send({ method: "GET", url });
      return [
        [status, body.toString()],
        [200, content(key)],
      ];
    });
    await step("GET", "range", async (url, key) => {
      const { status, body } = await send({ method: "GET", url, headers: { range: "bytes=2-4" } });
      return [
        [status, body.toString("latin1")],
        [206, Buffer.from(content(key)).subarray(2, 5).toString("latin1")],
      ];
    });
    await step("GET", "GET", async (url, key) => {
      // A longer life than what was signed; counted once, so that the refusal takes back the mark it would add.
      const tampered = url.replace(/Expires=(\d)/, (_, digit: string) => `Expires=${(Number(digit) % 9) + 1}`);
      const { status } = await send({ method: "GET", url: tampered });
      counts.GET -= 1;
      return [status >= 400 ? "refused" : `${status} for a tampered URL of ${key}`, "refused"];
    });
    await step("DELETE", "DELETE", async (url) => [(await send({ method: "DELETE", url })).status, 204]);
    if (!client.methods.includes("DELETE")) await removeAll(keys);

    const cell = (method: ClientCall["method"], count: keyof typeof counts): string =>
      client.methods.includes(method) ? `${counts[count]} of ${keys.length}` : "–";
    const cells = [
      cell("PUT", "PUT"),
      cell("HEAD", "HEAD"),
      cell("GET", "GET"),
      cell("GET", "range"),
      cell("DELETE", "DELETE"),
    ];
    table.push(`| ${[client.name, client.signature, ...cells].join(" | ")} |`);
    expect(failed).toEqual([]);
  });

  test("serves requests that curl signs in their header", async () => {
    const counts = { PUT: 0, HEAD: 0, GET: 0, range: 0, DELETE: 0 };
    // "Cannot use sigv4 authentication with path-as-is flag": without it, curl removes dot segments.
    const keys = HOSTILE_KEYS.filter((key) => !hasDotSegment(key) && !key.startsWith("long-"));
    const failed: string[] = [];
    const check = async (
      count: keyof typeof counts,
      key: string,
      expected: string,
      options: Parameters<typeof curlWithSigV4>[2],
    ) => {
      const actual = await curlWithSigV4(target(), { bucket: BUCKET, key }, options);
      if (actual === expected) counts[count] += 1;
      else failed.push(`${count} ${JSON.stringify(key)}: ${actual}`);
    };
    for (const key of keys) {
      await check("PUT", key, "200", { method: "PUT", body: content(key) });
      await check("HEAD", key, "200", { method: "HEAD" });
      await check("GET", key, `${content(key)}200`, { method: "GET" });
      await check("range", key, `${Buffer.from(content(key)).subarray(2, 5)}206`, { method: "GET", range: "2-4" });
      await check("DELETE", key, "204", { method: "DELETE" });
    }
    const cells = Object.values(counts).map((count) => `${count} of ${keys.length}`);
    table.push(`| curl ${await curlVersion()} --aws-sigv4 | SigV4 header | ${cells.join(" | ")} |`);
    expect(failed).toEqual([]);
  });

  function content(key: string): string {
    return `content of ${JSON.stringify(key)}`;
  }

  async function uploadAll(keys: readonly string[]): Promise<void> {
    await throughSdk("PUT", keys, 200);
  }

  async function removeAll(keys: readonly string[]): Promise<void> {
    await throughSdk("DELETE", keys, 204);
  }

  async function throughSdk(method: "PUT" | "DELETE", keys: readonly string[], expected: number): Promise<void> {
    const [, sdk] = urlClients;
    const urls =
      (await sdk?.urls(
        target(),
        keys.map((key) => ({ method, bucket: BUCKET, key })),
      )) ?? [];
    for (const [at, url] of urls.entries()) {
      const body = method === "PUT" ? content(keys[at] as string) : undefined;
      expect((await send({ method, url, body })).status).toBe(expected);
    }
  }
});
