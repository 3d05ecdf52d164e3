import { resolve } from "node:path";
import type { AdminCalls } from "@daypass/gateway/admin";
import type { AdminAnswer, AdminClient } from "../../admin/admin-client.ts";
import { ADMIN_HELP, ADMIN_OPTIONS, withAdmin } from "../../admin/admin-options.ts";
import { parseArguments, wholeNumber, word } from "../../arguments.ts";
import { type Command, type CommandError, type Context, type ExitStatus, print, UsageError } from "../../command.ts";
import { servingOf } from "../../state-folder/link-files.ts";
import { table } from "../../terminal-text.ts";
import { printNotes } from "./hidden-note.ts";
import { contentText, linkEntry } from "./link-entry.ts";
import { LINK_HELP, LINK_OPTIONS, linkEdit, newLink } from "./options.ts";
import { type Place, typedTargets } from "./typed-target.ts";

const HELP = `daypass links create TARGET [options]      share ./report.pdf, files/report.pdf, s3://bucket/key, files/holiday/
                                         or route:/album/7/ (a path of routes or forwardAuth)
daypass links create TARGET TARGET…        share several of one bucket as one folder
daypass links list                         list the links, newest first
daypass links show ID                      show one link
daypass links edit ID [options]            change what a link was created with, but not --slug, --public, --hand-over and --to
daypass links extend ID --expires-in TIME  let it expire later, counted from now
daypass links revoke ID                    end it at once, also running transfers
daypass links restore ID                   open a revoked link again; a token only one that it revoked itself
daypass links give-back ID [--count N]     allow further deliveries       [--to NAME] of one recipient
daypass links resume ID…                   open suspended links again
daypass links resume --all                 open every link again that a restore of the state suspended, and accept
                                         older URLs with uses again
daypass links deliveries ID                list who took it, and when
daypass links backup FILE                  write a copy of the state to a new file, while the gateway serves

Options of create and edit
${LINK_HELP}
Other
${ADMIN_HELP}`;

const OPTIONS = {
  ...LINK_OPTIONS,
  count: { type: "string" },
  all: { type: "boolean" },
  ...ADMIN_OPTIONS,
} as const;

type Values = ReturnType<typeof parseArguments<typeof OPTIONS>>["values"];

interface Call {
  readonly client: AdminClient;
  readonly id: string;
  readonly targets: readonly string[];
  /** Where the targets of a new link are, unless they are on a gateway elsewhere. */
  readonly place: Place | undefined;
  readonly values: Values;
  readonly context: Context;
}

type Link = AdminAnswer<"GET /links/{id}">;
type Delivery = AdminAnswer<"GET /links/{id}/deliveries">["items"][number];

/** Every action by its name. */
const ACTIONS: Readonly<Record<string, (call: Call) => Promise<Link | undefined>>> = {
  async create({ client, targets, place, values, context }) {
    const named = place?.targets ?? targets.map((target) => target.replace(/^s3:\/\//, ""));
    const body = await newLink(values, named, context);
    const { body: link } = await client.call("POST /links", { body });
    const root = place === undefined || servingOf(place.state) === undefined ? undefined : place.root;
    await printNotes(link, root, context);
    return link;
  },
  show: async ({ client, id }) => (await client.call("GET /links/{id}", { params: { id } })).body,
  edit: async ({ client, id, values, context }) => editLink(client, id, await linkEdit(values, context)),
  async extend({ client, id, values, context }) {
    const { expiresAt } = await linkEdit(values, context);
    if (expiresAt === undefined)
      throw new UsageError("--expires-in is missing. Say how long the link shall live from now.");
    return editLink(client, id, { expiresAt });
  },
  revoke: async ({ client, id }) => (await client.call("POST /links/{id}/revoke", { params: { id } })).body,
  restore: async ({ client, id }) => (await client.call("POST /links/{id}/restore", { params: { id } })).body,
  async backup({ client, id }) {
    return (await client.call("POST /backup", { body: { path: resolve(id) } })).body;
  },
  async "give-back"({ client, id, values }) {
    const count = wholeNumber("--count", values.count ?? "1", { min: 1, max: 1000 });
    const body = { count, recipient: values.to?.[0] };
    return (await client.call("POST /links/{id}/give-back", { params: { id }, body })).body;
  },
};

async function editLink(client: AdminClient, id: string, body: AdminCalls["PATCH /links/{id}"]["request"]["body"]) {
  const { etag = "*" } = await client.call("GET /links/{id}", { params: { id } });
  const headers = { "if-match": etag };
  return (await client.call("PATCH /links/{id}", { params: { id }, headers, body })).body;
}

export const linksCommand: Command = {
  help: HELP,
  async run(args, context) {
    const { values, positionals } = parseArguments(args, OPTIONS);
    const [action = "", argument, ...more] = positionals;
    word("the action", action, [...Object.keys(ACTIONS), "list", "deliveries", "resume"]);
    const isAll = values.all === true;
    if (isAll && action !== "resume") throw new UsageError("--all is only for links resume. Leave it out.");
    if (isAll && argument !== undefined) throw new UsageError("--all stands for the ids. Leave out --all or the ids.");
    if (more.length > 0 && action !== "resume" && action !== "create")
      throw new UsageError(`links ${action} takes one id, not ${more.length + 1}`);
    if (action !== "list" && !isAll && argument === undefined)
      throw new UsageError(`links ${action} needs ${action === "create" ? "a target" : "an id"}`);
    const isCreate = action === "create" && values.admin === undefined;
    const place = isCreate ? typedTargets(positionals.slice(1), values.state, context.env) : undefined;
    return withAdmin({ ...values, state: place?.state ?? values.state }, context, async (client) => {
      if (action === "list") {
        const links = client.items("GET /links", {});
        if (values.json === true || context.stdout.isTTY !== true) return await list(links, linkRow, values, context);
        for await (const link of links) await print(context.stdout, linkEntry(link, context.stdout.columns));
        return 0;
      }
      if (action === "deliveries") {
        const items = client.items("GET /links/{id}/deliveries", { params: { id: idOf(argument) } });
        return await list(items, deliveryRow, values, context);
      }
      if (action === "resume") {
        const ids = isAll ? restored(client) : positionals.slice(1).map(idOf);
        for await (const one of ids) {
          const { body } = await client.call("POST /links/{id}/resume", { params: { id: one } });
          await printLink(body, values, context);
        }
        // A token resumes its own links only.
        if (isAll && values.admin === undefined) await acceptOlderUses(client);
        return 0;
      }
      const id = action === "create" || action === "backup" ? (argument ?? "") : idOf(argument);
      const targets = positionals.slice(1);
      const link = await ACTIONS[action]?.({ client, id, targets, place, values, context });
      if (link !== undefined) await printLink(link, values, context);
      return 0;
    });
  },
};

/** A link for a person: its addresses, and what limits it. */
export function linkText(resource: Link): string {
  const { url, recipients, status, expiresAt, maxDeliveries, used, givenBack, id, handOver, targets } = resource;
  const addresses = recipients?.map(({ name, url: address }) => `${address}  ${name}`) ?? [url];
  const limit = handOver ? `at most ${maxDeliveries} hand-overs, ${used} used` : undefined;
  const count = maxDeliveries === undefined ? "not counted" : (limit ?? `${used} of ${maxDeliveries} deliveries used`);
  const given = givenBack > 0 ? `, ${givenBack} given back` : "";
  const content = targets === undefined ? [] : [contentText(targets)];
  return [...addresses, ...content, `${status}, ${count}${given}, until ${expiresAt}; id ${id}`].join("\n");
}

/** The ids of links that a restore suspended. A link whose owner lost its rights needs a separate decision. */
async function* restored(client: AdminClient): AsyncGenerator<string> {
  for await (const { id, suspended } of client.items("GET /links", {})) if (suspended === "restored") yield id;
}

/** The id of the revocation that the state makes when it was restored. */
const LOST_USES = "lost-uses";

/** Lifts what a restore made: it refuses uses of URLs that were signed before. */
async function acceptOlderUses(client: AdminClient): Promise<void> {
  await client.call("POST /revocations/{id}/lift", { params: { id: LOST_USES } }).catch((error: unknown) => {
    if ((error as CommandError).code !== "NO_SUCH_REVOCATION") throw error;
  });
}

async function printLink(link: Link, { json }: Values, { stdout }: Context): Promise<void> {
  await print(stdout, json === true ? JSON.stringify(link) : linkText(link));
}

async function list<T>(
  items: AsyncIterable<T>,
  rowOf: (item: T) => readonly [id: string, facts: readonly (string | false | undefined)[]],
  { json }: Values,
  { stdout }: Context,
): Promise<ExitStatus> {
  const rows: [string, string][] = [];
  for await (const item of items) {
    if (json === true) await print(stdout, JSON.stringify(item));
    else {
      const [id, facts] = rowOf(item);
      rows.push([id, facts.filter(Boolean).join("  ")]);
    }
  }
  if (rows.length > 0) await print(stdout, table(rows));
  return 0;
}

function deliveryRow({ claimedAt, completedAt, state, recipient, address }: Delivery) {
  return [claimedAt, [state, recipient, address, completedAt && `completed ${completedAt}`]] as const;
}

function linkRow({ id, target, targets = [], status, used, maxDeliveries, label }: Link) {
  return [
    id,
    [status, target ?? contentText(targets), maxDeliveries !== undefined && `${used}/${maxDeliveries}`, label],
  ] as const;
}

/** The id of a link, or the id in its address. */
export function idOf(text = ""): string {
  const [, id = text] = /\/l\/([0-9A-Za-z-]+)\/?$/.exec(text) ?? [];
  if (!/^[0-9A-Za-z-]{3,64}$/.test(id))
    throw new UsageError(`${JSON.stringify(text)} is not the id of a link. See daypass links list.`);
  return id;
}
