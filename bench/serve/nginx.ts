import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { freePort, listening, start, stop } from "./process.ts";

export interface Nginx {
  readonly pid: number | undefined;
  readonly url: (key: string) => string;
  stop(): Promise<void>;
}

const SECRET = "K";

/** One worker of nginx on core 0 that checks `secure_link` (MD5, the only one it has) and writes its access log. */
export async function startNginx({
  root,
  state,
  sendfile,
}: {
  root: string;
  state: string;
  sendfile: boolean;
}): Promise<Nginx> {
  const port = await freePort();
  mkdirSync(`${state}/temp`, { recursive: true });
  const config = `${state}/nginx.conf`;
  writeFileSync(config, configuration({ root, state, port, sendfile }));
  const child = start("0", ["nginx", "-c", config, "-e", `${state}/error.log`]);
  await listening(port);
  const expires = Math.floor(Date.now() / 1000) + 3600;
  return {
    pid: child.pid,
    url: (key) => {
      const md5 = createHash("md5").update(`${expires}/b/${key} ${SECRET}`).digest("base64url");
      return `http://127.0.0.1:${port}/b/${key}?md5=${md5}&expires=${expires}`;
    },
    stop: () => stop(child),
  };
}

interface Settings {
  readonly root: string;
  readonly state: string;
  readonly port: number;
  readonly sendfile: boolean;
}

// `sendfile` with `tcp_nopush` is how Debian ships it; without it, nginx reads and writes as any other server has to.
function configuration({ root, state, port, sendfile }: Settings): string {
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
  server {
    listen 127.0.0.1:${port};
    location / {
      root ${root};
      secure_link $arg_md5,$arg_expires;
      secure_link_md5 "$secure_link_expires$uri ${SECRET}";
      if ($secure_link = "") { return 403; }
      if ($secure_link = "0") { return 410; }
    }
  }
}
`;
}
