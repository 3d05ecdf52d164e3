import type { AdminCalls } from "@daypass/gateway/admin";
import type { AdminClient } from "../../admin/admin-client.ts";
import { ADMIN_HELP, ADMIN_OPTIONS, withAdmin } from "../../admin/admin-options.ts";
import { parseArguments, word } from "../../arguments.ts";
import { type Command, type Context, type ExitStatus, print, UsageError } from "../../command.ts";
import { table } from "../../terminal-text.ts";
import { bucketsOf, prefixOf } from "../keys/key-scope.ts";

const HELP = `daypass tokens create --scope SCOPE…   create a token of the admin API; prints it once, to standard output
daypass tokens list                    list the tokens, without secrets
daypass tokens revoke ID               end a token at once, and remove its webhooks

  --scope SCOPE         what the token may do: links:read, links:write, claims:write, keys:read, keys:write, audit:read
                        or objects:read; repeat it for more
  --bucket NAME         only links to this bucket, and keys for it; repeat it for more
  --prefix TEXT         only links to objects below this prefix, and keys for them
  --label TEXT          a name for the list
${ADMIN_HELP}`;

const OPTIONS = {
  scope: { type: "string", multiple: true },
  bucket: { type: "string", multiple: true },
  prefix: { type: "string" },
  label: { type: "string" },
  ...ADMIN_OPTIONS,
} as const;

type Values = ReturnType<typeof parseArguments<typeof OPTIONS>>["values"];

type TokenInput = AdminCalls["POST /tokens"]["request"]["body"];

interface Call {
  readonly client: AdminClient;
  readonly id: string;
  /** The properties of a new token. */
  readonly input: TokenInput;
  readonly values: Values;
  readonly context: Context;
}

/** Every action by its name: whether it takes an id, and what it does. */
const ACTIONS = {
  create: { takesId: false, run: create },
  list: { takesId: false, run: list },
  revoke: {
    takesId: true,
    run: async ({ client, id }) => void (await client.call("DELETE /tokens/{id}", { params: { id } })),
  },
} satisfies Readonly<Record<string, { readonly takesId: boolean; run(call: Call): Promise<void> }>>;

export const tokensCommand: Command = {
  help: HELP,
  async run(args, context) {
    const { values, positionals } = parseArguments(args, OPTIONS);
    const [action, id, ...more] = positionals;
    const name = word("the action", action, Object.keys(ACTIONS) as (keyof typeof ACTIONS)[]);
    const { takesId, run } = ACTIONS[name];
    if (more.length > 0 || takesId !== (id !== undefined))
      throw new UsageError(`tokens ${name} takes ${takesId ? "the id of a token" : "no argument"}`);
    const { scope, bucket, prefix, label } = values;
    const isForCreate = [scope, bucket, prefix, label].some((value) => value !== undefined);
    if (name !== "create" && isForCreate)
      throw new UsageError("--scope, --bucket, --prefix and --label are only for tokens create");
    if (name === "create" && scope === undefined)
      throw new UsageError("--scope is missing. Name what the token may do, such as --scope links:read");
    // The API refuses a scope that it does not know.
    const scopes = (scope ?? []) as TokenInput["scopes"];
    const input = { scopes, label, buckets: bucketsOf(values), prefix: prefixOf("s3", values) };
    return withAdmin<ExitStatus>(values, context, async (client) => {
      await run({ client, id: id ?? "", input, values, context });
      return 0;
    });
  },
};

async function create({ client, input, values, context: { stdout, stderr } }: Call): Promise<void> {
  const token = (await client.call("POST /tokens", { body: input })).body;
  await print(stdout, values.json === true ? JSON.stringify(token) : (token.token ?? ""));
  await print(stderr, `This token is shown only once. Its id for daypass tokens revoke is ${token.id}`);
}

async function list({ client, values, context: { stdout } }: Call): Promise<void> {
  const tokens = (await client.call("GET /tokens", {})).body.items;
  if (values.json === true) {
    for (const token of tokens) await print(stdout, JSON.stringify(token));
    return;
  }
  const rows = tokens.map(({ id, scopes, buckets, prefix, createdAt, revokedAt, label = "" }) => {
    const limits = [buckets && `buckets=${buckets.join(",")}`, prefix && `prefix=${prefix}`].filter(Boolean).join(" ");
    const state = revokedAt === undefined ? "active" : "revoked";
    return [id, state, createdAt.slice(0, 10), scopes.join(","), limits || "everything", label];
  });
  await print(stdout, table([["ID", "STATE", "CREATED", "SCOPES", "LIMITS", "LABEL"], ...rows]));
}
