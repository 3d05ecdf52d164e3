/** The options of a new link, as `links create` and `share` take them: of each field that has one, and of its recipients. */
import { text } from "node:stream/consumers";
import type { AdminCalls } from "@daypass/gateway/admin";
import { type AskedName, fieldList, type KindOf, type OptionOf } from "@daypass/gateway/link-fields";
import { byteCount, duration, type ParsedArguments, wholeNumber } from "../../arguments.ts";
import { type Context, UsageError } from "../../command.ts";

/** How the command line takes each kind of field. */
const KINDS = {
  text: { type: "string" },
  instant: { type: "string" },
  count: { type: "string" },
  bytes: { type: "string" },
  networks: { type: "string", multiple: true },
  flag: { type: "boolean" },
  password: { type: "boolean" },
} as const satisfies Record<KindOf<NamedByOption>, ParsedOption>;

interface ParsedOption {
  readonly type: "string" | "boolean";
  readonly multiple?: true;
}

type NamedByOption = { [N in AskedName]: [OptionOf<N>] extends [never] ? never : N }[AskedName];

type FieldOptions = { readonly [N in NamedByOption as OptionOf<N>]: (typeof KINDS)[KindOf<N> & keyof typeof KINDS] };

const FIELDS = fieldList.flatMap(({ option, ...field }) =>
  option === undefined ? [] : { ...field, option, long: option.slice(2).replace(/ .*/, "") },
);

/** Options of `links create` and `share`. */
export const LINK_OPTIONS = {
  ...(Object.fromEntries(FIELDS.map(({ long, kind }) => [long, KINDS[kind as keyof typeof KINDS]])) as FieldOptions),
  to: { type: "string", multiple: true },
} as const;

/** The help of these options. */
export const LINK_HELP: string = [
  ["--to NAME", "repeat for each recipient: everyone gets their own address"],
  ...FIELDS.map(({ option, about }) => [option, about]),
]
  .map(([option = "", about]) => `  ${option.padEnd(21)} ${about}`)
  .join("\n");

const LIMIT = { min: 1, max: 2 ** 50 - 1 };

type Values = ParsedArguments<typeof LINK_OPTIONS>["values"];

type NewLink = AdminCalls["POST /links"]["request"]["body"];
type LinkEdit = AdminCalls["PATCH /links/{id}"]["request"]["body"];

/** The body of the call that creates a link. */
export async function newLink(values: Values, targets: readonly string[], context: Context): Promise<NewLink> {
  const [target] = targets;
  const place = targets.length === 1 ? { target } : { targets: [...targets] };
  return { ...place, recipients: values.to, ...(await linkInput(values, context)) };
}

async function linkInput(values: Values, { stdin }: Context): Promise<Readonly<Record<string, unknown>>> {
  const input: Record<string, unknown> = {};
  for (const { name, kind, long } of FIELDS) {
    const given = values[long as keyof FieldOptions];
    if (given === undefined) continue;
    input[name] = given;
    if (kind === "instant")
      input[name] = new Date(Date.now() + duration(`--${long}`, String(given)) * 1000).toISOString();
    if (kind === "count") input[name] = wholeNumber(`--${long}`, String(given), LIMIT);
    if (kind === "bytes") input[name] = byteCount(`--${long}`, String(given), LIMIT);
    if (kind === "flag") input[name] = !long.startsWith("no-");
    if (kind === "password") input[name] = (await text(stdin)).replace(/\r?\n$/, "");
  }
  return input;
}

/** The fields of a link that an edit sets. Refuses the options that only a new link has. */
export async function linkEdit(values: Values, context: Context): Promise<LinkEdit> {
  const fixed = ["to", ...FIELDS.filter(({ editable }) => !editable).map(({ long }) => long)];
  const given = fixed.find((long) => values[long as keyof Values] !== undefined);
  if (given !== undefined)
    throw new UsageError(`--${given} is only for a new link. Leave it out, or create another link.`);
  return linkInput(values, context);
}
