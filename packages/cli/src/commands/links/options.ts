/** The options of a new link, as `links create` and `share` take them. */
import { text } from "node:stream/consumers";
import { duration, mapped, type ParsedArguments, wholeNumber } from "../../arguments.ts";
import type { Context } from "../../command.ts";

/** Options of `links create` and `share`. */
export const LINK_OPTIONS = {
  "expires-in": { type: "string" },
  "max-deliveries": { type: "string" },
  "max-bytes": { type: "string" },
  "password-stdin": { type: "boolean" },
  to: { type: "string", multiple: true },
  slug: { type: "string" },
  public: { type: "boolean" },
  label: { type: "string" },
  note: { type: "string" },
  network: { type: "string", multiple: true },
  "no-preview": { type: "boolean" },
  follow: { type: "boolean" },
  "hand-over": { type: "boolean" },
} as const;

/** The help of these options. */
export const LINK_HELP = `  --expires-in TIME     default 7d                 --max-deliveries N    count deliveries, and stop after N for each recipient
  --to NAME             repeat for each recipient: everyone gets an address of their own
  --password-stdin      read a password from standard input
  --network CIDR        open only from there; repeat for more
  --max-bytes N         stop after N bytes         --slug NAME           a readable address (with a password or --public)
  --label TEXT --note TEXT                         shown on the page
  --no-preview          show nothing before the download
  --follow              serve the present file, also when it has changed
  --hand-over           let the front server send the bytes (links.handOver): --max-deliveries then counts hand-overs`;

const LIMIT = { min: 1, max: 2 ** 50 - 1 };

/** The body of the request that creates a link. */
export async function linkInput(
  values: ParsedArguments<typeof LINK_OPTIONS>["values"],
  target: string,
  { stdin }: Context,
): Promise<object> {
  const seconds = mapped(values["expires-in"], (given) => duration("--expires-in", given));
  return {
    target,
    expiresAt: seconds === undefined ? undefined : new Date(Date.now() + seconds * 1000).toISOString(),
    maxDeliveries: mapped(values["max-deliveries"], (given) => wholeNumber("--max-deliveries", given, LIMIT)),
    maxBytes: mapped(values["max-bytes"], (given) => wholeNumber("--max-bytes", given, LIMIT)),
    password: values["password-stdin"] === true ? (await text(stdin)).replace(/\r?\n$/, "") : undefined,
    recipients: values.to,
    slug: values.slug,
    public: values.public,
    label: values.label,
    note: values.note,
    networks: values.network,
    preview: values["no-preview"] === true ? false : undefined,
    follow: values.follow,
    handOver: values["hand-over"],
  };
}
