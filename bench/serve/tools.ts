import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** The Debian package of each command that the bench runs, and of each module by its path. */
const PACKAGES: Readonly<Record<string, string>> = {
  nginx: "nginx",
  "/usr/lib/nginx/modules/ngx_http_js_module.so": "libnginx-mod-http-js",
  radosgw: "radosgw",
  "radosgw-admin": "ceph-common",
  taskset: "util-linux",
  wrk: "wrk",
};

/** Why something cannot be measured here, or `undefined` if all of these commands and modules are installed. */
export function missingTools(...commands: readonly string[]): string | undefined {
  const missing = commands.filter((command) => !installed(command));
  if (missing.length === 0) return undefined;
  return `apt-get install ${missing.map((command) => PACKAGES[command] ?? command).join(" ")}`;
}

function installed(command: string): boolean {
  if (command.startsWith("/")) return existsSync(command);
  return [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"].some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
