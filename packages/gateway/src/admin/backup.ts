/** Backup of the state in the admin API. */
import { z } from "@hono/zod-openapi";
import { AdminProblem } from "./http.ts";
import type { AdminOptions } from "./options.ts";
import { done, type Handlers, type Routes } from "./routes.ts";

const BackupInput = z
  .strictObject({
    path: z.string().startsWith("/").openapi({ description: "A new file on the machine of the gateway." }),
  })
  .openapi("BackupInput");

export const backupRoutes = {
  "POST /backup": {
    operationId: "backUp",
    summary: "Copy the state while it serves",
    scope: "local",
    body: BackupInput,
    answer: done("Written"),
  },
} satisfies Routes;

export const backupHandlers = ({ links: { state } }: AdminOptions): Handlers<typeof backupRoutes> => ({
  async "POST /backup"({ body }) {
    await state.backup(body.path).catch((error: Error) => {
      throw new AdminProblem(400, "BACKUP_FAILED", error.message);
    });
  },
});
