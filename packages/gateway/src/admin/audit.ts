/** The audit in the admin API: reading it takes the scope `audit:read`, and a token for all buckets. */
import { z } from "@hono/zod-openapi";
import { auditLines } from "../audit/export.ts";
import { receiptOf } from "../audit/receipt.ts";
import {
  type AdminApp,
  AdminProblem,
  allBuckets,
  guardedRoute,
  json,
  operatorOnly,
  responses,
  toProblem,
} from "./http.ts";
import type { AdminOptions } from "./options.ts";

const Writer = z.object({ writer: z.string(), last: z.int() }).openapi("AuditWriter");
const Record = z
  .object({
    writer: z.string(),
    sequence: z.int(),
    record: z.string().openapi({ description: "JSON, as it is hashed." }),
    mac: z.string().optional().openapi({ description: "On the last record of a commit, its MAC." }),
  })
  .openapi("AuditRecord");
const Receipt = z
  .object({
    version: z.literal(1),
    sequence: z.int(),
    record: z.string(),
    path: z.array(z.string()),
    head: z.string(),
    signature: z.string(),
  })
  .openapi("AuditReceipt");

/** Requests that a tail repeats: to put each on record would make the next one find a record. */
export const UNRECORDED_PATHS: ReadonlySet<string> = new Set(["/audit/writers", "/audit/records"]);

/** Adds the routes of the audit. */
export function addAuditRoutes(app: AdminApp, { links: { state }, clock }: AdminOptions): void {
  app.openapi(
    guardedRoute(allBuckets("audit:read"), {
      method: "get",
      path: "/audit/writers",
      responses: responses({ 200: json(z.object({ items: z.array(Writer) }), "The writers of records") }),
    }),
    async (context) => {
      const items = (await state.auditWriters()).map(({ writer, last }) => ({ writer, last }));
      return context.json({ items }, 200) as never;
    },
  );
  app.openapi(
    guardedRoute(allBuckets("audit:read"), {
      method: "get",
      path: "/audit/records",
      request: {
        query: z.object({
          writer: z.string(),
          after: z.coerce.number().int().min(0).default(0),
          limit: z.coerce.number().int().min(1).max(1000).default(100),
        }),
      },
      responses: responses({ 200: json(z.object({ items: z.array(Record) }), "Records of a writer, in order") }),
    }),
    async (context) => {
      return context.json({ items: await state.auditRecords(context.req.valid("query")) }, 200) as never;
    },
  );
  app.openapi(
    guardedRoute(allBuckets("audit:read"), {
      method: "get",
      path: "/audit/export",
      request: { query: z.object({ heads: z.enum(["true", "false"]).default("false") }) },
      responses: responses({
        200: {
          description: "Lines of JSON, as docs/spec/audit.md describes them",
          content: { "application/x-ndjson": { schema: z.string() } },
        },
      }),
    }),
    async (context) => {
      const lines = auditLines(state, { headsOnly: context.req.valid("query").heads === "true", now: clock() });
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          const chunk: string[] = [];
          for (let next = await lines.next(); ; next = await lines.next()) {
            if (next.done === true) break;
            if (chunk.push(next.value) === LINES) break;
          }
          if (chunk.length > 0) controller.enqueue(Buffer.from(`${chunk.join("\n")}\n`));
          if (chunk.length < LINES) controller.close();
        },
        cancel: () => void lines.return(undefined),
      });
      return new Response(body, { headers: { "content-type": "application/x-ndjson" } }) as never;
    },
  );
  app.openapi(
    guardedRoute(operatorOnly, {
      method: "post",
      path: "/audit/accept-restore",
      responses: responses({ 200: json(z.object({ accepted: z.string() }), "Why the gateway had stopped signing") }),
    }),
    async (context) => {
      if (state.acceptRestore === undefined)
        throw new AdminProblem(409, "NOT_ACCEPTED", "no audit is signed here: call the gateway that signs it");
      const accepted = await state.acceptRestore().catch((error: Error) => {
        throw toProblem(error).code === "INTERNAL" ? new AdminProblem(409, "NOT_ACCEPTED", error.message) : error;
      });
      return context.json({ accepted }, 200) as never;
    },
  );
  app.openapi(
    guardedRoute(allBuckets("audit:read"), {
      method: "get",
      path: "/audit/receipts/{writer}/{sequence}",
      request: { params: z.object({ writer: z.string(), sequence: z.coerce.number().int().min(1) }) },
      responses: responses({ 200: json(Receipt, "A record with what proves it") }),
    }),
    async (context) => {
      const { writer, sequence } = context.req.valid("param");
      const receipt = await receiptOf(state, writer, sequence);
      if (receipt === undefined) {
        throw new AdminProblem(
          404,
          "NO_SUCH_RECORD",
          "no such record, or no head covers it yet: heads are made every minute",
        );
      }
      return context.json(receipt, 200) as never;
    },
  );
}

const LINES = 500;
