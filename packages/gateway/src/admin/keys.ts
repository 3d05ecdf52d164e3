/** Keys of the gateway in the admin API. A token with buckets or a prefix sees, creates and revokes only S3 keys within them. */
import { z } from "@hono/zod-openapi";
import { isBelow } from "../pipeline/scope-match.ts";
import type { AdminToken } from "../state/contract/tokens.ts";
import { AdminProblem, Id, instant, invalid } from "./http.ts";
import type { AdminKey, AdminKeys, AdminOptions } from "./options.ts";
import { created, done, type Handlers, listOf, ok, type Routes } from "./routes.ts";

const Kind = z.enum(["s3", "url"]);
const isName = (text: string): boolean => /^[^/]+$/.test(text);
const isMethod = (text: string): boolean => /^[A-Z]{3,16}$/.test(text);

const KeyScope = z
  .strictObject({
    buckets: z.array(z.string().refine(isName, "Send the name of a bucket.")).min(1).optional(),
    origins: z.array(z.string()).min(1).optional(),
    prefix: z.string().min(1).optional(),
    methods: z.array(z.string().refine(isMethod, "Send a method such as GET.")).min(1).optional(),
    maxLife: z.int().min(1).optional().openapi({ description: "The longest lifetime of a URL, in seconds." }),
    until: instant.optional().openapi({ description: "When the key and its URLs expire." }),
  })
  .openapi("KeyScope");

const KeyInput = z
  .strictObject({
    kind: Kind,
    ed25519: z.boolean().optional().openapi({ description: "For a `url` key with a public part." }),
    label: z.string().max(1000).optional(),
    scope: KeyScope.default({}).openapi({ description: "`buckets` are for `s3`, `origins` for `url`." }),
  })
  .openapi("KeyInput");

const KeyResource = z
  .object({
    id: z.string(),
    kind: Kind,
    algorithm: z.enum(["AWS4-HMAC-SHA256", "HS256", "Ed25519"]),
    label: z.string().optional(),
    scope: KeyScope,
    createdAt: instant,
    retiresAt: instant.optional(),
    revokedAt: instant.optional(),
    secretAccessKey: z.string().optional().openapi({ description: "Shown once, when an `s3` key is created." }),
    jwk: z.looseObject({}).optional().openapi({ description: "Shown once, when a `url` key is created." }),
  })
  .openapi("Key");

const MAX_KEYS = 1000;

export const keyRoutes = {
  "GET /keys": {
    operationId: "listKeys",
    summary: "List the keys, without secrets",
    scope: "keys:read",
    answer: ok(listOf(KeyResource), "Keys, without secrets"),
  },
  "POST /keys": {
    operationId: "createKey",
    summary: "Create a key",
    scope: "keys:write",
    body: KeyInput,
    answer: created(KeyResource, "The key, with its secret"),
  },
  "DELETE /keys/{id}": {
    operationId: "revokeKey",
    summary: "Revoke a key",
    scope: "keys:write",
    params: Id,
    answer: done("Revoked"),
  },
} satisfies Routes;

export const keyHandlers = (
  keys: AdminKeys,
  { clock, links: { state } }: AdminOptions,
): Handlers<typeof keyRoutes> => ({
  async "GET /keys"({ caller }) {
    return { items: (await keys.list()).filter((key) => isWithin(key, caller.token)).map(resource) };
  },
  async "POST /keys"({ caller: { token, owner }, body }) {
    const { kind, ed25519 = false, label, scope: given } = body;
    const foreign = kind === "s3" ? "origins" : "buckets";
    if (given[foreign] !== undefined) throw invalid(`scope.${foreign} is not for a key of the kind ${kind}.`);
    if (kind === "s3" && ed25519) throw invalid("ed25519 is only for a key of the kind url.");
    const end = given.until === undefined ? undefined : new Date(given.until);
    if (end !== undefined && end <= clock()) throw invalid("scope.until is past. Send a later instant.");
    const scope = end === undefined ? given : { ...given, until: end.toISOString() };
    if (!isWithin({ kind, scope }, token)) {
      const way = "create an s3 key with buckets and a prefix that the token has too";
      throw new AdminProblem(403, "TOKEN_SCOPE", `the key would exceed the token: ${way}`);
    }
    if ((await keys.list()).filter(({ revokedAt }) => revokedAt === undefined).length >= MAX_KEYS)
      throw invalid(`there are ${MAX_KEYS} keys: revoke one first`);
    const algorithm = kind === "s3" ? "AWS4-HMAC-SHA256" : ed25519 ? "Ed25519" : "HS256";
    const { key, secret } = await keys.create({ algorithm, label, scope });
    await state.record({ action: "key.created", by: owner, result: "ok", subject: key.id });
    return { ...resource(key), ...secret };
  },
  async "DELETE /keys/{id}"({ caller: { token, owner }, params: { id } }) {
    if (!(await keys.list()).some((key) => key.id === id && isWithin(key, token)))
      throw new AdminProblem(404, "NO_SUCH_KEY", "no key has this id");
    await keys.revoke(id);
    await state.record({ action: "key.revoked", by: owner, result: "ok", subject: id });
  },
});

/** Whether a key grants nothing outside a token. A URL key has no bucket, so no token with limits covers it. */
function isWithin({ kind, scope }: Pick<AdminKey, "kind" | "scope">, token: AdminToken | undefined): boolean {
  const { buckets, prefix } = token ?? {};
  if (buckets === undefined && prefix === undefined) return true;
  if (kind !== "s3") return false;
  if (buckets !== undefined && !scope.buckets?.every((bucket) => buckets.includes(bucket))) return false;
  return prefix === undefined || (scope.prefix !== undefined && isBelow(prefix, scope.prefix));
}

function resource({ id, kind, algorithm, label, scope, createdAt, retiresAt, revokedAt }: AdminKey): AdminKey {
  return { id, kind, algorithm, label, scope, createdAt, retiresAt, revokedAt };
}
