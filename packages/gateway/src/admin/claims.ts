/** Uses of Daypass URLs in the admin API, for apps that verify URLs themselves. */
import { z } from "@hono/zod-openapi";
import { instant } from "./http.ts";
import type { AdminOptions } from "./options.ts";
import { type Handlers, ok, type Routes } from "./routes.ts";

const ClaimInput = z
  .strictObject({
    keyId: z.string().min(1).max(256).openapi({ description: "`keyId` of the grant." }),
    grantId: z.string().min(1).max(256).openapi({ description: "`id` of the grant." }),
    uses: z.int().min(1).openapi({ description: "How often the URL may be used, as its signature says." }),
    until: instant.openapi({ description: "When the URL expires: its count may go then." }),
  })
  .openapi("ClaimInput");

const Claim = z
  .object({ claimed: z.boolean().openapi({ description: "False if all uses of the URL are spent." }) })
  .openapi("Claim");

export const claimRoutes = {
  "POST /claims": {
    operationId: "claimUse",
    summary: "Count one use of a verified Daypass URL",
    description: "A repeated call counts another use.",
    scope: "claims:write",
    allBuckets: true,
    body: ClaimInput,
    answer: ok(Claim, "Whether this use was left"),
  },
} satisfies Routes;

export const claimHandlers = ({ links: { state } }: AdminOptions): Handlers<typeof claimRoutes> => ({
  async "POST /claims"({ body: { keyId, until, ...use } }) {
    return { claimed: await state.claimUse({ ...use, kid: keyId, until: Date.parse(until) }) };
  },
});
