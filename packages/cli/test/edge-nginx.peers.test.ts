import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { type UrlHmacKey, type UrlSignRequest, urlSigner, urlVerifier } from "daypass/url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../../tools/free-port.ts";
import { needs } from "../../../tools/needs.ts";
import { seeded } from "../../../tools/seeded-random.ts";
import { daypass } from "./command.ts";
import { askWitness, startWitness, TRICKS } from "./wsgi-witness.ts";

interface Vector {
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly authority: string;
    readonly target: string;
    readonly headers: readonly (readonly [string, string])[];
    readonly remoteAddress?: string;
  };
  readonly verifier: { readonly origins: readonly string[]; readonly audience?: string; readonly skew?: number };
  readonly now: string;
  readonly expect: { readonly code?: string };
}

const MODULE = "/usr/lib/nginx/modules/ngx_http_js_module.so";
// A missing module is a missing command, for which nothing may be skipped under CI=true.
const missing = needs("nginx", "python3", ...(existsSync(MODULE) ? [] : ["libnginx-mod-http-js"]));
const vectors = JSON.parse(
  readFileSync(new URL("../../daypass/test/vectors/url/hs256.json", import.meta.url), "utf8"),
) as { readonly keys: readonly UrlHmacKey[]; readonly cases: readonly Vector[] };
const NOW = "20260102T030500Z";
const instant = (now: string): number =>
  Date.parse(now.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"));

const folder = mkdtempSync("/tmp/daypass-edge-");
// The worker of nginx is another user.
chmodSync(folder, 0o755);
const running: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of running) await stop();
  rmSync(folder, { recursive: true });
});

interface Settings {
  readonly keys?: readonly UrlHmacKey[];
  readonly verifier?: Vector["verifier"];
  /** Directives of the server, after those that verify. */
  readonly inside?: string;
}

let folders = 0;
/** Generates the files of one server. The clock and the peer come from headers of the request in the place of the real ones. */
async function generate(out: string, { keys = vectors.keys, verifier = { origins } }: Settings = {}): Promise<void> {
  const { audience, skew } = verifier;
  const args = ["edge", "nginx", "--out", out, ...verifier.origins.flatMap((origin) => ["--origin", origin])];
  if (audience !== undefined) args.push("--audience", audience);
  if (skew !== undefined) args.push("--max-skew", `${skew}s`);
  const env = { DAYPASS_KEY: JSON.stringify({ keys }) };
  const { status, stderr } = await daypass(args, { env });
  expect([status, stderr]).toEqual([0, ""]);
  const module = readFileSync(`${out}/daypass.js`, "utf8");
  expect(module.match(/Date\.now\(\)|r\.remoteAddress/g)).toHaveLength(3);
  const tested = module
    .replaceAll("Date.now()", "Number(r.headersIn['X-Test-Now'])")
    .replace("r.remoteAddress", "(r.headersIn['X-Test-Peer'] || '')");
  writeFileSync(`${out}/daypass.js`, tested);
}

interface Nginx {
  readonly ports: readonly number[];
  readonly outs: readonly string[];
  reload(): void;
}

async function startNginx(
  servers: readonly Settings[],
  configure?: (home: string, port: number) => string,
): Promise<Nginx> {
  const home = `${folder}/nginx-${++folders}`;
  mkdirSync(`${home}/files/a`, { recursive: true });
  writeFileSync(`${home}/files/a/b.txt`, "served by nginx");
  const ports: number[] = [];
  const outs: string[] = [];
  const blocks: string[] = [];
  for (const [i, settings] of servers.entries()) {
    const [port, out] = [await freePort(), `${home}/${i}`];
    await generate(out, settings);
    ports.push(port);
    outs.push(out);
    const http = readFileSync(`${out}/daypass-http.conf`, "utf8").replace(/^js_set.*$/gm, "");
    blocks.push(`server { listen 127.0.0.1:${port}; ${http}
  include "${out}/daypass-server.conf";
  location / { include "${out}/daypass-verify.conf"; ${settings.inside ?? 'return 200 "granted $daypass_args";'} } }`);
  }
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${home}/${name};`);
  const config = `load_module ${MODULE};
daemon off; worker_processes 1; pid ${home}/pid; error_log ${home}/error.log;
events { worker_connections 64; }
http { access_log off; large_client_header_buffers 4 16k; default_type text/plain; root ${home}/files; ${temp.join(" ")}
${configure?.(home, ports[0] ?? 0) ?? `js_set $daypass daypass.verify; js_set $daypass_args daypass.args;\n${blocks.join("\n")}`} }`;
  writeFileSync(`${home}/nginx.conf`, config);
  const child = spawn("nginx", ["-p", home, "-e", `${home}/error.log`, "-c", `${home}/nginx.conf`], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
  });
  running.push(async () => {
    const ended = once(child, "exit");
    child.kill();
    await ended;
  });
  for (;;) {
    if (child.exitCode !== null) throw new Error(`nginx ended: ${said}`);
    const status = await ask(ports[0] ?? 0, "/").then(
      (answer) => answer.status,
      () => 0,
    );
    if (status > 0) break;
    await sleep(20);
  }
  return { ports, outs, reload: () => void child.kill("SIGHUP") };
}

interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

interface Asked {
  readonly method?: string;
  readonly host?: string;
  readonly now?: string;
  readonly peer?: string | undefined;
  readonly headers?: readonly (readonly [string, string])[];
}

async function ask(port: number, target: string, asked: Asked = {}): Promise<Answer> {
  const { method = "GET", host = "api.example.com", now = NOW, peer, headers = [] } = asked;
  const socket = connect(port, "127.0.0.1");
  const fields = [["Host", host], ...headers, ["X-Test-Now", instant(now)], ["Connection", "close"]];
  if (peer !== undefined) fields.push(["X-Test-Peer", peer]);
  socket.write(
    `${method} ${target} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`,
  );
  const [head = "", ...rest] = (await text(socket)).split("\r\n\r\n");
  return { status: Number(head.slice(9, 12)), head, body: rest.join("\r\n\r\n") };
}

/** `granted`, or the code of the refusal; `nginx` for a refusal by nginx itself. */
function verdictOf({ status, body, head }: Answer): string {
  if (status === 200) return "granted";
  if (/^content-length: 0\r?$/im.test(head) || body === "") return "HEAD";
  return body.startsWith("{") ? (JSON.parse(body) as { code: string }).code : "nginx";
}

const origins = ["https://api.example.com"];
const [k1] = vectors.keys as [UrlHmacKey];
function sign(more: Partial<UrlSignRequest> = {}, key: UrlHmacKey = k1): string {
  const signer = urlSigner({ key, clock: () => new Date(instant("20260102T030405Z")) });
  const { url } = signer.sign({ url: `${origins[0]}/a/b.txt`, expiresIn: 900, ...more });
  return url.slice(origins[0]?.length);
}

/** What nginx decides: as the specification says, without identities and obligations that it cannot discharge. */
function expected({ request: { target }, expect: { code } }: Vector): readonly string[] {
  // These two codes depend on what the vector's caller enforces.
  if (code !== undefined && code !== "BODY_TYPE" && code !== "UNENFORCED_CONSTRAINT") return [code];
  if (target.includes("dp-subject=")) return ["WRONG_SUBJECT"];
  if (/[?&]dp-(?:uses|create|length|sha256|type)=/.test(target)) return ["UNENFORCED_CONSTRAINT"];
  return ["granted"];
}

describe.skipIf(missing)(`Daypass URLs verified in nginx${missing ?? ""}`, () => {
  const kinds = [...new Set(vectors.cases.map(({ verifier }) => JSON.stringify(verifier)))];
  let judged: Nginx;
  let main: Nginx;
  beforeAll(async () => {
    judged = await startNginx(kinds.map((kind) => ({ verifier: JSON.parse(kind) as Vector["verifier"] })));
    main = await startNginx([{}, { inside: "" }, { inside: "proxy_pass http://127.0.0.1:1;" }]);
  });

  it.each(vectors.cases)("decides as the specification says: $name", async (vector) => {
    const { request, verifier, now } = vector;
    const port = judged.ports[kinds.indexOf(JSON.stringify(verifier))] ?? 0;
    const { method, authority: host, target, headers, remoteAddress: peer } = request;
    const answer = await ask(port, target, { method, host, now, headers, peer });
    const [verdict, wanted] = [verdictOf(answer), expected(vector)];
    // nginx refuses some requests before any module sees them, and an answer to HEAD has no body.
    if (verdict === "nginx" || verdict === "HEAD")
      expect([answer.status >= 400, wanted]).toEqual([true, expect.not.arrayContaining(["granted"])]);
    else expect(wanted).toContain(verdict);
  });

  it.each([
    ["a plain URL", {}],
    [
      "a URL with every constraint that nginx enforces",
      {
        url: `${origins[0]}/a/b.txt?lang=de`,
        prefix: 1,
        bind: { ip: "203.0.113.0/24", headers: { "x-tenant": "acme" } },
        response: { cacheControl: "private" },
      },
    ],
  ])(
    "refuses %s in which any character was changed, removed or added",
    async (_, more) => {
      const target = sign(more);
      const headers = [["x-tenant", "acme"]] as const;
      const port = main.ports[0] ?? 0;
      const of = async (changed: string) => verdictOf(await ask(port, changed, { headers, peer: "203.0.113.9" }));
      expect(await of(target)).toBe("granted");
      const granted: string[] = [];
      for (let i = 0; i < target.length; i += 1) {
        const [before, character, after] = [target.slice(0, i), target.charAt(i), target.slice(i + 1)];
        for (const other of [character === "A" ? "B" : "A", "", `${character}0`]) {
          const changed = `${before}${other}${after}`;
          // The rest of the path below a prefix is the holder's to choose.
          if ("prefix" in more && changed.startsWith("/a/") && changed.endsWith(target.slice(target.indexOf("?"))))
            continue;
          if ((await of(changed)) === "granted") granted.push(changed);
        }
      }
      expect(granted).toEqual([]);
    },
    120_000,
  );

  it("decides as the library does about 2,000 targets that were changed at random", async () => {
    const clock = (): Date => new Date(instant(NOW));
    const library = urlVerifier({ keys: vectors.keys, origins, clock, enforces: ["response", "strip"] });
    const random = seeded(25);
    const bases = [
      sign(),
      sign({ url: `${origins[0]}/a/b%C3%BC%2B.txt?lang=de&x`, vary: ["utm_source"] }),
      sign({ prefix: 1, bind: { ip: ["203.0.113.0/24", "2001:db8::/32"] }, response: { cacheControl: "private" } }),
      sign({ methods: ["DELETE", "PUT"], notBefore: new Date(instant("20260102T030430Z")) }),
      sign({ url: `${origins[0]}/public/b.txt` }, vectors.keys[2]),
    ];
    const wrong: unknown[] = [];
    const seen = new Set<string>();
    for (let i = 0; i < 2000; i += 1) {
      let target = random.pick(bases);
      for (let changes = random.chance(0.2) ? 2 : 1; changes > 0; changes -= 1) {
        const at = 1 + random.below(target.length - 1);
        const [before, character, after] = [target.slice(0, at), target.charAt(at), target.slice(at + 1)];
        const encoded = `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
        const other = random.pick([
          ...["", character + character, encoded, encoded.toLowerCase()],
          ...`%/.;:&=?+~_-*'@0aAzZ9{"<|^\\`,
        ]);
        target = random.chance(0.1) ? target.replace(/&([^&]*)(.*)$/, "&$1$2&$1") : before + other + after;
      }
      const request = {
        method: "GET",
        target,
        authority: "api.example.com",
        headers: [],
        remoteAddress: "203.0.113.9",
      };
      const expectedCode = await library.verify(request).then(
        () => "granted",
        ({ code }) => code as string,
      );
      const answer = await ask(main.ports[0] ?? 0, target, { peer: "203.0.113.9" });
      const found = verdictOf(answer);
      const isSame = found === "nginx" ? expectedCode !== "granted" : found === expectedCode;
      seen.add(expectedCode);
      if (!isSame) wrong.push([target, found, expectedCode]);
    }
    expect(wrong).toEqual([]);
    const codes = ["MALFORMED", "METHOD_NOT_GRANTED", "NO_SIGNATURE", "SIGNATURE_MISMATCH", "UNKNOWN_KEY", "granted"];
    expect([...seen].sort()).toEqual(codes);
  }, 120_000);

  it("serves a file with the signed response headers, and none of them with an error", async () => {
    const target = sign({
      response: { contentDisposition: 'attachment; filename="ü.txt"'.replace("ü", "u"), contentType: "text/csv" },
    });
    const answer = await ask(main.ports[1] ?? 0, target);
    expect([answer.status, answer.body]).toEqual([200, "served by nginx"]);
    expect(answer.head).toMatch(/^content-disposition: attachment;filename="u.txt"\r?$/im);
    expect(answer.head).toMatch(/^content-type: text\/csv\r?$/im);
    const missingFile = await ask(
      main.ports[1] ?? 0,
      sign({ url: `${origins[0]}/a/c.txt`, response: { contentType: "text/csv" } }),
    );
    expect([missingFile.status, /text\/csv/.test(missingFile.head)]).toEqual([404, false]);
  });

  it("hides the signature and what may vary from an upstream", async () => {
    const answer = await ask(
      main.ports[0] ?? 0,
      `${sign({ url: `${origins[0]}/a/b.txt?lang=de`, vary: ["utm_source"] })}&utm_source=mail`,
    );
    expect(answer.body).toBe("granted lang=de");
  });

  it.each([
    ["refuses a target in absolute form for another server", "http://evil.example", "api.example.com", "WRONG_ORIGIN"],
    ["refuses a Host that is a word of JavaScript", "", "constructor", "WRONG_ORIGIN"],
    ["refuses a Host with another port", "", "api.example.com:8443", "WRONG_ORIGIN"],
    ["accepts a Host with the default port", "", "API.example.com:443", "granted"],
  ])("%s", async (_, prefix, host, verdict) => {
    expect(verdictOf(await ask(main.ports[0] ?? 0, prefix + sign(), { host }))).toBe(verdict);
  });

  it.each(["constructor", "__proto__", "toString"])("refuses the key id %s", async (kid) => {
    expect(verdictOf(await ask(main.ports[0] ?? 0, sign({}, { ...k1, kid })))).toBe("UNKNOWN_KEY");
  });

  it("answers a browser with a page", async () => {
    const answer = await ask(main.ports[0] ?? 0, sign(), {
      now: "20260102T040000Z",
      headers: [["Accept", "text/html"]],
    });
    expect([answer.status, answer.body.includes("This link has expired")]).toEqual([403, true]);
  });

  it("refuses every request when the module fails", async () => {
    const broken = await startNginx([{}]);
    const file = `${broken.outs[0]}/daypass.js`;
    writeFileSync(file, readFileSync(file, "utf8").replace("r.error(", "r.missing("));
    writeFileSync(`${broken.outs[0]}/daypass-keys.json`, "{}");
    broken.reload();
    await expect.poll(async () => (await ask(broken.ports[0] ?? 0, sign())).status).toBe(500);
  });

  it("replaces a key while URLs of both are accepted, and refuses URLs of the old key after its removal", async () => {
    const next: UrlHmacKey = { ...k1, kid: "k2", k: Buffer.alloc(32, 7).toString("base64url") };
    const rotated = await startNginx([{ keys: [k1] }]);
    const verdicts = () =>
      Promise.all([k1, next].map(async (key) => verdictOf(await ask(rotated.ports[0] ?? 0, sign({}, key)))));
    expect(await verdicts()).toEqual(["granted", "UNKNOWN_KEY"]);
    for (const [keys, wanted] of [
      [
        [k1, next],
        ["granted", "granted"],
      ],
      [[next], ["UNKNOWN_KEY", "granted"]],
    ] as const) {
      await generate(rotated.outs[0] ?? "", { keys });
      rotated.reload();
      await expect.poll(verdicts).toEqual(wanted);
    }
    expect(statSync(`${rotated.outs[0]}/daypass-keys.json`).mode & 0o777).toBe(0o600);
  });

  it("works as the guide configures it", async () => {
    const page = readFileSync(new URL("../../../docs/guide/edge-nginx.md", import.meta.url), "utf8");
    const [, http = ""] = /<!-- nginx: begin -->\n```nginx\nhttp \{([\s\S]*?)\n\}\n```\n/.exec(page) ?? [];
    const app = await startWitness();
    const guided = await startNginx([{}], (home, port) =>
      http
        .replaceAll("/etc/nginx/daypass", `${home}/0`)
        .replace("listen 8080", `listen 127.0.0.1:${port}`)
        .replace("/var/log/nginx/files.log", `${home}/files.log`)
        .replace("root /srv;", `alias ${home}/files/;`)
        .replace("127.0.0.1:3000", `127.0.0.1:${app}`),
    );
    const target = sign({ url: `${origins[0]}/files/a/b.txt` });
    expect((await ask(guided.ports[0] ?? 0, target)).body).toBe("served by nginx");
    expect((await ask(guided.ports[0] ?? 0, target.replace("b.txt", "c.txt"))).status).toBe(403);
    const own = ["Host", "api.example.com", "X-Test-Now", `${instant(NOW)}`];
    for (const [trick, ...headers] of TRICKS) {
      const path = sign({ url: `${origins[0]}/app/x` });
      const received = await askWitness(guided.ports[0] ?? 0, path, [...own, ...headers]);
      expect([trick, received]).toMatchObject([trick, { status: 200, forged: false, identity: [] }]);
    }
    const log = `${guided.outs[0]}/../files.log`;
    await expect.poll(() => readFileSync(log, "utf8").split("\n").length).toBeGreaterThan(3);
    expect(readFileSync(log, "utf8")).not.toContain("dp-signature");
  });

  it.each([
    ["uses", { uses: 1 }, NOW, "does not declare to enforce"],
    ["a subject", { subject: "cus_42" }, NOW, "the URL is for one subject"],
    ["a time that is over", {}, "20260102T040000Z", "The URL has expired"],
    ["another audience", { audience: "invoice" }, NOW, "audience"],
  ])("refuses a URL with %s in words that explain understands", async (_, more, now, sentence) => {
    const target = sign(more);
    const answer = await ask(main.ports[0] ?? 0, target, { now });
    writeFileSync(`${folder}/answer.json`, answer.body);
    const at = new Date(instant(now)).toISOString();
    const args = ["explain", `${origins[0]}${target}`, "--error", `${folder}/answer.json`, "--at", at];
    const { stdout, stderr } = await daypass(args, { env: { DAYPASS_KEY: JSON.stringify(k1) } });
    expect(stderr).toBe("");
    expect(stdout.split("\n")[0]).toContain(sentence);
  });
});
