/** The audit in the admin API: reading it takes the scope `audit:read`, and a token for all buckets. */
import { z } from "@hono/zod-openapi";
import { auditLines } from "../audit/export.ts";
import { receiptOf } from "../audit/receipt.ts";
import { AdminProblem, toProblem } from "./http.ts";
import type { AdminOptions } from "./options.ts";
import { type Handlers, listOf, ok, type Routes } from "./routes.ts";

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

export const auditRoutes = {
  "GET /audit/writers": {
    operationId: "listAuditWriters",
    summary: "List the writers of records",
    scope: "audit:read",
    allBuckets: true,
    answer: ok(listOf(Writer), "The writers of records"),
  },
  "GET /audit/records": {
    operationId: "listAuditRecords",
    summary: "List records of a writer",
    scope: "audit:read",
    allBuckets: true,
    discloses: "audit",
    query: z.object({
      writer: z.string(),
      after: z.coerce.number().int().min(0).default(0),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
    }),
    answer: ok(listOf(Record), "Records of a writer, in order"),
  },
  "GET /audit/export": {
    operationId: "exportAudit",
    summary: "Export all records with their heads, or the heads alone",
    scope: "audit:read",
    allBuckets: true,
    discloses: "audit",
    query: z.object({ heads: z.enum(["true", "false"]).default("false") }),
    answer: {
      status: 200,
      type: "application/x-ndjson",
      description: "Lines of JSON, as docs/spec/audit.md describes them",
    },
  },
  "POST /audit/accept-restore": {
    operationId: "acceptRestore",
    summary: "Sign on after a restore or a failover",
    scope: "local",
    answer: ok(z.object({ accepted: z.string() }), "Why the gateway had stopped signing"),
  },
  "GET /audit/receipts/{writer}/{sequence}": {
    operationId: "getReceipt",
    summary: "Show a record with what proves it",
    scope: "audit:read",
    allBuckets: true,
    discloses: "audit",
    params: z.object({ writer: z.string(), sequence: z.coerce.number().int().min(1) }),
    answer: ok(Receipt, "A record with what proves it"),
  },
} satisfies Routes;

export const auditHandlers = ({ links: { state }, clock }: AdminOptions): Handlers<typeof auditRoutes> => ({
  async "GET /audit/writers"() {
    return { items: (await state.auditWriters()).map(({ writer, last }) => ({ writer, last })) };
  },
  async "GET /audit/records"({ query }) {
    return { items: await state.auditRecords(query) };
  },
  async "GET /audit/export"({ query }) {
    const lines = auditLines(state, { headsOnly: query.heads === "true", now: clock() });
    return new ReadableStream<Uint8Array>({
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
  },
  async "POST /audit/accept-restore"() {
    if (state.acceptRestore === undefined)
      throw new AdminProblem(409, "NOT_ACCEPTED", "no audit is signed here: call the gateway that signs it");
    const accepted = await state.acceptRestore().catch((error: Error) => {
      throw toProblem(error).code === "INTERNAL" ? new AdminProblem(409, "NOT_ACCEPTED", error.message) : error;
    });
    return { accepted };
  },
  async "GET /audit/receipts/{writer}/{sequence}"({ params: { writer, sequence } }) {
    const receipt = await receiptOf(state, writer, sequence);
    if (receipt !== undefined) return receipt;
    const { last } = (await state.auditWriters()).find((one) => one.writer === writer) ?? { last: 0 };
    const reason =
      sequence > last
        ? `the writer ${writer} has ${last} records, and no record ${sequence}`
        : `record ${sequence} was removed, or no head covers it yet. Heads are signed every minute: ask again then`;
    throw new AdminProblem(404, "NO_SUCH_RECORD", reason);
  },
});

const LINES = 500;
