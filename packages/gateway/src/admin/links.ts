/** Links in the admin API: what creates, shows and edits them. */
import { createHash } from "node:crypto";
import { z } from "@hono/zod-openapi";
import { createLink, type LinkRequest, type LinkTools } from "../links/create-link.ts";
import { ruleOfEdit } from "../links/current-visit.ts";
import { editLink } from "../links/edit-link.ts";
import { randomId } from "../links/identifiers.ts";
import type { Link } from "../state/contract/fields.ts";
import { existingTarget } from "./existing-target.ts";
import { AdminProblem, Id, invalid, PageQuery } from "./http.ts";
import { linkAccess } from "./link-access.ts";
import { LinkEdit, LinkInput, LinkResource } from "./link-resource.ts";
import { expectTarget, hintsFor, readTarget, setOf } from "./link-target.ts";
import type { AdminOptions } from "./options.ts";
import { created, type Handlers, ok, pageOf, type Routes } from "./routes.ts";

export const linkRoutes = {
  "POST /links": {
    operationId: "createLink",
    summary: "Share an object, a prefix, a set of them, or a route",
    description: "An idempotency key repeats one request: then the answer describes the link that it created.",
    scope: "links:write",
    headers: z.object({ "idempotency-key": z.string().max(100).optional() }),
    body: LinkInput,
    answer: created(LinkResource, "The new link"),
  },
  "GET /links": {
    operationId: "listLinks",
    summary: "List the links",
    scope: "links:read",
    discloses: "recipients",
    query: PageQuery,
    answer: ok(pageOf(LinkResource), "Links, newest first"),
  },
  "GET /links/{id}": {
    operationId: "getLink",
    summary: "Show a link",
    description: "The ETag is its version.",
    scope: "links:read",
    discloses: "recipients",
    params: Id,
    answer: ok(LinkResource, "The link"),
  },
  "PATCH /links/{id}": {
    operationId: "editLink",
    summary: "Change a link",
    description: "A null removes a value. If-Match has the ETag of the link, or `*`.",
    scope: "links:write",
    params: Id,
    headers: z.object({ "if-match": z.string().optional() }),
    body: LinkEdit,
    answer: ok(LinkResource, "The link"),
  },
} satisfies Routes;

export function linkHandlers(options: AdminOptions): Handlers<typeof linkRoutes> {
  const { links, storage, clock, handsOver, places = () => [] } = options;
  const { state, passwords } = links;
  const head = (bucket: string, key: string) => storage.head({ bucket, key });
  const tools: LinkTools = { state, passwords, clock, head, handsOver };
  const { find, show, shown, change, expectVersion } = linkAccess(options);

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

  return {
    async "POST /links"(call) {
      const { owner } = call.caller;
      const { target, targets, ...input } = call.body;
      const locate = (text: string) => {
        const hints = hintsFor(text, call.caller, options);
        const named = readTarget(text, input, places(), hints);
        expectTarget(call.caller, named);
        return existingTarget(named, storage, hints);
      };
      if ((target === undefined) === (targets === undefined)) throw invalid("target: send either target or targets");
      const place = targets === undefined ? await locate(target ?? "") : setOf(await Promise.all(targets.map(locate)));
      const repeated = call.headers["idempotency-key"];
      const request: LinkRequest = {
        ...input,
        ...place,
        owner,
        idempotencyKey: repeated === undefined ? undefined : `${owner} ${repeated}`,
        fingerprint: repeated === undefined ? undefined : fingerprintOf(call.body),
      };
      const { link, isNew } = await createLink(request, tools);
      if (!isNew) await expectRepetition(link, request);
      return show(call, link.id);
    },
    async "GET /links"({ caller: { token, owner }, query }) {
      const { items, next } = await state.listLinks({ ...query, owner: token && owner });
      return { items: items.map(shown), next };
    },
    async "GET /links/{id}"(call) {
      const { link } = await find(call.caller, call.params.id);
      return show(call, link.id);
    },
    async "PATCH /links/{id}"(call) {
      const { link } = await find(call.caller, call.params.id);
      expectVersion(link, call.headers["if-match"]);
      const { maxBytes, networks } = call.body;
      if (link.kind === "route" && (maxBytes ?? networks)) {
        const limits = { maxBytes: maxBytes ?? undefined, networks: networks ?? undefined };
        readTarget(`${link.bucket}/${link.key}`, limits, places());
      }
      const changed = await editLink(link, call.body, tools);
      const visitRule = ruleOfEdit(link, changed, clock().getTime());
      if (visitRule !== undefined)
        links.apply([await state.revoke({ id: randomId(), ...visitRule }, call.caller.owner)]);
      await change(link, changed, call.caller);
      return show(call, link.id);
    },
  };
}

function fingerprintOf({ password, ...body }: z.output<typeof LinkInput>): string {
  const text = JSON.stringify([body, password !== undefined]);
  return createHash("sha256").update(text).digest("base64url");
}
