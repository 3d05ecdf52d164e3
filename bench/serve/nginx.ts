import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type UrlHmacKey, type UrlSignRequest, urlSigner } from "daypass/url";
import { cliPath } from "./cli.ts";
import { freePort, listening, start, stop } from "./process.ts";

export interface Nginx {
  readonly pid: number | undefined;
  readonly url: (key: string) => string;
  stop(): Promise<void>;
}

const SECRET = "K";

interface Options {
  readonly root: string;
  readonly state: string;
  readonly sendfile: boolean;
}

/** One worker of nginx on core 0 that checks `secure_link` (MD5, the only one it has) and writes its access log. */
export async function startNginx(options: Options): Promise<Nginx> {
  const port = await freePort();
  const location = `secure_link $arg_md5,$arg_expires;
      secure_link_md5 "$secure_link_expires$uri ${SECRET}";
      if ($secure_link = "") { return 403; }
      if ($secure_link = "0") { return 410; }`;
  const { pid, stop } = await run(port, configuration({ ...options, port, location }), options.state);
  const expires = Math.floor(Date.now() / 1000) + 3600;
  const url = (key: string): string => {
    const md5 = createHash("md5").update(`${expires}/b/${key} ${SECRET}`).digest("base64url");
    return `http://127.0.0.1:${port}/b/${key}?md5=${md5}&expires=${expires}`;
  };
  return { pid, stop, url };
}

/** One worker on core 0 that forwards every request over kept connections, and writes its access log. */
export async function startProxyNginx(options: Options & { readonly upstream: string }): Promise<Nginx> {
  const port = await freePort();
  const http = `upstream app { server ${options.upstream}; keepalive 64; }`;
  const location = 'proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";';
  const { pid, stop } = await run(port, configuration({ ...options, port, http, location }), options.state);
  return { pid, stop, url: (key) => `http://127.0.0.1:${port}/b/${key}` };
}

export const KEY: UrlHmacKey = {
  kty: "oct",
  alg: "HS256",
  kid: "k1",
  k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
};

/** The module of nginx that runs the script of `daypass edge nginx`. */
export const NJS = "/usr/lib/nginx/modules/ngx_http_js_module.so";

/** The same nginx with the module of `daypass edge nginx`, and URLs with these constraints. */
export async function startEdgeNginx(
  options: Options,
  constraints: Omit<Partial<UrlSignRequest>, "url"> = {},
): Promise<Nginx> {
  const port = await freePort();
  const [origin, out] = [`http://127.0.0.1:${port}`, `${options.state}/edge`];
  execFileSync(process.execPath, [cliPath, "edge", "nginx", "--origin", origin, "--out", out], {
    env: { ...process.env, DAYPASS_KEY: JSON.stringify(KEY) },
    stdio: "ignore",
  });
  const include = (name: string): string => readFileSync(`${out}/daypass-${name}.conf`, "utf8");
  const parts = { http: include("http"), server: include("server"), location: include("verify") };
  const config = configuration({ ...options, port, ...parts });
  const { pid, stop } = await run(port, `load_module ${NJS};\n${config}`, options.state);
  const signer = urlSigner({ key: KEY });
  return { pid, stop, url: (key) => signer.sign({ url: `${origin}/b/${key}`, expiresIn: 3600, ...constraints }).url };
}

async function run(port: number, config: string, state: string): Promise<Pick<Nginx, "pid" | "stop">> {
  mkdirSync(`${state}/temp`, { recursive: true });
  const file = `${state}/nginx.conf`;
  writeFileSync(file, config);
  const child = start("0", ["nginx", "-c", file, "-e", `${state}/error.log`]);
  await listening(port);
  return { pid: child.pid, stop: () => stop(child) };
}

interface Settings extends Options {
  readonly port: number;
  readonly http?: string;
  readonly server?: string;
  readonly location: string;
}
// `sendfile` with `tcp_nopush` is how Debian ships it; without it, nginx reads and writes as any other server has to.
function configuration({ root, state, port, sendfile, http = "", server = "", location }: Settings): string {
  return `daemon off;
worker_processes 1;
pid ${state}/nginx.pid;
user ${process.getuid?.() === 0 ? "root" : process.env["USER"]};
events {}
http {
  access_log ${state}/access.log;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${state}/temp/${name};`).join("\n  ")}
  keepalive_requests 1000000;
  ${sendfile ? "sendfile on;\n  tcp_nopush on;" : "sendfile off;\n  output_buffers 2 512k;"}
  ${http}
  server {
    listen 127.0.0.1:${port};
    ${server}
    location / {
      root ${root};
      ${location}
    }
  }
}
`;
}
