import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { urlSigner } from "daypass/url";
import { describe, expect, test } from "vitest";
import { freePort } from "../../../tools/free-port.ts";
import { needs } from "../../../tools/needs.ts";
import { temporaryFolder } from "./command.ts";
import { guideBlock } from "./guide-block.ts";
import { KEY, waitForProxy, write } from "./protected-album.ts";
import { serve } from "./serving.ts";
import { askWitness, startWitness, TRICKS } from "./wsgi-witness.ts";

const ORIGIN = "https://files.example.com";
const PAGE = "guide/on-a-server.md";
const page = readFileSync(new URL(`../../../docs/${PAGE}`, import.meta.url), "utf8");
// Debian's module of Apache has no command. A missing package is a missing command, for which nothing may be skipped under CI=true.
const XSENDFILE = existsSync("/usr/lib/apache2/modules/mod_xsendfile.so") ? [] : ["libapache2-mod-xsendfile"];

interface Place {
  readonly folder: string;
  readonly front: number;
  readonly gateway: number;
}

/** A directive that the guide gives in a sentence. */
function sentence(text: string): string {
  expect(page).toContain(`\`${text}\``);
  return text;
}

function nginx({ folder }: Place, servers: string): ChildProcess {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((n) => `${n}_temp_path ${folder}/${n};`);
  const config = `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 64; }
http { access_log off; ${temporary.join(" ")} ${servers} }`;
  const file = write(folder, "nginx.conf", config);
  return spawn("/usr/sbin/nginx", ["-p", folder, "-e", `${folder}/error.log`, "-c", file]);
}

function apache({ folder }: Place, config: string): ChildProcess {
  const file = write(folder, "apache.conf", `ServerRoot ${folder}\nDefaultRuntimeDir ${folder}\n${config}`);
  return spawn("/usr/sbin/apache2", ["-X", "-f", file]);
}

const PROXIES: Readonly<Record<string, readonly [commands: readonly string[], start: (place: Place) => ChildProcess]>> =
  {
    nginx: [
      ["nginx"],
      (place) =>
        nginx(
          place,
          guideBlock(PAGE, "nginx", {
            "127.0.0.1:8080": `127.0.0.1:${place.gateway}`,
            "listen 443 ssl": `listen 127.0.0.1:${place.front}`,
            "ssl_certificate /etc/ssl/files.pem;": "",
            "ssl_certificate_key /etc/ssl/files.key;": "",
          }),
        ),
    ],
    "nginx that sends the bytes of links": [
      ["nginx"],
      (place) =>
        nginx(
          place,
          guideBlock("links.md", "nginx", {
            "127.0.0.1:8080": `127.0.0.1:${place.gateway}`,
            "listen 443 ssl": `listen 127.0.0.1:${place.front}`,
          }),
        ),
    ],
    Apache: [
      ["apache2"],
      (place) => {
        const { folder, front, gateway } = place;
        const modules = ["mpm_event", "authz_core", "headers", "proxy", "proxy_http"].map(
          (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so\n`,
        );
        const own = `User www-data\nGroup www-data\nPidFile ${folder}/pid\nErrorLog ${folder}/error.log\nMutex file:${folder}\n`;
        const site = guideBlock(PAGE, "apache", { "127.0.0.1:8080": `127.0.0.1:${gateway}` });
        return apache(
          place,
          `${modules.join("")}${own}Listen 127.0.0.1:${front}\nServerName files.example.com\n${site}`,
        );
      },
    ],
    "Apache that sends the bytes of links": [
      ["apache2", ...XSENDFILE],
      (place) =>
        apache(
          place,
          guideBlock("links.md", "apache", {
            "127.0.0.1:8080": `127.0.0.1:${place.gateway}`,
            "Listen 80": `Listen 127.0.0.1:${place.front}`,
            "/run/apache2/apache2.pid": `${place.folder}/pid`,
            "/var/log/apache2/error.log": `${place.folder}/error.log`,
            "file:/run/apache2": `file:${place.folder}`,
          }),
        ),
    ],
    Caddy: [
      ["caddy"],
      ({ folder, front, gateway }) => {
        const proxy = sentence("reverse_proxy 127.0.0.1:8080").replace("8080", `${gateway}`);
        const site = `{\n\tadmin off\n}\nhttp://files.example.com:${front} {\n\tbind 127.0.0.1\n\t${proxy}\n}\n`;
        const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
        return spawn("caddy", ["run", "--adapter", "caddyfile", "--config", write(folder, "Caddyfile", site)], { env });
      },
    ],
    HAProxy: [
      ["haproxy"],
      ({ folder, front, gateway }) => {
        const config = `defaults
  ${sentence("mode http")}
  ${sentence("option forwardfor")}
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen files
  bind 127.0.0.1:${front}
  server gateway 127.0.0.1:${gateway}
`;
        return spawn("/usr/sbin/haproxy", ["-f", write(folder, "haproxy.cfg", config)]);
      },
    ],
    lighttpd: [
      ["lighttpd"],
      ({ folder, front, gateway }) => {
        const site = guideBlock(PAGE, "lighttpd", { "8080": `${gateway}` });
        const own = `server.modules = ("mod_proxy")\nserver.document-root = "${folder}"\nserver.bind = "127.0.0.1"\nserver.port = ${front}\n`;
        return spawn("/usr/sbin/lighttpd", ["-D", "-f", write(folder, "lighttpd.conf", own + site)]);
      },
    ],
    Varnish: [
      ["varnishd"],
      ({ folder, front, gateway }) => {
        const backend = `backend gateway { .host = "127.0.0.1"; .port = "${gateway}"; }`;
        const file = write(folder, "own.vcl", `vcl 4.1;\n${backend}\n${sentence("sub vcl_recv { return (pipe); }")}\n`);
        const own = ["-n", join(folder, "work"), "-a", `127.0.0.1:${front}`, "-s", "malloc,16m"];
        return spawn("/usr/sbin/varnishd", ["-F", ...own, "-f", file]);
      },
    ],
    Squid: [
      ["squid"],
      ({ folder, front, gateway }) => {
        const tls = " tls-cert=/etc/ssl/files.pem tls-key=/etc/ssl/files.key";
        const port = { "https_port 443": `http_port 127.0.0.1:${front}`, [tls]: "", "8080": `${gateway}` };
        const own = `pid_filename none\ncache_log ${folder}/cache.log\naccess_log none\nvisible_hostname localhost\nshutdown_lifetime 0 seconds\n`;
        const config = write(folder, "squid.conf", own + guideBlock(PAGE, "squid", port));
        return spawn("/usr/sbin/squid", ["-N", "-f", config]);
      },
    ],
    nghttpx: [
      ["nghttpx"],
      ({ folder, front, gateway }) => {
        const own = ["-f", `127.0.0.1,${front};no-tls`, "-b", `127.0.0.1,${gateway}`];
        const config = write(folder, "nghttpx.conf", "workers=1\n");
        return spawn("/usr/sbin/nghttpx", [...own, `--conf=${config}`, sentence("--add-x-forwarded-for")]);
      },
    ],
  };

/** A gateway with a route to a WSGI application, which believes the addresses that a proxy on this machine writes. */
async function startRoute(folder: string): Promise<{ readonly gateway: number; readonly target: string }> {
  // Varnish and the workers of nginx are other users.
  chmodSync(folder, 0o755);
  const [gateway, app] = [await freePort(), await startWitness()];
  mkdirSync(join(folder, "files"));
  write(folder, "keys.json", JSON.stringify({ keys: [KEY] }));
  const config = {
    root: join(folder, "files"),
    listen: { port: gateway },
    publicUrl: ORIGIN,
    trustedProxies: ["127.0.0.1"],
    urlKeySetFile: "keys.json",
    routes: [{ origin: ORIGIN, prefix: "/app/", upstream: `http://127.0.0.1:${app}` }],
  };
  await serve("--config", write(folder, "daypass.json", JSON.stringify(config)));
  const { url } = urlSigner({ key: KEY }).sign({ url: `${ORIGIN}/app/7`, expiresIn: 600 });
  return { gateway, target: url.slice(ORIGIN.length) };
}

const ask = (port: number, target: string, headers: readonly string[] = []) =>
  askWitness(port, target, ["Host", "files.example.com", ...headers], "127.0.0.2");

/** The tricks after which the application received a forged header, another identity or another address. */
async function successfulTricks(port: number, target: string): Promise<readonly string[]> {
  const successful: string[] = [];
  for (const [trick, ...headers] of TRICKS) {
    const { status, forged, identity, environment } = await ask(port, target, headers);
    const isRefused = headers.length > 0 && status >= 400 && status < 500;
    const isWhole =
      identity.join() === "HTTP_DAYPASS_GRANT,HTTP_DAYPASS_KEY" &&
      environment["HTTP_DAYPASS_KEY"] === KEY.kid &&
      environment["HTTP_X_FORWARDED_FOR"] === "127.0.0.2";
    if (forged || !(isRefused || isWhole)) successful.push(`${trick}: ${status} ${JSON.stringify(environment)}`);
  }
  return successful;
}

const TITLE = "an upstream route passes no forged header, and the address of the client,";

describe.each(Object.entries(PROXIES))("behind %s", (name, [commands, start]) => {
  const missing = needs(...commands, "python3");

  test.skipIf(missing)(`${TITLE} as the guide configures the proxy${missing ?? ""}`, { timeout: 120_000 }, async () => {
    const folder = temporaryFolder();
    const { gateway, target } = await startRoute(folder);
    const front = await freePort();
    const proxy = start({ folder, front, gateway });
    await waitForProxy(name, proxy, () => ask(front, target).then(({ status }) => status === 200));
    expect(await successfulTricks(front, target)).toEqual([]);
  });
});

const missing = needs("python3");
test.skipIf(missing)(`${TITLE} without a proxy${missing ?? ""}`, { timeout: 120_000 }, async () => {
  const { gateway, target } = await startRoute(temporaryFolder());
  expect(await successfulTricks(gateway, target)).toEqual([]);
});
