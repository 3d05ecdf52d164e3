import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePort } from "../../../../tools/free-port.ts";
import { needs } from "../../../../tools/needs.ts";
import { linkBench } from "./link-bench.ts";

const missing = needs("nginx");
const KEY = "?dl=0123456789abcdef";

/** The server of the guide, with the names of this machine. */
function guideConfig(folder: string, ports: { readonly front: number; readonly gateway: string }): string {
  const page = readFileSync(new URL("../../../../docs/links.md", import.meta.url), "utf8");
  const [, server = ""] = /<!-- nginx: begin -->\n```nginx\n([\s\S]*?)```\n<!-- nginx: end -->/.exec(page) ?? [];
  const names: readonly (readonly [string, string])[] = [
    ["listen 443 ssl", `listen 127.0.0.1:${ports.front}`],
    ["127.0.0.1:8080", ports.gateway],
    ["/srv/files/", `${folder}/root/`],
  ];
  for (const [name] of names) expect(server).toContain(name);
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  return `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 64; }
http { access_log off; ${temp.join(" ")} ${names.reduce((text, [name, own]) => text.replace(name, own), server)} }`;
}

describe.skipIf(missing)(`links that nginx sends, as the guide configures it${missing ?? ""}`, () => {
  const bench = linkBench(undefined, undefined, { handOver: { via: "x-accel-redirect", prefix: "/daypass-files/" } });
  let port: number;
  let stop: () => Promise<void>;

  const get = async (path: string, headers: IncomingHttpHeaders = {}) => {
    // Links have the origin of the gateway.
    const sent = request({
      host: "127.0.0.1",
      port,
      path,
      headers: { host: new URL(bench.url).host, ...headers },
    }).end();
    const [answer] = await once(sent, "response");
    return {
      status: answer.statusCode as number,
      headers: answer.headers as IncomingHttpHeaders,
      bytes: await buffer(answer),
    };
  };

  beforeEach(async () => {
    port = await freePort();
    // The worker of nginx is another user.
    chmodSync(bench.folder, 0o755);
    const config = guideConfig(bench.folder, { front: port, gateway: new URL(bench.url).host });
    writeFileSync(`${bench.folder}/nginx.conf`, config);
    const child = spawn("nginx", [
      "-p",
      bench.folder,
      "-e",
      `${bench.folder}/error.log`,
      "-c",
      `${bench.folder}/nginx.conf`,
    ]);
    let said = "";
    child.stderr.on("data", (text) => {
      said += text;
    });
    while (
      !(await get("/").then(
        () => true,
        () => false,
      ))
    ) {
      if (child.exitCode !== null) throw new Error(`nginx ended: ${said}`);
      await sleep(20);
    }
    stop = async () => {
      const ended = once(child, "exit");
      child.kill();
      await ended;
    };
  });
  afterEach(() => stop());

  it("sends the file with the headers of the link, and counts one hand-over", async () => {
    const { link, variant } = await bench.make({ handOver: true, maxDeliveries: 1 });
    const answer = await get(`/l/${variant.id}${KEY}`);
    expect([answer.status, answer.bytes.length]).toEqual([200, 100_000]);
    expect(answer.headers).toMatchObject({
      "content-type": "video/mp4",
      "content-disposition": expect.stringContaining("film.mp4"),
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-robots-tag": "noindex",
    });
    expect(answer.headers["x-accel-redirect"]).toBeUndefined();
    const part = await get(`/l/${variant.id}${KEY}`, { range: "bytes=10-19" });
    expect([part.status, part.headers["content-range"], part.bytes.length]).toEqual([206, "bytes 10-19/100000", 10]);
    expect((await get(`/l/${variant.id}?dl=another-key-0123456`)).status).toBe(410);
    expect((await bench.links.state.getLink(link.id))?.variants[0]).toMatchObject({
      used: 1,
      started: 1,
      completed: 0,
    });
  });

  it.each(["ü % +&#?.txt", "a..b", "<b>.txt", "x\\y", "a/../b", "a//b", "%2e%2e%2fsecret"])(
    "sends the object %j and no other",
    async (key) => {
      const content = randomBytes(32).toString("hex");
      await bench.storage.put({ bucket: "media", key }, one(content));
      const { variant } = await bench.make({ key, handOver: true });
      const answer = await get(`/l/${variant.id}`);
      expect([answer.status, answer.bytes.toString()]).toEqual([200, content]);
    },
  );

  it("keeps the folder from clients that ask for it without a link", async () => {
    for (const path of [
      "/daypass-files/media/film.mp4",
      "/daypass-files/.daypass/",
      "/%64aypass-files/media/film.mp4",
    ]) {
      expect((await get(path)).status).toBe(404);
    }
  });

  it("sends a large file whole", async () => {
    mkdirSync(`${bench.folder}/root/media/large`);
    const bytes = randomBytes(32 * 1024 * 1024);
    writeFileSync(`${bench.folder}/root/media/large/file.bin`, bytes);
    const { variant } = await bench.make({ key: "large/file.bin", handOver: true });
    const digest = (data: Buffer): string => createHash("sha256").update(data).digest("hex");
    expect(digest((await get(`/l/${variant.id}`)).bytes)).toBe(digest(bytes));
  });
});

async function* one(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
