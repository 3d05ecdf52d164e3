import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../tools/free-port.ts";
import { send } from "../send.ts";
import { temporaryFolder } from "./temporary.ts";

/** nginx with one server whose locations check links. */
export interface Nginx {
  readonly origin: string;
  stop(): Promise<void>;
}

const BINARY = "/usr/sbin/nginx";

/** Starts nginx from Debian with `locations` in its one server. */
export async function startNginx(locations: string): Promise<Nginx> {
  const folder = temporaryFolder();
  const port = await freePort();
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder.path}/${name};`)
    .join(" ");
  const config = `
daemon off; worker_processes 1; pid ${folder.path}/pid; error_log ${folder.path}/error.log;
events { worker_connections 64; }
http {
  ${temp} access_log off; default_type text/plain;
  server { listen 127.0.0.1:${port}; server_name files.example.com; ${locations} }
}`;
  writeFileSync(join(folder.path, "nginx.conf"), config);
  const child: ChildProcess = spawn(BINARY, ["-p", folder.path, "-c", join(folder.path, "nginx.conf")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr?.on("data", (text) => {
    said += text;
  });
  const origin = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + 10_000;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`nginx ended: ${said}`);
    try {
      await send({ method: "GET", url: `${origin}/` });
      break;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return {
    origin,
    async stop() {
      const gone = child.exitCode === null ? once(child, "exit") : undefined;
      child.kill("SIGTERM");
      await gone;
      folder.remove();
    },
  };
}
