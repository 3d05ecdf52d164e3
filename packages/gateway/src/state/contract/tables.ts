/** The tables of a state in SQL, and their rows. Every engine names its columns alike; the columns of a link are in `fields.ts`. */
import type { LinkRow } from "./fields.ts";

interface Values {
  readonly text: string;
  readonly integer: number;
}

/** The columns that all engines have. With a question mark, a column can be NULL. */
export const tables = {
  variant: {
    id: "text",
    position: "integer",
    name: "text?",
    max: "integer?",
    used: "integer",
    given_back: "integer",
    max_bytes: "integer?",
    held: "integer",
    started: "integer",
    completed: "integer",
    opened: "integer?",
    downloaded: "integer?",
    last_opened: "integer?",
  },
  delivery: {
    token: "text",
    variant: "text",
    claim: "text",
    state: "text",
    claimed_at: "integer",
    address: "text",
    start_by: "integer",
    lease_until: "integer",
    etag: "text?",
    size: "integer?",
    held: "integer",
    covered: "text",
    completed_at: "integer?",
  },
  attempt: { id: "text", delivery: "text", reserved: "integer" },
  opening: { variant: "text", network: "text", at: "integer" },
  use: { kid: "text", grant_id: "text", used: "integer", until: "integer" },
  revision: { id: "integer", value: "integer" },
  revocation: {
    id: "text",
    revision: "integer",
    selector: "text",
    reason: "text?",
    created_at: "integer",
    until: "integer?",
    lifted_at: "integer?",
  },
  admin_token: { id: "text", hash: "text", document: "text", created_at: "integer", revoked_at: "integer?" },
  failure: { at: "integer", address: "text", link: "text" },
  audit_writer: { writer: "text", last: "integer" },
  audit_record: { writer: "text", sequence: "integer", record: "text", mac: "text?" },
  audit_head: {
    writer: "text",
    first: "integer",
    last: "integer",
    head: "text",
    signature: "text",
    leaves: "text",
  },
  webhook: { id: "text", url: "text", events: "text", owner: "text", only_link: "text?", created_at: "integer" },
  outbox: {
    id: "integer",
    message: "text",
    webhook: "text",
    link: "text",
    body: "text",
    failures: "integer",
    error: "text?",
    created_at: "integer",
    dead_at: "integer?",
  },
  outbox_line: { webhook: "text", link: "text", due: "integer" },
  announcement: { link: "text", type: "text", hour: "integer" },
} as const;

type Tables = typeof tables;
type ValueOf<Kind> = Kind extends `${infer Some}?` ? Values[Some & keyof Values] | null : Values[Kind & keyof Values];

/** A row of a table. */
export type Row<T extends keyof Tables> = { readonly [C in keyof Tables[T]]: ValueOf<Tables[T][C]> };

/** The columns of a table, as a statement names them. */
export const columnsOf = (table: keyof Tables): string => Object.keys(tables[table]).join(", ");

/** The values of a new row in the order of {@link columnsOf}. A row that lacks a column does not compile. */
export function rowValues<T extends keyof Tables>(table: T, row: Row<T>): (string | number | null)[] {
  const values: Readonly<Record<string, string | number | null>> = row;
  return Object.keys(tables[table]).map((column) => values[column] ?? null);
}

/** A number of rows. */
export interface Count {
  readonly n: number;
}

/** Failures at a link. */
export interface FailuresRow extends Count {
  /** When the last one was. */
  readonly last: number | null;
}

/** The number of the last record of a writer. */
export type LastRow = Pick<Row<"audit_writer">, "last">;

/** A variant with the id of its link. */
export type VariantRow = Row<"variant"> & { readonly link: string };
/** A head without the hashes of its records. */
export type HeadRow = Omit<Row<"audit_head">, "leaves">;
/** A notification with the address of its webhook. */
export type NotificationRow = Row<"outbox"> & { readonly url: string };
/** The notifications of one webhook about one link, which are sent in their order. */
export type LineRow = Pick<Row<"outbox_line">, "webhook" | "link">;
/** The columns of a link that decide about a delivery. */
export type WindowRow = Pick<LinkRow, "starts_at" | "expires_at" | "revoked_at" | "suspended">;

/** What a sweep records of a delivery. */
export type Ended = Pick<Row<"delivery">, "token" | "address"> & { readonly link: string };

/** The id of a row. */
export type IdRow = Pick<LinkRow, "id">;
/** The MAC of a record. */
export type MacRow = Pick<RecordRow, "mac">;
/** The number of the last change of a revocation. */
export type RevisionRow = Pick<Row<"revision">, "value">;
/** A row of the deliveries. */
export type DeliveryRow = Row<"delivery">;
/** A row of the revocations. */
export type RevocationRow = Row<"revocation">;
/** The part of a revocation that a list needs. */
export type ChangeRow = Pick<RevocationRow, "revision" | "selector" | "lifted_at">;
/** A row of the tokens. */
export type TokenRow = Row<"admin_token">;
/** A row of the records. */
export type RecordRow = Row<"audit_record">;
/** A row of the heads. */
export type StoredHeadRow = Row<"audit_head">;
/** A row of the webhooks. */
export type WebhookRow = Row<"webhook">;

/** A statement that returns any number of rows. No text has the member: only its type exists. */
export type Sql<R> = string & { readonly rows?: R[] };

/** A statement that always returns one row. */
export type SqlOne<R> = string & { readonly rows?: [R] };

/** What a statement returns; `never[]` if it returns nothing. */
export type RowsOf<S> = "rows" extends keyof S
  ? S["rows"] extends (infer R extends unknown[]) | undefined
    ? R
    : never
  : never[];
