/** Links and deliveries as the admin API takes and shows them. */
import { z } from "@hono/zod-openapi";
import { kindOfLink } from "../links/link-kinds.ts";
import type { RevocationList } from "../links/revocation-list.ts";
import { placeOrigin } from "../links/route-target.ts";
import {
  type AskedName,
  type EditableName,
  fieldList,
  type KindOf,
  type Link,
  type NamedField,
  type OptionalName,
  type ShownName,
} from "../state/contract/fields.ts";
import type { Variant, WholeLink } from "../state/contract/state.ts";
import { instant, time } from "./http.ts";

const text = z.string().max(1000);

const response = z.strictObject({ contentType: text.optional(), contentDisposition: text.optional() });

/** What a call may send for each kind of field. */
const inputs = {
  text,
  instant: instant.transform((given) => new Date(given)),
  count: z.int().positive(),
  bytes: z.int().positive(),
  flag: z.boolean(),
  password: z.string().min(1).max(256),
  networks: z
    .array(z.string())
    .max(100)
    .openapi({ example: ["192.0.2.0/24"] }),
  response,
} satisfies Record<KindOf<AskedName>, z.ZodType>;

/** What an answer has for each kind of field. */
const outputs = {
  text: z.string(),
  instant,
  count: z.int(),
  bytes: z.int(),
  flag: z.boolean(),
  password: z.boolean(),
  networks: z.array(z.string()).readonly(),
  response: response.readonly(),
  linkKind: z.enum(["object", "prefix", "set", "upload", "route"]),
} satisfies Record<KindOf<ShownName>, z.ZodType>;

type Input<N extends AskedName> = z.ZodOptional<(typeof inputs)[KindOf<N> & keyof typeof inputs]>;
type Output<N extends ShownName> = (typeof outputs)[KindOf<N> & keyof typeof outputs];
type AlwaysShown =
  | Exclude<ShownName, OptionalName>
  | { [N in ShownName]: KindOf<N> extends "flag" | "password" ? N : never }[ShownName];

const asked = Object.fromEntries(
  fieldList.flatMap(({ name, kind, about }) =>
    about === undefined ? [] : [[name, inputs[kind as keyof typeof inputs].openapi({ description: about }).optional()]],
  ),
) as { [N in AskedName]: Input<N> };

const edited = Object.fromEntries(
  fieldList.flatMap(({ name, editable }) =>
    editable && name in asked ? [[name, asked[name as AskedName].nullable()]] : [],
  ),
) as { [N in AskedName & EditableName]: z.ZodNullable<Input<N>> };

const shownFields = fieldList.filter(({ api }) => api !== "hidden");
const isAlwaysShown = ({ kind, isOptional }: NamedField): boolean =>
  !isOptional || kind === "flag" || kind === "password";
const shown = Object.fromEntries(
  shownFields.map((field) => {
    const output = outputs[field.kind as keyof typeof outputs];
    return [field.name, isAlwaysShown(field) ? output : output.optional()];
  }),
) as { [N in AlwaysShown]: Output<N> } & { [N in Exclude<ShownName, AlwaysShown>]: z.ZodOptional<Output<N>> };

/** The target of a link: `bucket/key`, `bucket/prefix/`, or `route:/path`. */
const target = z.string().min(3).openapi({ example: "files/report.pdf" });

/** What a link is made of. */
export const LinkInput = z
  .strictObject({
    target: target.optional().openapi({ description: "Absent if there are targets." }),
    targets: z.array(target).min(1).max(100).optional().openapi({
      description: "Objects and prefixes of one bucket, which the link shows as one folder.",
    }),
    ...asked,
    recipients: z.array(text.min(1)).max(100).optional(),
  })
  .openapi("LinkInput");

/** What changes of a link. */
export const LinkEdit = z.strictObject({ ...edited, follow: asked.follow }).openapi("LinkEdit");

const Deliveries = z.object({ started: z.int(), completed: z.int() });

/** A link in an answer. */
export const LinkResource = z
  .object({
    ...shown,
    url: z.string().openapi({ description: "Absent addresses of recipients are in `recipients`." }),
    target: target.optional().openapi({ description: "Absent for a set." }),
    targets: z.array(target).optional().openapi({ description: "Of a set." }),
    status: z.enum(["open", "not-yet", "expired", "used-up", "revoked", "suspended"]),
    used: z.int(),
    givenBack: z.int(),
    heldBytes: z.int(),
    deliveries: Deliveries,
    recipients: z
      .array(z.object({ name: z.string(), url: z.string(), used: z.int(), givenBack: z.int(), deliveries: Deliveries }))
      .optional(),
  })
  .openapi("Link");

/** A delivery in an answer. */
export const DeliveryResource = z
  .object({
    state: z.enum(["claimed", "started", "lapsed", "ended"]),
    recipient: z.string().optional(),
    claimedAt: instant,
    completedAt: instant.optional(),
    address: z.string(),
    heldBytes: z.int(),
    size: z.int().optional(),
  })
  .openapi("Delivery");

/** What a link is shown by. */
interface Shown {
  /** The origin of links, `scheme://host[:port]`. */
  readonly origin: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly revocations: Pick<RevocationList, "isRevoked">;
}

/** A link as the API shows it. */
export function linkResource(found: WholeLink, by: Shown): z.infer<typeof LinkResource> {
  const { link, variants } = found;
  const sum = (count: (variant: Variant) => number): number => variants.reduce((total, one) => total + count(one), 0);
  const site = placeOrigin(link.bucket);
  const base = site === undefined ? by.origin : `${site}/-/daypass`;
  const address = (id: string): string => `${base}/l/${id}`;
  const deliveriesOf = ({ started, completed }: Variant) => ({ started, completed });
  const named = variants.filter((variant) => variant.name !== undefined);
  return {
    ...(Object.fromEntries(shownFields.map((field) => [field.name, shownValue(field, link)])) as ShownValues),
    url: address(link.slug ?? named[0]?.id ?? link.id),
    ...(link.targets === undefined
      ? { target: `${link.bucket}/${link.key}` }
      : { targets: link.targets.map(({ key }) => `${link.bucket}/${key}`) }),
    status: statusOf(found, by),
    used: sum(({ used }) => used),
    givenBack: sum(({ givenBack }) => givenBack),
    heldBytes: sum(({ held }) => held),
    deliveries: { started: sum(({ started }) => started), completed: sum(({ completed }) => completed) },
    recipients:
      named.length === 0
        ? undefined
        : named.map((one) => ({
            name: one.name ?? "",
            url: address(one.id),
            used: one.used,
            givenBack: one.givenBack,
            deliveries: deliveriesOf(one),
          })),
  };
}

type ShownValues = z.output<z.ZodObject<typeof shown>>;

function shownValue({ name, kind }: NamedField, link: Link): unknown {
  const value = link[name];
  if (kind === "password") return value !== undefined;
  if (kind === "flag") return value === true;
  return kind === "instant" && typeof value === "number" ? time(value) : value;
}

function statusOf({ link, variants }: WholeLink, { now, revocations }: Shown): z.infer<typeof LinkResource>["status"] {
  const { bucket, key, parts } = kindOfLink(link).placeAt(link, undefined);
  const { key: prefix, owner: keyId } = link;
  const isRevoked = ({ id, name: subject }: Variant): boolean =>
    revocations.isRevoked({ id, keyId, subject, link: link.id, bucket, key, prefix, parts });
  if (link.revokedAt !== undefined || variants.every(isRevoked)) return "revoked";
  if (link.suspended !== undefined) return "suspended";
  if (now < link.startsAt) return "not-yet";
  if (now >= link.expiresAt) return "expired";
  const isFull = ({ max, used, givenBack }: Variant): boolean => max !== undefined && used >= max + givenBack;
  return variants.every(isFull) ? "used-up" : "open";
}
