import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished } from "vitest";
import { freePort } from "../../../tools/free-port.ts";
import { daypassProcess, temporaryFolder } from "./command.ts";
import { guideBlock } from "./guide-block.ts";
import { type Running, serve } from "./serving.ts";

export const ORIGIN = "https://photos.example.com";
export const KEY = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
export const LOGIN = `Basic ${Buffer.from("family:hiccup").toString("base64")}`;

const block = (name: string, changes: Readonly<Record<string, string>>): string =>
  guideBlock("guide/forward-auth.md", name, changes);

export interface Ports {
  readonly front: number;
  readonly app: number;
  readonly gateway: number;
  readonly auth: number;
  readonly fastcgi: number;
}

/** Starts a proxy over the configuration of the guide. */
export type StartProxy = (folder: string, ports: Ports) => ChildProcess;

export const write = (folder: string, name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

const servers = ({ app, gateway, auth }: Ports) => ({
  "127.0.0.1:8080": `127.0.0.1:${gateway}`,
  "127.0.0.1:8083": `127.0.0.1:${auth}`,
  "127.0.0.1:2342": `127.0.0.1:${app}`,
});

const passwords = (folder: string): string => {
  const hash = execFileSync("openssl", ["passwd", "-apr1", "hiccup"], { encoding: "utf8" }).trim();
  return write(folder, "photos.htpasswd", `family:${hash}\n`);
};

// Debian's package of modules has no command. A missing package is a missing command, for which nothing may be skipped under CI=true.
const VARNISH_MODULES = existsSync("/var/lib/dpkg/info/varnish-modules.list") ? [] : ["varnish-modules"];

export const PROXIES: Readonly<Record<string, readonly [commands: readonly string[], start: StartProxy]>> = {
  nginx: [
    ["nginx"],
    (folder, ports) => {
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
        (n) => `${n}_temp_path ${folder}/${n};`,
      );
      const config = block("nginx", {
        ...servers(ports),
        "listen 80;": `listen 127.0.0.1:${ports.front};`,
        "/etc/nginx/photos.htpasswd": passwords(folder),
        "http {": `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;\nhttp { access_log off; ${temporary.join(" ")}`,
      });
      return spawn("/usr/sbin/nginx", [
        "-p",
        folder,
        "-e",
        `${folder}/error.log`,
        "-c",
        write(folder, "nginx.conf", config),
      ]);
    },
  ],
  Caddy: [
    ["caddy"],
    (folder, ports) => {
      const site = { "http://photos.example.com {": `http://photos.example.com:${ports.front} {\n\tbind 127.0.0.1` };
      const config = write(folder, "Caddyfile", block("caddy", { ...servers(ports), ...site }));
      const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
      return spawn("caddy", ["run", "--adapter", "caddyfile", "--config", config], { env });
    },
  ],
  HAProxy: [
    ["haproxy"],
    (folder, ports) => {
      const { "127.0.0.1:8083": auth = "", ...others } = servers(ports);
      const lua = write(folder, "daypass.lua", block("lua", { "127.0.0.1:8083": auth }));
      const own = { "bind :80": `bind 127.0.0.1:${ports.front}`, "/etc/haproxy/daypass.lua": lua };
      return spawn("/usr/sbin/haproxy", ["-f", write(folder, "haproxy.cfg", block("haproxy", { ...others, ...own }))]);
    },
  ],
  Apache: [
    ["apache2"],
    (folder, ports) => {
      const { "127.0.0.1:8083": _, ...others } = servers(ports);
      const config = block("apache", {
        ...others,
        "127.0.0.1:8084": `127.0.0.1:${ports.fastcgi}`,
        "Listen 80": `Listen 127.0.0.1:${ports.front}`,
        "/etc/apache2/photos.htpasswd": passwords(folder),
        "/etc/apache2/daypass.lua": write(folder, "daypass.lua", block("apache-lua", {})),
        "/run/apache2/apache2.pid": `${folder}/pid`,
        "/var/log/apache2/error.log": `${folder}/error.log`,
        "file:/run/apache2": `file:${folder}`,
      });
      const file = write(folder, "apache.conf", `ServerRoot ${folder}\nDefaultRuntimeDir ${folder}\n${config}`);
      return spawn("/usr/sbin/apache2", ["-X", "-f", file]);
    },
  ],
  Varnish: [
    ["varnishd", ...VARNISH_MODULES],
    (folder, ports) => {
      const port = (own: number, other: number) => [`.port = "${own}"`, `.port = "${other}"`];
      const changes = Object.fromEntries([port(2342, ports.app), port(8080, ports.gateway), port(8083, ports.auth)]);
      const config = write(folder, "default.vcl", block("varnish", changes));
      const args = [
        "-F",
        "-n",
        join(folder, "work"),
        "-a",
        `127.0.0.1:${ports.front}`,
        "-f",
        config,
        "-s",
        "malloc,16m",
      ];
      return spawn("/usr/sbin/varnishd", args);
    },
  ],
};

export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** One request over its own connection: clients would change the path, and keep a Secure cookie. */
export function ask(
  port: number,
  target: string,
  headers: Readonly<Record<string, string>> = {},
  method = "GET",
  body = "",
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let got = "";
    socket.on("data", (chunk: Buffer) => {
      got += chunk.toString("latin1");
    });
    socket.on("error", reject);
    socket.on("close", () => {
      const [head = "", text = ""] = got.split(/\r\n\r\n(.*)/s);
      resolve({ status: Number(got.slice(9, 12)), head, body: text });
    });
    const length: Record<string, string> = body === "" ? {} : { "content-length": String(body.length) };
    const fields = Object.entries({ host: "photos.example.com", connection: "close", ...length, ...headers });
    socket.write(
      `${method} ${target} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`,
    );
  });
}

export const BROWSER = { accept: "text/html,*/*;q=0.8", "user-agent": "Mozilla/5.0" };

/** A gateway and a proxy in front of an app, as the guide configures them, and a visit of `/album/7/` for Zoë. */
export interface Album {
  readonly front: number;
  readonly gateway: Running;
  readonly link: { readonly id: string };
  /** The cookie of the visit. */
  readonly cookie: string;
  get(target: string, headers?: Readonly<Record<string, string>>, method?: string, body?: string): Promise<Answer>;
  /** `daypass links` with these arguments. */
  links(...args: readonly string[]): Promise<CreatedLink>;
}

interface CreatedLink {
  readonly id: string;
  readonly recipients: readonly { readonly name: string; readonly url: string }[];
}

/** Starts both until the end of the test. */
export async function openAlbum(name: string, start: StartProxy, app: number): Promise<Album> {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  const [front, gatewayPort, auth, fastcgi] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const ports: Ports = { front, app, gateway: gatewayPort, auth, fastcgi };
  mkdirSync(join(folder, "files/album"), { recursive: true });
  write(folder, "keys.json", JSON.stringify({ keys: [KEY] }));
  const config = block("daypass", {
    "/srv/daypass": join(folder, "files"),
    "8080": String(gatewayPort),
    "127.0.0.1:8083": `127.0.0.1:${auth}`,
    "127.0.0.1:8084": `127.0.0.1:${fastcgi}`,
    '"publicUrl"': '"urlKeySetFile": "keys.json",\n  "publicUrl"',
  });
  const gateway = await serve("--config", write(folder, "daypass.json", config));
  const links: Album["links"] = async (...args) => {
    const { status, stdout, stderr } = await daypassProcess([
      "links",
      ...args,
      "--state",
      join(folder, "files/.daypass"),
      "--json",
    ]);
    expect([status, stderr]).toEqual([0, ""]);
    return JSON.parse(stdout) as CreatedLink;
  };
  const get: Album["get"] = (target, headers, method, body) => ask(front, target, headers, method, body);
  await waitForProxy(name, start(folder, ports), () => get("/").then(({ status }) => status === 401));

  // Three visitors, each with their own address.
  const link = await links(
    "create",
    "route:/album/7/",
    ...["Ann", "Ben", "Zoë"].flatMap((one) => ["--to", one]),
    "--expires-in",
    "7d",
  );
  const address = link.recipients.find((one) => one.name === "Zoë")?.url ?? "";
  expect(address).toMatch(/^https:\/\/photos\.example\.com\/-\/daypass\/l\/\w{22}$/);
  const path = address.slice(ORIGIN.length);
  const shown = await get(path, BROWSER);
  const [, claim = ""] = /name="claim" value="([\w-]+)"/.exec(shown.body) ?? [];
  const form = { ...BROWSER, "content-type": "application/x-www-form-urlencoded" };
  const pressed = await get(path, form, "POST", `claim=${claim}`);
  expect([shown.status, pressed.status]).toEqual([200, 303]);
  expect(pressed.head).toMatch(/\r\nlocation: (?:https?:\/\/photos\.example\.com(?::\d+)?)?\/album\/7\/\r\n/i);
  const cookie = [...pressed.head.matchAll(/set-cookie: (dp-[^;]+)/gi)].map(([, pair]) => pair).join("; ");
  return { front, gateway, link, cookie, get, links };
}

/** Waits until the proxy answers, and stops it at the end of the test. */
export async function waitForProxy(name: string, proxy: ChildProcess, isUp: () => Promise<boolean>): Promise<void> {
  let log = "";
  for (const stream of [proxy.stdout, proxy.stderr]) stream?.on("data", (chunk: Buffer) => (log += chunk));
  onTestFinished(async () => {
    if (proxy.exitCode === null && proxy.kill("SIGTERM")) await once(proxy, "exit");
  });
  while (!(await isUp().catch(() => false))) {
    if (proxy.exitCode !== null) throw new Error(`${name} ended: ${log}`);
    await sleep(50);
  }
}
