import type { Context } from "../command.ts";
import { stateFolder } from "../state/state-folder.ts";
import { type AdminClient, adminClient } from "./admin-client.ts";

/** Options of every command that calls the admin API. */
export const ADMIN_OPTIONS = {
  state: { type: "string" },
  admin: { type: "string" },
  json: { type: "boolean" },
} as const;

export const ADMIN_HELP = `  --state DIR           the gateway's state, or the folder it serves (default: DAYPASS_STATE, else ./.daypass)
  --admin URL           the admin API of a gateway elsewhere, with the token in DAYPASS_ADMIN_TOKEN
  --json                print the resource as the admin API returns it`;

/** Runs a command's work with a connection to the admin API, and closes it. */
export async function withAdmin<T>(
  { state, admin }: { readonly state?: string | undefined; readonly admin?: string | undefined },
  { env }: Pick<Context, "env">,
  work: (client: AdminClient) => Promise<T>,
): Promise<T> {
  const client = await adminClient({ folder: stateFolder(state, env), admin, env });
  return work(client).finally(() => client.close());
}
