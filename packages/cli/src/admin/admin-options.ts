import { existsSync } from "node:fs";
import { CommandError, type Context } from "../command.ts";
import { runningStates } from "../state-folder/link-files.ts";
import { expectStateExists, STATE_FOLDER, stateFolder } from "../state-folder/state-folder.ts";
import { type AdminClient, adminClient } from "./admin-client.ts";

/** Options of every command that calls the admin API. */
export const ADMIN_OPTIONS = {
  state: { type: "string" },
  admin: { type: "string" },
  json: { type: "boolean" },
} as const;

export const ADMIN_HELP = `  --state DIR           the gateway's state, or the folder it serves (default: DAYPASS_STATE, else ./.daypass, else the
                        state of the one gateway that you run on this machine)
  --admin URL           the admin API of a gateway elsewhere, with the token in DAYPASS_ADMIN_TOKEN
  --json                print the resource as the admin API returns it`;

/** Runs a command's work with a connection to the admin API, and closes it. */
export async function withAdmin<T>(
  { state, admin }: { readonly state?: string | undefined; readonly admin?: string | undefined },
  { env }: Pick<Context, "env">,
  work: (client: AdminClient) => Promise<T>,
): Promise<T> {
  const client = await adminClient({ folder: admin === undefined ? linkState(state, env) : "", admin, env });
  return work(client).finally(() => client.close());
}

/** The state folder of a command by options and environment, else `.daypass` in this folder, else the state of the only running gateway. */
export function linkState(option: string | undefined, env: Context["env"]): string {
  const folder = stateFolder(option, env);
  if (option !== undefined || env["DAYPASS_STATE"]) {
    expectStateExists(folder);
    return folder;
  }
  if (existsSync(STATE_FOLDER)) return folder;
  const [running, another] = runningStates(env);
  if (running === undefined)
    throw new CommandError(
      "no gateway of yours runs on this machine, and this folder has no .daypass. Name the folder that was served with --state.",
    );
  if (another !== undefined)
    throw new CommandError(
      `several gateways run on this machine. Choose one: --state ${runningStates(env).join(" or --state ")}`,
    );
  return running;
}
