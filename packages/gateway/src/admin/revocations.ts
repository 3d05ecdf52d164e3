/** Revocations in the admin API. */
import { z } from "@hono/zod-openapi";
import { randomId } from "../links/identifiers.ts";
import { placeOrigin, readRoutePrefix } from "../links/route-target.ts";
import type { Revocation, RevocationSelector } from "../state/contract/state.ts";
import {
  type AdminApp,
  AdminProblem,
  guardedRoute,
  json,
  operatorOnly,
  optionalTime,
  PageQuery,
  responses,
  time,
} from "./http.ts";
import type { AdminOptions } from "./options.ts";

const instant = z.iso.datetime({ offset: true });
const RevocationInput = z
  .strictObject({
    url: z.string().optional().openapi({ description: "A URL of any dialect that the gateway serves, or a link." }),
    grant: z.string().optional(),
    link: z.string().optional(),
    key: z.string().optional(),
    subject: z.string().optional(),
    prefix: z.string().optional().openapi({ example: "files/private/" }),
    signedBefore: instant.optional().openapi({ description: "With `key`: only what it signed before this instant." }),
    reason: z.string().max(1000).optional(),
  })
  .openapi("RevocationInput");

const RevocationResource = z
  .object({
    id: z.string(),
    kind: z.enum(["grant", "link", "key", "subject", "prefix", "signed-before", "visits-before"]),
    value: z.string(),
    before: instant.optional(),
    reason: z.string().optional(),
    createdAt: instant,
    liftedAt: instant.optional(),
  })
  .openapi("Revocation");

const Id = z.object({ id: z.string().min(1).max(64) });

/** Adds the routes of revocations. */
export function addRevocationRoutes(app: AdminApp, { links, origin, identify, places = () => [] }: AdminOptions): void {
  const { state } = links;

  async function selectorOf(
    input: z.infer<typeof RevocationInput>,
  ): Promise<{ selector: RevocationSelector; until?: number }> {
    const { url, grant, link, key, subject, prefix, signedBefore } = input;
    const given = [url, grant, link, key, subject, prefix].filter((one) => one !== undefined);
    if (given.length !== 1 || (signedBefore !== undefined && key === undefined)) {
      throw new AdminProblem(
        400,
        "INVALID_INPUT",
        "give one of url, grant, link, key, subject and prefix; signedBefore only with key",
      );
    }
    if (url !== undefined) {
      const address = new URL(url);
      const [, id] = /^(?:\/-\/daypass)?\/l\/([^/]+)/.exec(address.pathname) ?? [];
      const isOurs = address.origin === origin || places().some((place) => place.origin === address.origin);
      if (isOurs && id !== undefined) {
        const found = await state.findLink(id);
        if (found === undefined) throw new AdminProblem(404, "NO_SUCH_LINK", "no link has this address");
        // The address of one recipient; the others keep theirs.
        if (found.variant.name !== undefined) return { selector: { kind: "grant", id: found.variant.id } };
        return { selector: { kind: "link", id: found.link.id } };
      }
      const found = await identify(url);
      return { selector: { kind: "grant", id: found.id }, until: found.expiresAt.getTime() };
    }
    if (key !== undefined && signedBefore !== undefined) {
      return { selector: { kind: "signed-before", id: key, before: Date.parse(signedBefore) } };
    }
    if (prefix !== undefined && placeOrigin(prefix) !== undefined) {
      return { selector: { kind: "prefix", id: readRoutePrefix(prefix, places()) } };
    }
    const [kind, id] =
      Object.entries({ grant, link, key, subject, prefix }).find(([, value]) => value !== undefined) ?? [];
    return { selector: { kind, id } as RevocationSelector };
  }

  app.openapi(
    guardedRoute(operatorOnly, {
      method: "post",
      path: "/revocations",
      request: { body: json(RevocationInput, "What to refuse") },
      responses: responses({ 201: json(RevocationResource, "The revocation") }),
    }),
    async (context) => {
      const input = context.req.valid("json");
      const { selector, until } = await selectorOf(input);
      const wanted = { id: randomId(), selector, reason: input.reason, until };
      const revocation = await state.revoke(wanted, context.var.caller.owner);
      links.apply([revocation]);
      return context.json(revocationResource(revocation), 201) as never;
    },
  );
  app.openapi(
    guardedRoute(operatorOnly, {
      method: "get",
      path: "/revocations",
      request: { query: PageQuery },
      responses: responses({
        200: json(
          z.object({ items: z.array(RevocationResource), next: z.string().optional() }),
          "Revocations, newest first",
        ),
      }),
    }),
    async (context) => {
      const { items, next } = await state.listRevocations(context.req.valid("query"));
      return context.json({ items: items.map(revocationResource), next }, 200) as never;
    },
  );
  app.openapi(
    guardedRoute(operatorOnly, {
      method: "post",
      path: "/revocations/{id}/lift",
      request: { params: Id },
      responses: responses({ 200: json(RevocationResource, "The lifted revocation") }),
    }),
    async (context) => {
      const lifted = await state.lift(context.req.valid("param").id, context.var.caller.owner);
      if (lifted === undefined) throw new AdminProblem(404, "NO_SUCH_REVOCATION", "no revocation has this id");
      links.apply([lifted]);
      return context.json(revocationResource(lifted), 200) as never;
    },
  );
}

/** A revocation as the API shows it. */
function revocationResource(revocation: Revocation): z.infer<typeof RevocationResource> {
  const { id, selector, reason, createdAt, liftedAt } = revocation;
  return {
    id,
    kind: selector.kind,
    value: selector.id,
    before: "before" in selector ? time(selector.before) : undefined,
    reason,
    createdAt: time(createdAt),
    liftedAt: optionalTime(liftedAt),
  };
}
