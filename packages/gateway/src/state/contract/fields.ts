/**
 * The fields of a link, each a row. The types of a link, its settings text, the columns of both engines, the admin API, the options of the command
 * line and the table in docs/links.md derive from the rows.
 * @module
 */
import type { LinkWindow, Millis } from "./deliveries.ts";

/** What a link opens. */
export type LinkKind = "object" | "prefix" | "set" | "upload" | "route";

/** One target of a set. */
export interface LinkTarget {
  /** The key of an object, or a prefix, which ends with `/` or is empty. */
  readonly key: string;
  /** The object as it was linked, unless the link follows. */
  readonly etag?: string | undefined;
  /** Bytes of the object as it was linked. */
  readonly size?: number | undefined;
}

/** Response headers that the owner set for the object. */
export interface LinkResponse {
  readonly contentType?: string | undefined;
  readonly contentDisposition?: string | undefined;
}

/** The stored values of each kind of field. */
export interface FieldValues {
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly instant: Millis;
  /** A whole number of deliveries or edits. */
  readonly count: number;
  /** A whole number of bytes. */
  readonly bytes: number;
  /** What `true` changes is in the row. `false` by default, unless the row names another default. */
  readonly flag: boolean;
  /** A hash as `links/password.ts` writes it. The admin API shows only whether a link has one. */
  readonly password: string;
  /** In CIDR notation. */
  readonly networks: readonly string[];
  readonly response: LinkResponse;
  readonly linkKind: LinkKind;
  /** What a set opens, in the order of its names. Never empty. */
  readonly targets: readonly LinkTarget[];
}

/** One field of a link. */
export interface LinkField {
  /** With a question mark, the value can be absent. */
  readonly kind: keyof FieldValues | `${keyof FieldValues}?`;
  /** A column of both engines, or `settings`: a member of the JSON text in that column. */
  readonly stored: string;
  /** Whether the value can change: by an edit of the owner if an owner can ask for it, else by the gateway. */
  readonly editable: boolean;
  /** In the admin API: no member, a member of answers, or one of calls, too: with its option of the command line, if it has one, and its help. */
  readonly api: "hidden" | "shown" | readonly [option: `--${string}` | undefined, about: string];
}

/** Every field, in the order of the columns. */
export const linkFields = {
  /** 128 random bits in base62. */
  id: { kind: "text", stored: "id", editable: false, api: "shown" },
  slug: {
    kind: "text?",
    stored: "slug",
    editable: false,
    api: ["--slug NAME", "a readable address (with a password or --public)"],
  },
  /** `operator`, `key:<id>` or `token:<id>`: its present scope must cover the target. */
  owner: { kind: "text", stored: "owner", editable: false, api: "shown" },
  kind: { kind: "linkKind", stored: "kind", editable: false, api: "shown" },
  bucket: { kind: "text", stored: "bucket", editable: false, api: "hidden" },
  /** The key of an object, the prefix, or the folder that all targets of a set are in. A prefix ends with `/` or is empty. */
  key: { kind: "text", stored: "key", editable: false, api: "hidden" },
  /** The object as it was linked, unless the link follows. */
  etag: { kind: "text?", stored: "etag", editable: true, api: "hidden" },
  /** Bytes of the object as it was linked. */
  size: { kind: "bytes?", stored: "size", editable: true, api: "hidden" },
  startsAt: {
    kind: "instant",
    stored: "starts_at",
    editable: true,
    api: [undefined, "when the link opens (default: at once)"],
  },
  expiresAt: {
    kind: "instant",
    stored: "expires_at",
    editable: true,
    api: ["--expires-in TIME", "when the link expires (default: 7d)"],
  },
  revokedAt: { kind: "instant?", stored: "revoked_at", editable: true, api: "shown" },
  suspended: { kind: "text?", stored: "suspended", editable: true, api: "shown" },
  /** Grows with each edit: the ETag of the link in the admin API. */
  version: { kind: "count", stored: "version", editable: false, api: "hidden" },
  createdAt: { kind: "instant", stored: "created_at", editable: false, api: "shown" },
  label: { kind: "text?", stored: "settings", editable: true, api: ["--label TEXT", "the title of its page"] },
  note: { kind: "text?", stored: "settings", editable: true, api: ["--note TEXT", "a text on its page"] },
  /** `undefined`: not counted. */
  maxDeliveries: {
    kind: "count?",
    stored: "settings",
    editable: true,
    api: ["--max-deliveries N", "count deliveries, and stop after N for each recipient"],
  },
  /** `undefined`: no limit. */
  maxBytes: {
    kind: "bytes?",
    stored: "settings",
    editable: true,
    api: ["--max-bytes N", "stop after N bytes; the option takes units: 1GB is 10^9 bytes, 1GiB 2^30"],
  },
  password: {
    kind: "password?",
    stored: "settings",
    editable: true,
    api: ["--password-stdin", "a password, read from standard input"],
  },
  showSender: {
    kind: "flag?",
    stored: "settings",
    editable: true,
    api: ["--show-sender", "the page that asks for the password names the sender"],
  },
  /** Empty: opens from all. */
  networks: {
    kind: "networks",
    stored: "settings",
    editable: true,
    api: ["--network CIDR", "open only from there; repeat for more"],
  },
  response: {
    kind: "response?",
    stored: "settings",
    editable: true,
    api: [undefined, "contentType and contentDisposition of the object"],
  },
  preview: {
    kind: "flag",
    stored: "settings",
    editable: true,
    api: ["--no-preview", "whether the page shows the object (default: yes)"],
  },
  follow: {
    kind: "flag",
    stored: "settings",
    editable: true,
    api: ["--follow", "serve the present object, also if it has changed"],
  },
  hidden: {
    kind: "flag?",
    stored: "settings",
    editable: true,
    api: ["--hidden", "a folder shows names with a leading dot and folders of version control, too"],
  },
  handOver: {
    kind: "flag?",
    stored: "settings",
    editable: false,
    api: [
      "--hand-over",
      "let a front server or the storage send the bytes, which are then not counted (links.handOver)",
    ],
  },
  public: { kind: "flag", stored: "settings", editable: false, api: ["--public", "a slug opens without a password"] },
  /** Of a set: 1 to 100, each of another key. Only their pins change. */
  targets: { kind: "targets?", stored: "settings", editable: true, api: "hidden" },
  /** `operator` or `token:<id>`, if it is revoked. Absent from a revoked link: the operator. */
  revokedBy: { kind: "text?", stored: "settings", editable: true, api: "hidden" },
  /** Hash of the request with an idempotency key that created it. Without the password, which a fast hash would expose. */
  fingerprint: { kind: "text?", stored: "settings", editable: false, api: "hidden" },
  /** When the password was last changed. Absent: at the creation. */
  passwordAt: { kind: "instant?", stored: "settings", editable: true, api: "hidden" },
} as const;

/** The rows by name. */
export type Fields = typeof linkFields;

/** The name of a field. */
export type FieldName = keyof Fields;

/** The name of a field that an owner may ask for. */
export type AskedName = { [N in FieldName]: Fields[N]["api"] extends string ? never : N }[FieldName];

/** The option of a field, without its dashes and its placeholder. */
export type OptionOf<N extends AskedName> = Fields[N]["api"][0] extends `--${infer O}`
  ? O extends `${infer L} ${string}`
    ? L
    : O
  : never;

/** The name of a field that can change. */
export type EditableName = { [N in FieldName]: Fields[N]["editable"] extends true ? N : never }[FieldName];

/** The name of a field that the admin API shows. */
export type ShownName = { [N in FieldName]: Fields[N]["api"] extends "hidden" ? never : N }[FieldName];

/** The kind of a field, without its question mark. */
export type KindOf<N extends FieldName> = Fields[N]["kind"] extends infer K
  ? (K extends `${infer P}?` ? P : K) & keyof FieldValues
  : never;

/** The name of a field that a link may lack. */
export type OptionalName = { [N in FieldName]: Fields[N]["kind"] extends `${string}?` ? N : never }[FieldName];

/** Fields as a link has them. */
export type StoredFields<N extends FieldName> = { readonly [M in Exclude<N, OptionalName>]: FieldValues[KindOf<M>] } & {
  readonly [M in Extract<N, OptionalName>]?: FieldValues[KindOf<M>] | undefined;
};

/** A stored link. */
export type Link = LinkWindow & StoredFields<FieldName>;

/** The part of a link that its owner asked for. */
export type LinkSettings = StoredFields<AskedName>;

/** What a change of a link may contain. `null` removes a value. */
export type LinkChange = { readonly [N in EditableName]?: FieldValues[KindOf<N>] | null | undefined };

/** The fields of a new link that its owner asks for. */
export type AskedFields = {
  readonly [N in AskedName]?: (KindOf<N> extends "instant" ? Date : FieldValues[KindOf<N>]) | undefined;
};

/** What an owner may change. `null` resets a value to its default. */
export type LinkEdit = { readonly [N in AskedName & EditableName]?: AskedFields[N] | null };

/** The columns of the fields, and the text with all other fields. */
export type LinkRow = {
  readonly [N in FieldName as Exclude<Fields[N]["stored"], "settings">]: N extends OptionalName
    ? FieldValues[KindOf<N>] | null
    : FieldValues[KindOf<N>];
} & { readonly settings: string };

/** A row with its name, and with the parts of its `kind` and `api`. */
export interface NamedField extends Omit<LinkField, "kind"> {
  readonly name: FieldName;
  readonly kind: keyof FieldValues;
  /** Whether the value can be absent. */
  readonly isOptional: boolean;
  readonly option: string | undefined;
  /** Absent: no owner can ask for the field. */
  readonly about: string | undefined;
}

/** The rows as a list. */
export const fieldList: readonly NamedField[] = Object.entries<LinkField>(linkFields).map(([name, field]) => {
  const [option, about] = typeof field.api === "string" ? [] : field.api;
  const kind = field.kind.replace("?", "") as keyof FieldValues;
  return { ...field, name: name as FieldName, kind, isOptional: kind !== field.kind, option, about };
});
const inColumns = fieldList.filter(({ stored }) => stored !== "settings");
const inSettings = fieldList.filter(({ stored }) => stored === "settings");

/** The columns of {@link LinkRow}. */
export const linkColumns: readonly string[] = [...inColumns.map(({ stored }) => stored), "settings"];
/** The columns that a change writes. */
export const editableColumns: readonly string[] = [
  ...inColumns.filter(({ editable }) => editable).map(({ stored }) => stored),
  "settings",
];

/** The values of a link by its columns. */
export function linkRow(link: Link): LinkRow {
  const columns = inColumns.map(({ name, stored }) => [stored, link[name] ?? null] as const);
  const settings = JSON.stringify(Object.fromEntries(inSettings.map(({ name }) => [name, link[name]])));
  return Object.fromEntries([...columns, ["settings", settings]]) as LinkRow;
}

/** The link of a row. NULL is `undefined`. */
export function toLink(row: LinkRow): Link {
  const link: Partial<Record<FieldName, unknown>> = JSON.parse(row.settings);
  for (const { name, stored } of inColumns) link[name] = row[stored as keyof LinkRow] ?? undefined;
  return link as Link;
}

/** A link after a change. `undefined` in a change is no change. */
export function changedLink(link: Link, change: LinkChange): Link {
  const changes = Object.entries(change).filter(([, value]) => value !== undefined);
  return { ...link, ...Object.fromEntries(changes.map(([name, value]) => [name, value ?? undefined])) };
}
