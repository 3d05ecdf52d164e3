/** Revocations in the admin API. */
import { z } from "@hono/zod-openapi";
import { randomId } from "../links/identifiers.ts";
import { placeOrigin, readRoutePrefix } from "../links/route-target.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { Revocation, RevocationSelector } from "../state/contract/revocations.ts";
import { AdminProblem, Id, instant, optionalTime, PageQuery, time } from "./http.ts";
import type { AdminOptions } from "./options.ts";
import { type AnswerOf, created, type Handlers, ok, pageOf, type Routes } from "./routes.ts";

const isWebUrl = (text: string): boolean => /^https?:\/\/[^/?#]/i.test(text) && URL.canParse(text);

const RevocationInput = z
  .strictObject({
    url: z
      .string()
      .refine(isWebUrl, "Send a whole URL that begins with http:// or https://.")
      .optional()
      .openapi({ description: "A URL of any dialect that the gateway serves, or a link." }),
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
    kind: z.enum(["grant", "link", "key", "subject", "prefix", "signed-before", "visits-before", "uses-before"]),
    value: z.string(),
    before: instant.optional(),
    reason: z.string().optional(),
    createdAt: instant,
    liftedAt: instant.optional(),
  })
  .openapi("Revocation");

export const revocationRoutes = {
  "POST /revocations": {
    operationId: "revoke",
    summary: "Refuse a URL, a link, or all of a key, a subject or a prefix",
    scope: "operator",
    body: RevocationInput,
    answer: created(RevocationResource, "The revocation"),
  },
  "GET /revocations": {
    operationId: "listRevocations",
    summary: "List the revocations",
    scope: "operator",
    query: PageQuery,
    answer: ok(pageOf(RevocationResource), "Revocations, newest first"),
  },
  "POST /revocations/{id}/lift": {
    operationId: "liftRevocation",
    summary: "Allow again what a revocation refuses",
    scope: "operator",
    params: Id,
    answer: ok(RevocationResource, "The lifted revocation"),
  },
} satisfies Routes;

export function revocationHandlers({
  links,
  origin,
  identify,
  places = () => [],
}: AdminOptions): Handlers<typeof revocationRoutes> {
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
      const found = await identify(url).catch((error: unknown) => {
        throw error instanceof Refusal ? new AdminProblem(400, error.code, error.message) : error;
      });
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

  return {
    async "POST /revocations"({ body, caller }) {
      const { selector, until } = await selectorOf(body);
      const revocation = await state.revoke({ id: randomId(), selector, reason: body.reason, until }, caller.owner);
      links.apply([revocation]);
      return revocationResource(revocation);
    },
    async "GET /revocations"({ query }) {
      const { items, next } = await state.listRevocations(query);
      return { items: items.map(revocationResource), next };
    },
    async "POST /revocations/{id}/lift"({ params, caller }) {
      const lifted = await state.lift(params.id, caller.owner);
      if (lifted === undefined) throw new AdminProblem(404, "NO_SUCH_REVOCATION", "no revocation has this id");
      links.apply([lifted]);
      return revocationResource(lifted);
    },
  };
}

/** A revocation as the API shows it. */
function revocationResource(revocation: Revocation): AnswerOf<(typeof revocationRoutes)["POST /revocations"]> {
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
