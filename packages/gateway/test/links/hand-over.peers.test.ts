import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePort } from "../../../../tools/free-port.ts";
import { needs } from "../../../../tools/needs.ts";
import { linkBench } from "./link-bench.ts";

const KEY = "?dl=0123456789abcdef";
const page = readFileSync(new URL("../../../../docs/links.md", import.meta.url), "utf8");

/** A configuration of the guide, with the names of this machine. */
function block(name: string, names: Readonly<Record<string, string>>): string {
  const [, text = ""] = new RegExp(`<!-- ${name}: begin -->\n\`\`\`\\w+\n([\\s\\S]*?)\`\`\`\n`).exec(page) ?? [];
  return Object.entries(names).reduce((all, [own, other]) => {
    expect(all).toContain(own);
    return all.replaceAll(own, other);
  }, text);
}

interface Place {
  readonly folder: string;
  readonly served: string;
  readonly front: number;
  /** Host and port. */
  readonly gateway: string;
}

interface Front {
  readonly missing: string | undefined;
  readonly via: "x-accel-redirect" | "x-sendfile";
  readonly prefix: (root: string) => string;
  readonly config: (place: Place) => string;
  readonly command: (folder: string, config: string) => readonly [string, ...string[]];
}

const XSENDFILE = existsSync("/usr/lib/apache2/modules/mod_xsendfile.so") ? [] : ["libapache2-mod-xsendfile"];

const FRONTS: Readonly<Record<string, Front>> = {
  nginx: {
    missing: needs("nginx"),
    via: "x-accel-redirect",
    prefix: () => "/daypass-files/",
    config({ folder, served, front, gateway }) {
      const names = {
        "listen 443 ssl": `listen 127.0.0.1:${front}`,
        "127.0.0.1:8080": gateway,
        "/srv/files/": `${served}/`,
      };
      const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((n) => `${n}_temp_path ${folder}/${n};`);
      return `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 64; }
http { access_log off; gzip on; ${temp.join(" ")} ${block("nginx", names)} }`;
    },
    command: (folder, config) => ["nginx", "-p", folder, "-e", `${folder}/error.log`, "-c", config],
  },
  Apache: {
    missing: needs("apache2", ...XSENDFILE),
    via: "x-sendfile",
    prefix: (root) => `${root}/`,
    config: ({ folder, served, front, gateway }) =>
      `ServerRoot ${folder}\nDefaultRuntimeDir ${folder}\n${block("apache", {
        "Listen 80": `Listen 127.0.0.1:${front}`,
        "127.0.0.1:8080": gateway,
        "/srv/files": served,
        "/run/apache2/apache2.pid": `${folder}/pid`,
        "/var/log/apache2/error.log": `${folder}/error.log`,
        "file:/run/apache2": `file:${folder}`,
      })}`,
    command: (_, config) => ["/usr/sbin/apache2", "-X", "-f", config],
  },
};

for (const [name, { missing, via, prefix, config, command }] of Object.entries(FRONTS)) {
  describe.skipIf(missing)(`links that ${name} sends, as the guide configures it${missing ?? ""}`, () => {
    const bench = linkBench(undefined, undefined, { handOver: (root) => ({ via, prefix: prefix(root) }) });
    let port: number;
    let stop: () => Promise<void>;

    const get = async (path: string, headers: IncomingHttpHeaders = {}, method = "GET") => {
      const sent = request({
        ...{ host: "127.0.0.1", port, path, method },
        // Links have the origin of the gateway.
        headers: { host: new URL(bench.url).host, ...headers },
      }).end();
      const [answer] = await once(sent, "response");
      return {
        status: answer.statusCode as number,
        headers: answer.headers as IncomingHttpHeaders,
        bytes: await buffer(answer),
      };
    };

    /** The front server may send the files of `served`. */
    async function start(served: string): Promise<void> {
      port = await freePort();
      // The worker of the server is another user.
      chmodSync(bench.folder, 0o755);
      const { folder, url } = bench;
      const file = `${folder}/front.conf`;
      writeFileSync(file, config({ folder, served, front: port, gateway: new URL(url).host }));
      const [program, ...args] = command(folder, file);
      const child = spawn(program, args);
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
        if (child.exitCode !== null) throw new Error(`${program} ended: ${said}`);
        await sleep(20);
      }
      stop = async () => {
        const ended = once(child, "exit");
        child.kill();
        await ended;
      };
    }
    beforeEach(() => start(`${bench.folder}/root`));
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
      expect([answer.headers["x-accel-redirect"], answer.headers["x-sendfile"]]).toEqual([undefined, undefined]);
      const part = await get(`/l/${variant.id}${KEY}`, { range: "bytes=10-19" });
      expect([part.status, part.headers["content-range"], part.bytes.length]).toEqual([206, "bytes 10-19/100000", 10]);
      expect((await get(`/l/${variant.id}?dl=another-key-0123456`)).status).toBe(410);
      expect((await bench.links.state.getLink(link.id))?.variants[0]).toMatchObject({
        used: 1,
        started: 1,
        completed: 0,
      });
    });

    it.each([
      ["a plain range", "film.mp4", { range: "bytes=5-9" }],
      ["a plain suffix", "film.mp4", { range: "bytes=-5" }],
      ["If-Range with the ETag of the gateway", "film.mp4", { range: "bytes=0-0", "if-range": "ETAG" }],
      ["If-Range with another ETag", "film.mp4", { range: "bytes=0-0", "if-range": '"other"' }],
      ["several ranges", "film.mp4", { range: "bytes=0-0,10-10" }],
      ["a range that ends before it begins", "film.mp4", { range: "bytes=5-2" }],
      ["a suffix after a space", "film.mp4", { range: "bytes= -5" }],
      ["an end beyond 64 bits", "film.mp4", { range: "bytes=99999-99999999999999999999" }],
      ["a unit in capitals", "film.mp4", { range: "BYTES=0-0" }],
      ["a page that could be compressed", "page.html", { range: "bytes=0-0", "accept-encoding": "gzip" }],
    ])("sends no more than the gateway reserved for %s", async (_, key, headers: IncomingHttpHeaders) => {
      bench.write("page.html", randomBytes(20_000).toString("hex"));
      const { link, variant } = await bench.make({ key, handOver: true, maxDeliveries: 1 });
      const path = `/l/${variant.id}`;
      const { etag } = (await get(path + KEY, {}, "HEAD")).headers;
      const sent = { ...headers, ...(headers["if-range"] === "ETAG" ? { "if-range": etag } : {}) };
      const { bytes, headers: answered, status } = await get(path + KEY, sent);
      const held = (await bench.links.state.getLink(link.id))?.variants[0]?.held;
      // The parts of a multipart response have heads, and a refusal has a text.
      const more = status < 300 && !/multipart/.test(String(answered["content-type"])) ? 0 : 1000;
      expect([status, held, bytes.length - Number(held) <= more]).toEqual([status, held, true]);
    });

    it("leaves HEAD and a link that does not open to the gateway", async () => {
      const { variant } = await bench.make({ handOver: true });
      const head = await get(`/l/${variant.id}`, {}, "HEAD");
      expect([head.status, head.headers["content-length"], head.headers["x-sendfile"]]).toEqual([
        200,
        "100000",
        undefined,
      ]);
      bench.now += 8 * 24 * 3_600_000;
      const expired = await get(`/l/${variant.id}`);
      expect([expired.status, expired.bytes.length < 1000]).toEqual([410, true]);
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

    it("sends a file of a folder by its encoded name", async () => {
      const { variant } = await bench.make({ kind: "prefix", key: "holiday/", handOver: true });
      bench.write("holiday/ü %2e.txt", "named");
      const { status, bytes } = await get(`/l/${variant.id}/%C3%BC%20%252e.txt`);
      expect([status, bytes.toString()]).toEqual([200, "named"]);
    });

    it("keeps the folder from clients that ask for it without a link", async () => {
      for (const path of [
        `${prefix(`${bench.folder}/root`)}media/film.mp4`,
        "/daypass-files/media/film.mp4",
        "/daypass-files/.daypass/",
        "/%64aypass-files/media/film.mp4",
      ]) {
        const { status, bytes } = await get(path, { "x-sendfile": `${bench.folder}/root/media/film.mp4` });
        expect([path, [403, 404].includes(status), bytes.length < 1000]).toEqual([path, true, true]);
      }
    });

    it("refuses a file outside the folder that it may send", async () => {
      await stop();
      await start(`${bench.folder}/root/media/holiday`);
      const outside = await get(`/l/${(await bench.make({ handOver: true })).variant.id}`);
      expect([outside.status, outside.bytes.length < 1000]).toEqual([404, true]);
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
}

async function* one(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
