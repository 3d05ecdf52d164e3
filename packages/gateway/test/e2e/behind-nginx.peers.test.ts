import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { request } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { s3Signer } from "daypass/s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../../../tools/free-port.ts";
import { needs } from "../../../../tools/needs.ts";
import { createGateway } from "../../src/index.ts";
import { listen } from "../../src/node/index.ts";
import { disk } from "../../src/storage/disk/index.ts";
import { tls } from "../node/fixtures/tls.ts";
import { removeRoot, tempRoot } from "../storage/temp-root.ts";

const missing = needs("nginx");
const key = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
const KEYS = [
  "plain.txt",
  "a//b",
  "x/../y",
  "./z",
  "a%2Fb",
  "ü+ b",
  "a?b#c;d=e&f",
  "q%",
  "trail/",
  `long/${"x".repeat(900)}`,
];

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

type Ask = (asked: Asked) => Promise<readonly [status: number, body: string]>;

/** The server blocks of the guide, with the names of this machine. */
function pageConfig(folder: string, ports: { readonly front: number; readonly gateway: number }): string {
  const page = readFileSync(new URL("../../../../docs/guide/on-a-server.md", import.meta.url), "utf8");
  const [, blocks = ""] = /<!-- nginx: begin -->\n```nginx\n([\s\S]*?)```\n<!-- nginx: end -->/.exec(page) ?? [];
  const told: readonly (readonly [string, string])[] = [
    ["127.0.0.1:8080", `127.0.0.1:${ports.gateway}`],
    ["listen 443 ssl", `listen 127.0.0.1:${ports.front} ssl`],
    ["files.example.com", "localhost"],
    ["/etc/ssl/files.pem", `${folder}/cert.pem`],
    ["/etc/ssl/files.key", `${folder}/key.pem`],
  ];
  for (const [name] of told) expect(blocks).toContain(name);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  return `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 64; }
http { access_log off; ${temporary.join(" ")}
${told.reduce((config, [name, own]) => config.replace(name, own), blocks)} }`;
}

describe.skipIf(missing)(`a gateway behind nginx, as the guide configures it${missing ?? ""}`, () => {
  let origin: string;
  const closing: (() => Promise<unknown>)[] = [];
  afterAll(async () => {
    for (const close of closing.reverse()) await close();
  });

  beforeAll(async () => {
    const folder = tempRoot();
    closing.push(async () => removeRoot(folder));
    const ports = { front: await freePort(), gateway: await freePort() };
    origin = `https://localhost:${ports.front}`;
    mkdirSync(join(folder, "files/media"), { recursive: true });
    const storage = await disk({ root: join(folder, "files") });
    const keys = { s3: (id: string) => (id === key.accessKeyId ? key : undefined) };
    const gateway = createGateway({ storage, origins: [origin], keys, metrics: true });
    const server = await listen(gateway, { port: ports.gateway });
    closing.push(() => server.drain(0));
    writeFileSync(join(folder, "cert.pem"), tls.cert);
    writeFileSync(join(folder, "key.pem"), tls.key);
    writeFileSync(join(folder, "nginx.conf"), pageConfig(folder, ports));
    const nginx = spawn("/usr/sbin/nginx", ["-p", folder, "-c", join(folder, "nginx.conf")], { stdio: "ignore" });
    const exited = once(nginx, "exit");
    closing.push(() => {
      nginx.kill("SIGTERM");
      return exited;
    });
    for (;;) {
      const up = await overHttp1({ method: "GET", url: `${origin}/-/healthz` }).catch(() => undefined);
      if (up !== undefined) break;
      if (nginx.exitCode !== null) throw new Error(readFileSync(join(folder, "error.log"), "utf8"));
      await sleep(50);
    }
  });

  const overHttp1: Ask = async ({ method, url, headers = {}, body }) => {
    // The path as it was signed: a URL parser would take dot segments away.
    const message = request(origin, { method, path: url.slice(origin.length), headers, ca: tls.cert, agent: false });
    message.end(body);
    const [response] = await once(message, "response");
    return [response.statusCode, await text(response)];
  };

  const overHttp2: Ask = async ({ method, url, headers = {}, body }) => {
    const session = connectHttp2(origin, { ca: tls.cert });
    const length = body === undefined ? {} : { "content-length": String(body.length) };
    const stream = session.request({ ...headers, ...length, ":method": method, ":path": url.slice(origin.length) });
    stream.end(body);
    const [answered] = await once(stream, "response");
    const found = await text(stream);
    session.close();
    return [Number(answered[":status"]), found];
  };

  it.each([
    ["HTTP/1.1", overHttp1],
    ["HTTP/2", overHttp2],
  ])("serves hostile keys, metadata with underscores and long uploads over %s", async (_, ask) => {
    const signer = s3Signer({ endpoint: origin, addressing: "path", region: "us-east-1", credentials: key });
    const sign = (method: string, name: string, headers = {}) =>
      signer.sign({ method, bucket: "media", key: name, headers, expiresIn: 60, dotSegments: "sign" }).url;
    for (const name of KEYS) {
      expect([name, ...(await ask({ method: "PUT", url: sign("PUT", name), body: Buffer.from(name) }))]).toEqual([
        name,
        200,
        "",
      ]);
      expect(await ask({ method: "GET", url: sign("GET", name) })).toEqual([200, name]);
      expect(await ask({ method: "DELETE", url: sign("DELETE", name) })).toEqual([204, ""]);
    }
    const headers = { "x-amz-meta-my_key": "value" };
    const url = sign("PUT", "long", headers);
    expect(await ask({ method: "PUT", url, headers, body: Buffer.alloc(3_000_000, "x") })).toEqual([200, ""]);
    expect((await ask({ method: "GET", url: sign("GET", "long") }))[1]).toHaveLength(3_000_000);
  });

  it.each(["/-/metrics", "//-/metrics", "/-/%6Detrics", "/media/../-/metrics"])(
    "refuses strangers %s",
    async (path) => {
      expect((await overHttp1({ method: "GET", url: origin + path }))[0]).toBe(403);
    },
  );
});
