/** Uses of Daypass URLs in the admin API, for apps that verify URLs themselves. */
import { z } from "@hono/zod-openapi";
import { type AdminApp, allBuckets, guardedRoute, json, responses } from "./http.ts";
import type { AdminOptions } from "./options.ts";

const ClaimInput = z
  .strictObject({
    keyId: z.string().min(1).max(256).openapi({ description: "`keyId` of the grant." }),
    grantId: z.string().min(1).max(256).openapi({ description: "`id` of the grant." }),
    uses: z.int().min(1).openapi({ description: "How often the URL may be used, as its signature says." }),
    until: z.iso.datetime({ offset: true }).openapi({ description: "When the URL expires: its count may go then." }),
  })
  .openapi("ClaimInput");

const Claim = z
  .object({ claimed: z.boolean().openapi({ description: "False if all uses of the URL are spent." }) })
  .openapi("Claim");

/** Adds the route that counts a use. */
export function addClaimRoute(app: AdminApp, { links: { state } }: AdminOptions): void {
  app.openapi(
    guardedRoute(allBuckets("claims:write"), {
      method: "post",
      path: "/claims",
      description: "Counts one use of a verified Daypass URL. A repeated call counts another use.",
      request: { body: json(ClaimInput, "The grant that is used") },
      responses: responses({ 200: json(Claim, "Whether this use was left") }),
    }),
    async (context) => {
      const { keyId, until, ...use } = context.req.valid("json");
      const claimed = await state.claimUse({ ...use, kid: keyId, until: Date.parse(until) });
      return context.json({ claimed }, 200) as never;
    },
  );
}
