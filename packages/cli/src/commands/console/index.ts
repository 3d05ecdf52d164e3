import { spawn } from "node:child_process";
import { join } from "node:path";
import { adminClient } from "../../admin/admin-client.ts";
import { linkState } from "../../admin/admin-options.ts";
import { parseArguments } from "../../arguments.ts";
import { type Command, type Context, print, UsageError } from "../../command.ts";
import { replaceStateFile } from "../../state-folder/files.ts";

const HELP = `daypass console   let a browser on this machine look after the links of a running gateway

Prints an address that opens the console once, within a minute, and opens it where there is a desktop. The gateway needs a listener: admin.listen
of its configuration. A session ends after 12 hours.

  --state DIR           the gateway's state, or the folder it serves (default: DAYPASS_STATE, else ./.daypass, else the
                        state of the one gateway that you run on this machine)
  --no-open             only print the address
  --json                print the address as JSON`;

const OPTIONS = {
  state: { type: "string" },
  "no-open": { type: "boolean" },
  json: { type: "boolean" },
} as const;

export const consoleCommand: Command = {
  help: HELP,
  async run(args, { env, stdout }) {
    const { values, positionals } = parseArguments(args, OPTIONS);
    if (positionals.length > 0) throw new UsageError("console takes no argument");
    const folder = linkState(values.state, env);
    const client = await adminClient({ folder, env });
    try {
      const { url } = (await client.call("POST /tickets", {})).body;
      if (values.json === true) {
        await print(stdout, JSON.stringify({ url }));
        return 0;
      }
      await print(stdout, `${url}\n\nOpens once, within a minute.`);
      if (values["no-open"] !== true) openInBrowser(folder, url, env);
      return 0;
    } finally {
      await client.close();
    }
  },
};

/** What opens a file on a desktop. `undefined` without one. */
function openerOf(env: Context["env"]): readonly string[] | undefined {
  if (process.platform === "darwin") return ["open"];
  if (process.platform === "win32") return ["cmd", "/c", "start", ""];
  return (env["DISPLAY"] || env["WAYLAND_DISPLAY"]) && process.geteuid?.() !== 0 ? ["xdg-open"] : undefined;
}

/** Opens an address by a file that only this user can read: every user of the machine sees the arguments of a process. */
function openInBrowser(folder: string, url: string, env: Context["env"]): void {
  const [command, ...args] = openerOf(env) ?? [];
  if (command === undefined) return;
  const page = join(folder, "console.html");
  replaceStateFile(page, `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=${url}">`);
  spawn(command, [...args, page], { detached: true, stdio: "ignore", env })
    .on("error", () => undefined)
    .unref();
}
