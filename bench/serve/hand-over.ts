import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cliPath } from "./cli.ts";
import { freePort, listening, start, stop } from "./process.ts";

/** A gateway behind nginx, both on core 0, whose links nginx sends by X-Accel-Redirect. */
export async function startHandOver({ root, state }: { root: string; state: string }): Promise<{
  url(key: string): string;
  stop(): Promise<void>;
}> {
  const [gateway, front] = [await freePort(), await freePort()];
  mkdirSync(`${state}/temp`, { recursive: true });
  const config = `${state}/daypass.json`;
  const handOver = { via: "x-accel-redirect", prefix: "/daypass-files/" };
  const origins = [`http://127.0.0.1:${front}`];
  const place = { root, state: `${state}/keys`, listen: { port: gateway }, origins };
  writeFileSync(config, JSON.stringify({ ...place, log: { requests: false }, links: { handOver } }));
  const server = start("0", [process.execPath, cliPath, "serve", "--config", config]);
  await listening(gateway);
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  writeFileSync(
    `${state}/nginx.conf`,
    `daemon off; worker_processes 1; pid ${state}/nginx.pid;
user ${process.getuid?.() === 0 ? "root" : process.env["USER"]};
events {}
http {
  access_log off; sendfile on; tcp_nopush on;
  ${temp.map((name) => `${name}_temp_path ${state}/temp/${name};`).join(" ")}
  server {
    listen 127.0.0.1:${front};
    location / { proxy_pass http://127.0.0.1:${gateway}; proxy_set_header Host $http_host; }
    location /daypass-files/ { internal; alias ${root}/; }
  }
}
`,
  );
  const nginx = start("0", ["nginx", "-c", `${state}/nginx.conf`, "-e", `${state}/error.log`]);
  await listening(front);
  const links = new Map<string, string>();
  return {
    url(key) {
      const create = [cliPath, "links", "create", `b/${key}`, "--hand-over", "--state", place.state, "--json"];
      const known = links.get(key) ?? JSON.parse(execFileSync(process.execPath, create, { encoding: "utf8" })).url;
      links.set(key, known);
      return known;
    },
    async stop() {
      await stop(nginx);
      await stop(server);
    },
  };
}
