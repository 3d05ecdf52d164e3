/** Buckets and objects in the admin API: what an owner looks at before sharing. */
import { z } from "@hono/zod-openapi";
import { scopeBreach } from "../pipeline/scope-match.ts";
import { type ListPosition, positionAfter } from "../storage/contract/listing.ts";
import { AdminProblem, type Caller, instant, invalid } from "./http.ts";
import type { AdminOptions } from "./options.ts";
import { type Handlers, listOf, ok, pageOf, type Routes } from "./routes.ts";

const Bucket = z.object({ name: z.string(), createdAt: instant }).openapi("Bucket");

const Entry = z
  .discriminatedUnion("kind", [
    z.object({ kind: z.literal("folder"), key: z.string() }),
    z.object({ kind: z.literal("object"), key: z.string(), size: z.int(), changedAt: instant }),
  ])
  .openapi("ObjectEntry");

export const objectRoutes = {
  "GET /buckets": {
    operationId: "listBuckets",
    summary: "List the buckets that the caller may see",
    scope: "objects:read",
    answer: ok(listOf(Bucket), "Buckets, by name"),
  },
  "GET /objects": {
    operationId: "listObjects",
    summary: "List a folder of a bucket",
    description: "Names that begin with a dot are shown: the owner sees what links leave out.",
    scope: "objects:read",
    query: z.object({
      bucket: z.string().min(1).max(300),
      prefix: z.string().max(1024).default(""),
      cursor: z.string().max(4000).optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(1000),
    }),
    answer: ok(pageOf(Entry), "Objects and folders, in the order of their UTF-8 bytes"),
  },
} satisfies Routes;

export const objectHandlers = ({ storage }: AdminOptions): Handlers<typeof objectRoutes> => ({
  async "GET /buckets"({ caller }) {
    const buckets = (await storage.buckets()).filter(({ name }) => caller.token?.buckets?.includes(name) ?? true);
    return { items: buckets.map(({ name, created }) => ({ name, createdAt: created.toISOString() })) };
  },
  async "GET /objects"({ caller, query: { bucket, prefix, cursor, limit } }) {
    expectFolder(caller, bucket, prefix);
    const after = cursor === undefined ? undefined : positionOf(cursor);
    const { entries, truncated } = await storage.list(bucket, { prefix, delimiter: "/", after, limit });
    const last = entries.at(-1);
    return {
      items: entries.map((entry) =>
        entry.kind === "prefix"
          ? { kind: "folder" as const, key: entry.prefix }
          : { kind: "object" as const, key: entry.key, size: entry.size, changedAt: entry.lastModified.toISOString() },
      ),
      next: truncated && last !== undefined ? cursorOf(positionAfter(last)) : undefined,
    };
  },
});

/** @throws {AdminProblem} if the caller's token is for other buckets or prefixes */
function expectFolder({ token }: Caller, bucket: string, prefix: string): void {
  if (token === undefined) return;
  const limits = { buckets: token.buckets, prefix: token.prefix, methods: undefined };
  const breach = scopeBreach(limits, { bucket, key: prefix }, "GET");
  if (breach !== undefined) throw new AdminProblem(403, "TOKEN_SCOPE", `the folder is outside the token's ${breach}`);
}

const Position = z.union([z.strictObject({ key: z.string() }), z.strictObject({ prefix: z.string() })]);

function cursorOf(position: ListPosition): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}

function positionOf(cursor: string): ListPosition {
  try {
    return Position.parse(JSON.parse(Buffer.from(cursor, "base64url").toString()));
  } catch {
    throw invalid("cursor: send the next of the page before");
  }
}
