/** Webhooks and dead letters in the admin API. A token sees its own webhooks, which hear of its links. */
import { z } from "@hono/zod-openapi";
import { randomId } from "../links/identifiers.ts";
import { webhookSecret } from "../notify/send.ts";
import { TargetRefused, targetGuard } from "../notify/target.ts";
import { defaultTypes, notificationTypes } from "../state/contract/events.ts";
import type { Notification, Webhook } from "../state/contract/outbox.ts";
import { AdminProblem, type Caller, Id, instant, invalid, time } from "./http.ts";
import type { AdminOptions } from "./options.ts";
import { created, done, type Handlers, listOf, ok, type Routes } from "./routes.ts";

const Event = z.enum(notificationTypes);

const WebhookInput = z
  .strictObject({
    url: z.string().max(2000).openapi({ example: "https://example.com/daypass" }),
    events: z.array(Event).min(1).optional().openapi({ description: "Started and completed deliveries by default." }),
    link: z.string().max(64).optional().openapi({ description: "Only this link." }),
  })
  .openapi("WebhookInput");

const WebhookResource = z
  .object({
    id: z.string(),
    url: z.string(),
    events: z.array(Event),
    owner: z.string(),
    link: z.string().optional(),
    secret: z.string().optional().openapi({ description: "Shown once, when the webhook is created." }),
    createdAt: instant,
  })
  .openapi("Webhook");

const DeadLetter = z
  .object({
    id: z.int(),
    webhook: z.string(),
    link: z.string(),
    message: z.string(),
    body: z.string(),
    failures: z.int(),
    error: z.string().optional(),
    createdAt: instant,
  })
  .openapi("DeadLetter");

const MAX_WEBHOOKS = 100;
const Resent = z.object({ resent: z.int() });

export const webhookRoutes = {
  "POST /webhooks": {
    operationId: "createWebhook",
    summary: "Announce events to a URL",
    scope: "links:write",
    body: WebhookInput,
    answer: created(WebhookResource, "The webhook, with its secret"),
  },
  "GET /webhooks": {
    operationId: "listWebhooks",
    summary: "List the webhooks",
    scope: "links:read",
    answer: ok(listOf(WebhookResource), "Webhooks, oldest first"),
  },
  "DELETE /webhooks/{id}": {
    operationId: "removeWebhook",
    summary: "Remove a webhook with its notifications",
    scope: "links:write",
    params: Id,
    answer: done("Removed, with its notifications"),
  },
  "GET /dead-letters": {
    operationId: "listDeadLetters",
    summary: "List notifications that were given up",
    scope: "links:read",
    answer: ok(listOf(DeadLetter), "Dead letters, oldest first"),
  },
  "POST /dead-letters/{id}/resend": {
    operationId: "resendDeadLetter",
    summary: "Send a dead letter again",
    scope: "links:write",
    params: z.object({ id: z.coerce.number().int().min(1) }),
    answer: ok(Resent, "How many are sent again"),
  },
  "POST /webhooks/{id}/resend": {
    operationId: "resendWebhook",
    summary: "Send all dead letters of a webhook again",
    scope: "links:write",
    params: Id,
    answer: ok(Resent, "How many are sent again"),
  },
} satisfies Routes;

export function webhookHandlers({ links, clock, webhookNetworks = [] }: AdminOptions): Handlers<typeof webhookRoutes> {
  const { state, stateKey } = links;
  const guard = targetGuard({ allowNetworks: webhookNetworks });

  /** The webhooks that the caller may see. */
  async function ownWebhooks({ token, owner }: Caller): Promise<readonly Webhook[]> {
    return (await state.listWebhooks()).filter((one) => token === undefined || one.owner === owner);
  }

  async function ownWebhook(caller: Caller, id: string): Promise<Webhook> {
    const found = (await ownWebhooks(caller)).find((one) => one.id === id);
    if (found === undefined) throw new AdminProblem(404, "NO_SUCH_WEBHOOK", "no webhook has this id");
    return found;
  }

  /** Dead letters of the caller's webhooks. */
  async function deadLetters(caller: Caller): Promise<readonly Notification[]> {
    const own = new Set((await ownWebhooks(caller)).map(({ id }) => id));
    const found: Notification[] = [];
    for (let page = await state.listDeadLetters(0, PAGE); page.length > 0; ) {
      found.push(...page.filter(({ webhook }) => own.has(webhook)));
      page = page.length < PAGE ? [] : await state.listDeadLetters(page.at(-1)?.id ?? 0, PAGE);
    }
    return found;
  }

  return {
    async "POST /webhooks"({ caller, body: { url, events = defaultTypes, link } }) {
      const { owner, token } = caller;
      try {
        guard.check(url);
      } catch (error) {
        if (error instanceof TargetRefused) throw new AdminProblem(400, error.code, error.message);
        throw error;
      }
      const target = link === undefined ? undefined : await state.getLink(link);
      if (link !== undefined && (target === undefined || (token !== undefined && target.link.owner !== owner)))
        throw new AdminProblem(404, "NO_SUCH_LINK", "no link has this id");
      if ((await ownWebhooks(caller)).length >= MAX_WEBHOOKS)
        throw invalid(`there are ${MAX_WEBHOOKS} webhooks: remove one first`);
      const webhook: Webhook = { id: randomId(), url, events, owner, link, createdAt: clock().getTime() };
      await state.addWebhook(webhook, owner);
      return { ...resource(webhook), secret: webhookSecret(stateKey, webhook.id) };
    },
    async "GET /webhooks"({ caller }) {
      return { items: (await ownWebhooks(caller)).map(resource) };
    },
    async "DELETE /webhooks/{id}"({ caller, params }) {
      const { id } = await ownWebhook(caller, params.id);
      await state.removeWebhook(id, caller.owner);
    },
    async "GET /dead-letters"({ caller }) {
      const found = await deadLetters(caller);
      return { items: found.map(({ url: _, createdAt, ...one }) => ({ ...one, createdAt: time(createdAt) })) };
    },
    async "POST /dead-letters/{id}/resend"({ caller, params: { id } }) {
      if (!(await deadLetters(caller)).some((one) => one.id === id))
        throw new AdminProblem(404, "NO_SUCH_DEAD_LETTER", "no dead letter has this id");
      return { resent: await state.resendDeadLetters({ id }) };
    },
    async "POST /webhooks/{id}/resend"({ caller, params }) {
      const { id } = await ownWebhook(caller, params.id);
      return { resent: await state.resendDeadLetters({ webhook: id }) };
    },
  };
}

const PAGE = 1000;

const resource = ({ createdAt, ...webhook }: Webhook) => ({ ...webhook, createdAt: time(createdAt) });
