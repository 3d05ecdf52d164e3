/** Links and their deliveries in the admin API. */
import { createHash } from "node:crypto";
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { createLink, type LinkRequest, type LinkTools } from "../links/create-link.ts";
import { ruleOfEdit } from "../links/current-visit.ts";
import { editLink } from "../links/edit-link.ts";
import { randomId } from "../links/identifiers.ts";
import { placeOrigin, readRouteTarget } from "../links/route-target.ts";
import { scopeBreach } from "../pipeline/scope-match.ts";
import type { LinkEdit as Edit, Link, LinkChange } from "../state/contract/fields.ts";
import { mayRestore, OPERATOR } from "../state/contract/link-revocation.ts";
import type { RevocationSelector, Variant } from "../state/contract/state.ts";
import {
  type AdminApp,
  type AdminEnv,
  AdminProblem,
  type Caller,
  guardedRoute,
  json,
  optionalTime,
  PageQuery,
  responses,
  scope,
  time,
} from "./http.ts";
import type { AdminOptions } from "./options.ts";

const instant = z.iso.datetime({ offset: true }).openapi({ example: "2026-12-08T12:00:00Z" });
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

const LinkInput = z
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
const LinkEdit = z.strictObject({ ...nullable, follow: z.boolean().optional() }).openapi("LinkEdit");

const Deliveries = z.object({ started: z.int(), completed: z.int() });

const LinkResource = z
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

const DeliveryResource = z
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

/** A page of resources. */
const pageOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), next: z.string().optional() });

const Id = z.object({ id: z.string().min(1).max(64) });

/** Adds the routes of links. */
export function addLinkRoutes(
  app: AdminApp,
  { links, storage, origin, clock, handsOver, places = () => [] }: AdminOptions,
): void {
  const { state, passwords } = links;
  const head = (bucket: string, key: string) => storage.head({ bucket, key });
  const tools: LinkTools = { state, passwords, clock, head, handsOver };

  function expectTarget({ token }: Caller, bucket: string, key: string): void {
    const breach =
      token &&
      scopeBreach({ buckets: token.buckets, prefix: token.prefix, methods: undefined }, { bucket, key }, "GET");
    if (breach !== undefined) throw new AdminProblem(403, "TOKEN_SCOPE", `the target is outside the token's ${breach}`);
  }

  /** A link that the caller may see: a token sees its own. An address of a recipient, and a slug, name it, too. */
  async function linkOf(context: Context<AdminEnv>, address: string) {
    const { caller } = context.var;
    const id = (await state.findLink(address))?.link.id ?? address;
    const found = await state.getLink(id);
    if (found === undefined || (caller.token !== undefined && found.link.owner !== caller.owner)) {
      throw new AdminProblem(404, "NO_SUCH_LINK", "no link has this id");
    }
    return found;
  }

  const shown = (link: Link, variants: readonly Variant[]) => linkResource(link, variants, origin, clock().getTime());

  async function show(context: Context<AdminEnv>, id: string, status: 200 | 201 = 200) {
    const found = await state.getLink(id);
    if (found === undefined) throw new AdminProblem(404, "NO_SUCH_LINK", "no link has this id");
    context.header("etag", `"${found.link.version}"`);
    return context.json(shown(found.link, found.variants), status);
  }

  async function change(context: Context<AdminEnv>, link: Link, edit: LinkChange): Promise<void> {
    const changed = await state.updateLink(link.id, link.version, edit, context.var.caller.owner);
    if (changed === undefined) throw new AdminProblem(412, "CHANGED", "the link was changed meanwhile: read it again");
    context.header("etag", `"${changed.version}"`);
  }

  /** An idempotency key repeats one request: the password is compared by its slow hash, all else by the fingerprint. */
  async function expectRepetition(link: Link, { fingerprint, password }: LinkRequest): Promise<void> {
    const client = { link: "admin", client: link.owner };
    const isSame =
      link.fingerprint === fingerprint &&
      (password === undefined || (await passwords.matches(password, link.password ?? "", client)));
    if (isSame === undefined) throw new AdminProblem(503, "BUSY", "too many passwords are being checked: try again");
    if (isSame) return;
    throw new AdminProblem(422, "IDEMPOTENCY_MISMATCH", "the idempotency key created another link: use a new key");
  }

  /** An edit must name the version that it saw, or the latest edit would be lost. */
  function expectVersion(context: Context<AdminEnv>, { version }: Link): void {
    const given = context.req.header("if-match");
    if (given === undefined) throw new AdminProblem(428, "NO_VERSION", "send If-Match with the ETag of the link");
    if (given !== "*" && given !== `"${version}"`)
      throw new AdminProblem(412, "CHANGED", "the link was changed meanwhile: read it again");
  }

  /** Bucket, key and kind of a target. @throws {AdminProblem} */
  function readTarget(
    text: string,
    { maxBytes, networks = [], recipients = [] }: Pick<LinkRequest, "maxBytes" | "networks" | "recipients">,
  ): Pick<LinkRequest, "bucket" | "key" | "kind"> {
    if (text.startsWith("route:")) {
      // Both are in the cookie of a visit, and browsers drop one of more than 4 KB.
      if (networks.length > 20) throw invalid("networks: a route takes at most 20");
      if (recipients.some((name) => name.length > 200))
        throw invalid("recipients: a route takes names of at most 200 characters");
      const { bucket, key, countsBytes } = readRouteTarget(text, places());
      if (maxBytes !== undefined && !countsBytes)
        throw invalid("maxBytes: the proxy sends the bytes of this host, so they cannot be counted");
      return { bucket, key, kind: "route" };
    }
    const slash = text.indexOf("/");
    if (slash < 1) throw invalid("target: use bucket/key, bucket/prefix/ or route:/path");
    const key = text.slice(slash + 1);
    return { bucket: text.slice(0, slash), key, kind: /^$|\/$/.test(key) ? "prefix" : "object" };
  }

  const linkResponse = responses({ 200: json(LinkResource, "The link") });

  app.openapi(
    guardedRoute(scope("links:write"), {
      method: "post",
      path: "/links",
      request: {
        body: json(LinkInput, "What to share"),
        headers: z.object({ "idempotency-key": z.string().max(100).optional() }),
      },
      responses: responses({ 201: json(LinkResource, "The new link") }),
    }),
    async (context) => {
      const { caller } = context.var;
      const body = context.req.valid("json");
      const { target, startsAt, expiresAt, public: isPublic, ...input } = body;
      const { bucket, key, kind } = readTarget(target, input);
      expectTarget(caller, bucket, key);
      const repeated = context.req.valid("header")["idempotency-key"];
      const request: LinkRequest = {
        ...input,
        ...{ bucket, key, kind, isPublic, owner: caller.owner },
        startsAt: startsAt === undefined ? undefined : new Date(startsAt),
        expiresAt: expiresAt === undefined ? undefined : new Date(expiresAt),
        idempotencyKey: repeated === undefined ? undefined : `${caller.owner} ${repeated}`,
        fingerprint: repeated === undefined ? undefined : fingerprintOf(body),
      };
      const { link, isNew } = await createLink(request, tools);
      if (!isNew) await expectRepetition(link, request);
      return (await show(context, link.id, 201)) as never;
    },
  );

  app.openapi(
    guardedRoute(scope("links:read"), {
      method: "get",
      path: "/links",
      request: { query: PageQuery },
      responses: responses({ 200: json(pageOf(LinkResource), "Links, newest first") }),
    }),
    async (context) => {
      const { caller } = context.var;
      const owner = caller.token === undefined ? undefined : caller.owner;
      const { items, next } = await state.listLinks({ ...context.req.valid("query"), owner });
      return context.json({ items: items.map(({ link, variants }) => shown(link, variants)), next }, 200) as never;
    },
  );

  app.openapi(
    guardedRoute(scope("links:read"), {
      method: "get",
      path: "/links/{id}",
      request: { params: Id },
      responses: linkResponse,
    }),
    async (context) => {
      const { link } = await linkOf(context, context.req.valid("param").id);
      return (await show(context, link.id)) as never;
    },
  );

  app.openapi(
    guardedRoute(scope("links:write"), {
      method: "patch",
      path: "/links/{id}",
      request: { params: Id, body: json(LinkEdit, "What changes; null removes") },
      responses: linkResponse,
    }),
    async (context) => {
      const { link } = await linkOf(context, context.req.valid("param").id);
      expectVersion(context, link);
      const { startsAt, expiresAt, ...edit } = context.req.valid("json");
      const { maxBytes, networks } = edit;
      if (link.kind === "route" && (maxBytes ?? networks))
        readTarget(`${link.bucket}/${link.key}`, { maxBytes: maxBytes ?? undefined, networks: networks ?? undefined });
      const times = { startsAt: startsAt && new Date(startsAt), expiresAt: expiresAt && new Date(expiresAt) };
      const changed = await editLink(link, { ...edit, ...times } as Edit, tools);
      const visitRule = ruleOfEdit(link, changed, clock().getTime());
      if (visitRule !== undefined)
        links.apply([await state.revoke({ id: randomId(), ...visitRule }, context.var.caller.owner)]);
      await change(context, link, changed);
      return (await show(context, link.id)) as never;
    },
  );

  /** A change of one link without a body. */
  const action = (name: string, work: (context: Context<AdminEnv>, link: Link) => Promise<void>) =>
    app.openapi(
      guardedRoute(scope("links:write"), {
        method: "post",
        path: `/links/{id}/${name}`,
        request: { params: Id },
        responses: linkResponse,
      }),
      async (context) => {
        const { link } = await linkOf(context, context.req.valid("param").id);
        await work(context, link);
        return (await show(context, link.id)) as never;
      },
    );

  /** The rule of a caller. A token and the operator have one each, so that the token cannot lift the operator's. */
  const rule = (id: string, by: string): RevocationSelector => ({
    kind: "link",
    id,
    by: by === OPERATOR ? undefined : by,
  });
  action("revoke", async (context, { id }) => {
    const by = context.var.caller.owner;
    await state.revokeLink(id, by);
    // The rule cuts running transfers in every worker.
    links.apply([await state.revoke({ id: randomId(), selector: rule(id, by) }, by)]);
  });
  action("restore", async (context, link) => {
    const by = context.var.caller.owner;
    if (link.revokedAt !== undefined) {
      if (!mayRestore(link, by))
        throw new AdminProblem(
          403,
          "REVOKED_BY_OPERATOR",
          "the operator revoked the link: ask the operator to restore it",
        );
      await change(context, link, { revokedAt: null, revokedBy: null });
    }
    // The operator also lifts the rule of the token that owns the link.
    for (const one of new Set([by, link.owner])) {
      const revocation = await state.revoke({ id: randomId(), selector: rule(link.id, one) }, by);
      const lifted = await state.lift(revocation.id, by);
      if (lifted !== undefined) links.apply([lifted]);
    }
  });
  action("resume", (context, link) =>
    link.suspended === undefined ? Promise.resolve() : change(context, link, { suspended: null }),
  );

  app.openapi(
    guardedRoute(scope("claims:write"), {
      method: "post",
      path: "/links/{id}/give-back",
      request: {
        params: Id,
        body: json(
          z.strictObject({ count: z.int().min(1).max(1000).default(1), recipient: z.string().optional() }),
          "How many more deliveries",
        ),
      },
      responses: linkResponse,
    }),
    async (context) => {
      const { id: address } = context.req.valid("param");
      const { link, variants } = await linkOf(context, address);
      const { count, recipient } = context.req.valid("json");
      const isMeant = ({ id, name }: Variant): boolean =>
        recipient === undefined ? id === address || variants.length === 1 : name === recipient;
      const variant = variants.find(isMeant);
      if (variant === undefined && recipient === undefined)
        throw invalid("recipient: name one, as each has deliveries of their own");
      if (variant === undefined)
        throw new AdminProblem(404, "NO_SUCH_RECIPIENT", "the link has no recipient of this name");
      await state.giveBack(variant.id, count, context.var.caller.owner);
      return (await show(context, link.id)) as never;
    },
  );

  app.openapi(
    guardedRoute(scope("links:read"), {
      method: "get",
      path: "/links/{id}/deliveries",
      request: { params: Id, query: PageQuery },
      responses: responses({ 200: json(pageOf(DeliveryResource), "Deliveries, newest first") }),
    }),
    async (context) => {
      const { link, variants } = await linkOf(context, context.req.valid("param").id);
      const { items, next } = await state.listDeliveries(link.id, context.req.valid("query"));
      const resources = items.map(({ state: at, variant, claimedAt, completedAt, address, held, size }) => ({
        state: at,
        recipient: variants.find(({ id }) => id === variant)?.name,
        claimedAt: new Date(claimedAt).toISOString(),
        completedAt: completedAt === undefined ? undefined : new Date(completedAt).toISOString(),
        ...{ address, heldBytes: held, size },
      }));
      return context.json({ items: resources, next }, 200) as never;
    },
  );
}

function fingerprintOf({ password, ...body }: z.infer<typeof LinkInput>): string {
  const text = JSON.stringify([body, password !== undefined]);
  return createHash("sha256").update(text).digest("base64url");
}

const invalid = (detail: string): AdminProblem => new AdminProblem(400, "INVALID_INPUT", detail);

/** A link as the API shows it. */
function linkResource(
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
    public: link.isPublic,
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
