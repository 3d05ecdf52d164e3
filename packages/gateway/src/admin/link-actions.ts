/** What ends, opens and counts a link in the admin API. */
import { z } from "@hono/zod-openapi";
import { randomId } from "../links/identifiers.ts";
import { mayRestore, OPERATOR } from "../state/contract/link-revocation.ts";
import type { RevocationSelector } from "../state/contract/revocations.ts";
import type { Variant } from "../state/contract/state.ts";
import { AdminProblem, Id, invalid, optionalTime, PageQuery, time } from "./http.ts";
import { linkAccess } from "./link-access.ts";
import { DeliveryResource, LinkResource } from "./link-resource.ts";
import type { AdminOptions } from "./options.ts";
import { type Handlers, ok, pageOf, type Routes } from "./routes.ts";

const action = { scope: "links:write", params: Id, answer: ok(LinkResource, "The link") } as const;

export const linkActionRoutes = {
  "POST /links/{id}/revoke": {
    ...action,
    operationId: "revokeLink",
    summary: "End a link at once, also its running transfers",
  },
  "POST /links/{id}/restore": { ...action, operationId: "restoreLink", summary: "Open a revoked link again" },
  "POST /links/{id}/resume": { ...action, operationId: "resumeLink", summary: "Open a suspended link again" },
  "POST /links/{id}/give-back": {
    ...action,
    operationId: "giveBack",
    summary: "Allow further deliveries",
    scope: "claims:write",
    body: z.strictObject({ count: z.int().min(1).max(1000).default(1), recipient: z.string().optional() }),
  },
  "GET /links/{id}/deliveries": {
    operationId: "listDeliveries",
    summary: "List who took a link, and when",
    scope: "links:read",
    discloses: "recipients",
    params: Id,
    query: PageQuery,
    answer: ok(pageOf(DeliveryResource), "Deliveries, newest first"),
  },
} satisfies Routes;

/** The rule of a caller. A token and the operator have one each, so that the token cannot lift the operator's. */
const ruleOf = (id: string, by: string): RevocationSelector => ({
  kind: "link",
  id,
  by: by === OPERATOR ? undefined : by,
});

export function linkActionHandlers(options: AdminOptions): Handlers<typeof linkActionRoutes> {
  const { links } = options;
  const { state } = links;
  const { find, show, change } = linkAccess(options);
  const revoke = (id: string, owner: string, by: string) =>
    state.revoke({ id: randomId(), selector: ruleOf(id, owner) }, by);

  return {
    async "POST /links/{id}/revoke"(call) {
      const { id } = (await find(call.caller, call.params.id)).link;
      const by = call.caller.owner;
      await state.revokeLink(id, by);
      // The rule cuts running transfers in every worker.
      links.apply([await revoke(id, by, by)]);
      return show(call, id);
    },
    async "POST /links/{id}/restore"(call) {
      const { link } = await find(call.caller, call.params.id);
      const by = call.caller.owner;
      if (link.revokedAt !== undefined) {
        const way = "the operator revoked the link: ask the operator to restore it";
        if (!mayRestore(link, by)) throw new AdminProblem(403, "REVOKED_BY_OPERATOR", way);
        await change(link, { revokedAt: null, revokedBy: null }, call.caller);
      }
      // The operator also lifts the rule of the token that owns the link.
      for (const owner of new Set([by, link.owner])) {
        const lifted = await state.lift((await revoke(link.id, owner, by)).id, by);
        if (lifted !== undefined) links.apply([lifted]);
      }
      return show(call, link.id);
    },
    async "POST /links/{id}/resume"(call) {
      const { link } = await find(call.caller, call.params.id);
      if (link.suspended !== undefined) await change(link, { suspended: null }, call.caller);
      return show(call, link.id);
    },
    async "POST /links/{id}/give-back"(call) {
      const { id: address } = call.params;
      const { link, variants } = await find(call.caller, address);
      const { count, recipient } = call.body;
      const isMeant = ({ id, name }: Variant): boolean =>
        recipient === undefined ? id === address || variants.length === 1 : name === recipient;
      const variant = variants.find(isMeant);
      if (variant === undefined && recipient === undefined)
        throw invalid("recipient: name one, as each has their own deliveries");
      if (variant === undefined)
        throw new AdminProblem(404, "NO_SUCH_RECIPIENT", "the link has no recipient of this name");
      await state.giveBack(variant.id, count, call.caller.owner);
      return show(call, link.id);
    },
    async "GET /links/{id}/deliveries"({ caller, params, query }) {
      const { link, variants } = await find(caller, params.id);
      const { items, next } = await state.listDeliveries(link.id, query);
      const resources = items.map(({ state: at, variant, claimedAt, completedAt, address, held, size }) => ({
        state: at,
        recipient: variants.find(({ id }) => id === variant)?.name,
        claimedAt: time(claimedAt),
        completedAt: optionalTime(completedAt),
        address,
        heldBytes: held,
        size,
      }));
      return { items: resources, next };
    },
  };
}
