/** Backup of the state in the admin API. */
import { z } from "@hono/zod-openapi";
import { type AdminApp, AdminProblem, guardedRoute, json, operatorOnly, responses } from "./http.ts";
import type { AdminOptions } from "./options.ts";

const BackupInput = z
  .strictObject({
    path: z.string().startsWith("/").openapi({ description: "A new file on the machine of the gateway." }),
  })
  .openapi("BackupInput");

/** Adds the route that copies the state while it serves. */
export function addBackupRoute(app: AdminApp, { links: { state } }: AdminOptions): void {
  app.openapi(
    guardedRoute(operatorOnly, {
      method: "post",
      path: "/backup",
      request: { body: json(BackupInput, "Where to write the copy") },
      responses: responses({ 204: { description: "Written" } }),
    }),
    async (context) => {
      await state.backup(context.req.valid("json").path).catch((error: Error) => {
        throw new AdminProblem(400, "BACKUP_FAILED", error.message);
      });
      return context.body(null, 204) as never;
    },
  );
}
