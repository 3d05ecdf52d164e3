import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { promisify } from "node:util";
import { freePort } from "../../tools/free-port.ts";
import { listening } from "../../tools/listening.ts";
import { send } from "../send.ts";
import { temporaryFolder } from "./temporary.ts";

/** OpenStack's object store, which invented the TempURL: a proxy with one server behind it for each kind of ring. */
export interface Swift {
  readonly endpoint: string;
  readonly account: string;
  /** The two keys of the account, and the one of `container`. */
  readonly keys: { readonly first: string; readonly second: string; readonly container: string };
  readonly container: string;
  /** For its S3 API. */
  readonly s3: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** A request with the token of the account's owner. */
  asOwner(request: {
    readonly method: string;
    /** Below the account. */
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  }): ReturnType<typeof send>;
  stop(): Promise<void>;
}

const SLOW = { name: "Swift", seconds: 60 };
const RINGS = ["account", "container", "object"] as const;
const account = "AUTH_test";
const container = "media";
const s3 = { accessKeyId: "test:tester", secretAccessKey: "testing" };
const keys = { first: "first key", second: "a second key ".repeat(9).trim(), container: "ключ" };

/** Starts five processes on loopback, and sets the keys. A second and a half. */
export async function startSwift(): Promise<Swift> {
  const folder = temporaryFolder();
  const children: ChildProcess[] = [];
  const run = (command: string, args: readonly string[]): void => {
    children.push(spawn(command, args, { stdio: "ignore", env: { PATH: process.env["PATH"] } }));
  };
  const stop = async (): Promise<void> => {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    folder.remove();
  };
  try {
    const [proxy, memcached, ...ports] = await Promise.all([0, 1, 2, 3, 4].map(freePort));
    for (const name of ["srv/d1", "recon"]) mkdirSync(`${folder.path}/${name}`, { recursive: true });
    writeFileSync(`${folder.path}/swift.conf`, CLUSTER);
    run("memcached", ["-u", userInfo().username, "-l", "127.0.0.1", "-p", String(memcached), "-U", "0"]);
    await Promise.all(
      RINGS.map(async (ring, at) => {
        const port = ports[at] as number;
        writeFileSync(`${folder.path}/${ring}.conf`, storageServer(ring, port, folder.path));
        await buildRing(ring, port, folder.path);
        run(`swift-${ring}-server`, [`${folder.path}/${ring}.conf`]);
        await listening(port, SLOW);
      }),
    );
    writeFileSync(`${folder.path}/proxy.conf`, proxyServer(proxy as number, memcached as number, folder.path));
    run("swift-proxy-server", [`${folder.path}/proxy.conf`]);
    await listening(proxy as number, SLOW);
    const endpoint = `http://127.0.0.1:${proxy}`;
    const asOwner = await owner(endpoint);
    await set(asOwner, "", { "x-account-meta-temp-url-key": keys.first, "x-account-meta-temp-url-key-2": keys.second });
    await set(asOwner, `/${container}`, { "x-container-meta-temp-url-key": keys.container });
    return { endpoint, account, keys, container, s3, asOwner, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function owner(endpoint: string): Promise<Swift["asOwner"]> {
  const login = { "x-auth-user": "test:tester", "x-auth-key": "testing" };
  const { headers } = await send({ method: "GET", url: `${endpoint}/auth/v1.0`, headers: login });
  const token = String(headers["x-auth-token"]);
  return ({ method, path, headers: more, body }) =>
    send({ method, url: `${endpoint}/v1/${account}${path}`, headers: { "x-auth-token": token, ...more }, body });
}

async function set(asOwner: Swift["asOwner"], path: string, keyHeaders: Readonly<Record<string, string>>) {
  // node:http writes headers as Latin-1, Swift reads UTF-8.
  const headers = Object.fromEntries(
    Object.entries(keyHeaders).map(([name, value]) => [name, Buffer.from(value).toString("latin1")]),
  );
  const { status } = await asOwner({ method: path === "" ? "POST" : "PUT", path, headers, body: "" });
  if (status >= 300) throw new Error(`Swift refuses the keys of ${path || "the account"}: ${status}`);
}

async function buildRing(ring: string, port: number, folder: string): Promise<void> {
  const builder = (...args: readonly string[]) =>
    promisify(execFile)("swift-ring-builder", [`${ring}.builder`, ...args], { cwd: folder });
  await builder("create", "4", "1", "0");
  const place = ["--region", "1", "--zone", "1", "--ip", "127.0.0.1", "--port", String(port), "--device", "d1"];
  await builder("add", ...place, "--weight", "1");
  await builder("rebalance");
}

const CLUSTER = `[swift-hash]
swift_hash_path_suffix = suffix
swift_hash_path_prefix = prefix
[storage-policy:0]
name = gold
default = yes
`;

function common(port: number, folder: string): string {
  return `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
swift_dir = ${folder}
user = ${userInfo().username}
workers = 0
log_statsd_host =
`;
}

function storageServer(ring: string, port: number, folder: string): string {
  return `${common(port, folder)}devices = ${folder}/srv
mount_check = false
[pipeline:main]
pipeline = ${ring}-server
[app:${ring}-server]
use = egg:swift#${ring}
recon_cache_path = ${folder}/recon
`;
}

function proxyServer(port: number, memcached: number, folder: string): string {
  return `${common(port, folder)}[pipeline:main]
pipeline = catch_errors cache tempurl s3api tempauth copy proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:${memcached}
[filter:tempurl]
use = egg:swift#tempurl
methods = GET HEAD PUT POST DELETE
allowed_digests = sha1 sha256 sha512
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
location = us-east-1
[filter:copy]
use = egg:swift#copy
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
`;
}
