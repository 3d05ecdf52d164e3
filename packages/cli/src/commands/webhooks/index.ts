import { defaultTypes, notificationTypes } from "@daypass/gateway/state";
import type { AdminAnswer, AdminClient } from "../../admin/admin-client.ts";
import { ADMIN_HELP, ADMIN_OPTIONS, withAdmin } from "../../admin/admin-options.ts";
import { parseArguments, word } from "../../arguments.ts";
import { type Command, type Context, type ExitStatus, print, UsageError } from "../../command.ts";
import { idOf } from "../links/index.ts";

const OTHERS = `others: ${notificationTypes.filter((type) => !defaultTypes.includes(type)).join(", ")}`
  .replace(/(.{1,95}(?:,|$)) ?/g, `${" ".repeat(24)}$1\n`)
  .trimEnd();

const HELP = `daypass webhooks add URL        announce deliveries of all links to a URL; prints its secret once
daypass webhooks list           list the webhooks
daypass webhooks remove ID      remove one, with all that it has not received
daypass webhooks dead           list notifications that were given up
daypass webhooks resend ID      send one of them again, or all of a webhook

  --event TYPE          what to announce; repeat it for more (default: ${defaultTypes.join(" and ")})
${OTHERS}
  --link ID             only this link
${ADMIN_HELP}`;

const OPTIONS = {
  event: { type: "string", multiple: true },
  link: { type: "string" },
  ...ADMIN_OPTIONS,
} as const;

type Values = ReturnType<typeof parseArguments<typeof OPTIONS>>["values"];

interface Call {
  readonly client: AdminClient;
  readonly argument: string;
  readonly values: Values;
}

type Webhook = AdminAnswer<"POST /webhooks">;
type DeadLetter = AdminAnswer<"GET /dead-letters">["items"][number];
type Resource = Webhook | DeadLetter | AdminAnswer<"POST /webhooks/{id}/resend">;

/** Every action by its name: whether it takes an argument, and what it returns. */
const ACTIONS: Readonly<Record<string, { readonly takes?: string; run(call: Call): Promise<readonly Resource[]> }>> = {
  add: {
    takes: "a URL",
    async run({ client, argument, values }) {
      const link = values.link === undefined ? undefined : idOf(values.link);
      const events = values.event as Webhook["events"] | undefined;
      return [(await client.call("POST /webhooks", { body: { url: argument, events, link } })).body];
    },
  },
  list: { run: async ({ client }) => (await client.call("GET /webhooks", {})).body.items },
  remove: {
    takes: "an id",
    async run({ client, argument }) {
      await client.call("DELETE /webhooks/{id}", { params: { id: argument } });
      return [];
    },
  },
  dead: { run: async ({ client }) => (await client.call("GET /dead-letters", {})).body.items },
  resend: {
    takes: "an id",
    async run({ client, argument }) {
      const kind = /^\d{1,15}$/.test(argument) ? "dead-letters" : "webhooks";
      return [(await client.call(`POST /${kind}/{id}/resend`, { params: { id: argument } })).body];
    },
  },
};

export const webhooksCommand: Command = {
  help: HELP,
  async run(args, context) {
    const { values, positionals } = parseArguments(args, OPTIONS);
    const [name = "", argument, ...more] = positionals;
    word("the action", name, Object.keys(ACTIONS));
    const action = ACTIONS[name];
    if (more.length > 0 || (action?.takes === undefined) !== (argument === undefined))
      throw new UsageError(`webhooks ${name} takes ${action?.takes ?? "no argument"}`);
    return withAdmin<ExitStatus>(values, context, async (client) => {
      for (const one of (await action?.run({ client, argument: argument ?? "", values })) ?? []) {
        await show(one, values, context);
      }
      return 0;
    });
  },
};

async function show(one: Resource, { json }: Values, { stdout }: Context): Promise<void> {
  await print(stdout, json === true ? JSON.stringify(one) : text(one));
}

function text(one: Resource): string {
  if ("resent" in one) return `${one.resent} will be sent again`;
  if ("webhook" in one) {
    const { id, createdAt, webhook, link, failures, error } = one;
    return `${id}  ${createdAt}  webhook ${webhook}  link ${link}  failed ${failures} times, last: ${error}`;
  }
  const { id, url, events, link, secret } = one;
  const row = [id, url, events.join(","), link && `link ${link}`].filter(Boolean).join("  ");
  return secret === undefined
    ? row
    : `${row}\nsecret: ${secret}   (shown once: the receiver checks signatures with it)`;
}
