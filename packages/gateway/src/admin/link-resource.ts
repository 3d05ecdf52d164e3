/** Links and deliveries as the admin API takes and shows them. */
import { z } from "@hono/zod-openapi";
import { placeOrigin } from "../links/route-target.ts";
import type { Link } from "../state/contract/fields.ts";
import type { Variant } from "../state/contract/state.ts";
import { instant, optionalTime, time } from "./http.ts";

const count = z.int().positive();
const text = z.string().max(1000);
const networks = z.array(z.string()).max(100);

const settings = {
  label: text.optional(),
  note: text.optional(),
  startsAt: instant.optional(),
  expiresAt: instant.optional().openapi({ description: "Seven days after creation by default." }),
  maxDeliveries: count.optional().openapi({ description: "Deliveries of each variant. Not counted if absent." }),
  maxBytes: count.optional().openapi({ description: "Bytes of each variant." }),
  password: z.string().min(1).max(256).optional(),
  networks: networks.optional().openapi({ example: ["192.0.2.0/24"] }),
  response: z.strictObject({ contentType: text.optional(), contentDisposition: text.optional() }).optional(),
  preview: z.boolean().optional(),
};

/** The target of a link: `bucket/key`, `bucket/prefix/`, or `route:/path`. */
const target = z.string().min(3).openapi({ example: "files/report.pdf" });

/** What a link is made of. */
export const LinkInput = z
  .strictObject({
    target,
    ...settings,
    recipients: z.array(text.min(1)).max(100).optional(),
    slug: z.string().optional(),
    public: z.boolean().optional(),
    follow: z.boolean().optional(),
    handOver: z.boolean().optional().openapi({
      description: "A front server or the storage sends the bytes: hand-overs are counted, bytes are not.",
    }),
  })
  .openapi("LinkInput");

const nullable = Object.fromEntries(Object.entries(settings).map(([name, schema]) => [name, schema.nullable()])) as {
  [N in keyof typeof settings]: z.ZodNullable<(typeof settings)[N]>;
};
/** What changes of a link. */
export const LinkEdit = z.strictObject({ ...nullable, follow: z.boolean().optional() }).openapi("LinkEdit");

const Deliveries = z.object({ started: z.int(), completed: z.int() });

/** A link in an answer. */
export const LinkResource = z
  .object({
    id: z.string(),
    url: z.string().openapi({ description: "Absent addresses of recipients are in `recipients`." }),
    kind: z.enum(["object", "prefix", "upload", "route"]),
    target,
    status: z.enum(["open", "not-yet", "expired", "used-up", "revoked", "suspended"]),
    label: z.string().optional(),
    note: z.string().optional(),
    slug: z.string().optional(),
    public: z.boolean(),
    owner: z.string(),
    createdAt: instant,
    startsAt: instant,
    expiresAt: instant,
    revokedAt: instant.optional(),
    suspended: z.string().optional(),
    maxDeliveries: z.int().optional(),
    maxBytes: z.int().optional(),
    used: z.int(),
    givenBack: z.int(),
    heldBytes: z.int(),
    deliveries: Deliveries,
    password: z.boolean(),
    networks: z.array(z.string()),
    preview: z.boolean(),
    follow: z.boolean(),
    handOver: z.boolean().openapi({ description: "If true, maxDeliveries says: at most so many hand-overs." }),
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

/** A link as the API shows it. */
export function linkResource(
  link: Link,
  variants: readonly Variant[],
  origin: string,
  now: number,
): z.infer<typeof LinkResource> {
  const sum = (count: (variant: Variant) => number): number => variants.reduce((total, one) => total + count(one), 0);
  const site = placeOrigin(link.bucket);
  const base = site === undefined ? origin : `${site}/-/daypass`;
  const address = (id: string): string => `${base}/l/${id}`;
  const deliveriesOf = ({ started, completed }: Variant) => ({ started, completed });
  const named = variants.filter((variant) => variant.name !== undefined);
  const { id, slug, kind, bucket, key, label, note, owner, networks, preview, follow, maxDeliveries, maxBytes } = link;
  return {
    id,
    url: address(slug ?? named[0]?.id ?? id),
    kind,
    target: `${bucket}/${key}`,
    status: statusOf(link, variants, now),
    ...{ label, note, slug, owner, preview, follow, maxDeliveries, maxBytes },
    handOver: link.handOver === true,
    networks: [...networks],
    public: link.public,
    createdAt: time(link.createdAt),
    startsAt: time(link.startsAt),
    expiresAt: time(link.expiresAt),
    revokedAt: optionalTime(link.revokedAt),
    suspended: link.suspended,
    used: sum(({ used }) => used),
    givenBack: sum(({ givenBack }) => givenBack),
    heldBytes: sum(({ held }) => held),
    deliveries: { started: sum(({ started }) => started), completed: sum(({ completed }) => completed) },
    password: link.password !== undefined,
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

function statusOf(link: Link, variants: readonly Variant[], now: number): z.infer<typeof LinkResource>["status"] {
  if (link.revokedAt !== undefined) return "revoked";
  if (link.suspended !== undefined) return "suspended";
  if (now < link.startsAt) return "not-yet";
  if (now >= link.expiresAt) return "expired";
  const isFull = ({ max, used, givenBack }: Variant): boolean => max !== undefined && used >= max + givenBack;
  return variants.length > 0 && variants.every(isFull) ? "used-up" : "open";
}
