/** Webhooks and dead letters in the admin API. A token sees its own webhooks, which hear of its own links. */
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { randomId } from "../links/identifiers.ts";
import { webhookSecret } from "../notify/send.ts";
import { TargetRefused, targetGuard } from "../notify/target.ts";
import { notificationTypes } from "../state/contract/audit.ts";
import type { Notification, Webhook } from "../state/contract/outbox.ts";
import { type AdminApp, type AdminEnv, AdminProblem, guardedRoute, json, responses, scope, time } from "./http.ts";
import type { AdminOptions } from "./options.ts";

const instant = z.iso.datetime({ offset: true });
const Event = z.enum(notificationTypes);
const DEFAULT_EVENTS = ["delivery.started", "delivery.completed"] as const;

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

const Id = z.object({ id: z.string().min(1).max(64) });
const MAX_WEBHOOKS = 100;

/** Adds the routes of webhooks. */
export function addWebhookRoutes(app: AdminApp, { links, clock, webhookNetworks = [] }: AdminOptions): void {
  const { state, stateKey } = links;
  const guard = targetGuard({ allowNetworks: webhookNetworks });

  /** The webhooks that the caller may see. */
  async function ownWebhooks(context: Context<AdminEnv>): Promise<readonly Webhook[]> {
    const { token, owner } = context.var.caller;
    return (await state.listWebhooks()).filter((one) => token === undefined || one.owner === owner);
  }

  async function ownWebhook(context: Context<AdminEnv>, id: string): Promise<Webhook> {
    const found = (await ownWebhooks(context)).find((one) => one.id === id);
    if (found === undefined) throw new AdminProblem(404, "NO_SUCH_WEBHOOK", "no webhook has this id");
    return found;
  }

  /** Dead letters of the caller's webhooks. */
  async function deadLetters(context: Context<AdminEnv>): Promise<readonly Notification[]> {
    const own = new Set((await ownWebhooks(context)).map(({ id }) => id));
    const found: Notification[] = [];
    for (let page = await state.listDeadLetters(0, PAGE); page.length > 0; ) {
      found.push(...page.filter(({ webhook }) => own.has(webhook)));
      page = page.length < PAGE ? [] : await state.listDeadLetters(page.at(-1)?.id ?? 0, PAGE);
    }
    return found;
  }

  app.openapi(
    guardedRoute(scope("links:write"), {
      method: "post",
      path: "/webhooks",
      request: { body: json(WebhookInput, "What to announce, and where") },
      responses: responses({ 201: json(WebhookResource, "The webhook, with its secret") }),
    }),
    async (context) => {
      const { owner, token } = context.var.caller;
      const { url, events = DEFAULT_EVENTS, link } = context.req.valid("json");
      try {
        guard.check(url);
      } catch (error) {
        if (error instanceof TargetRefused) throw new AdminProblem(400, error.code, error.message);
        throw error;
      }
      const target = link === undefined ? undefined : await state.getLink(link);
      if (link !== undefined && (target === undefined || (token !== undefined && target.link.owner !== owner)))
        throw new AdminProblem(404, "NO_SUCH_LINK", "no link has this id");
      if ((await ownWebhooks(context)).length >= MAX_WEBHOOKS)
        throw new AdminProblem(400, "INVALID_INPUT", `there are ${MAX_WEBHOOKS} webhooks: remove one first`);
      const webhook: Webhook = { id: randomId(), url, events: [...events], owner, link, createdAt: clock().getTime() };
      await state.addWebhook(webhook, owner);
      return context.json({ ...resource(webhook), secret: webhookSecret(stateKey, webhook.id) }, 201) as never;
    },
  );
  app.openapi(
    guardedRoute(scope("links:read"), {
      method: "get",
      path: "/webhooks",
      responses: responses({ 200: json(z.object({ items: z.array(WebhookResource) }), "Webhooks, oldest first") }),
    }),
    async (context) => {
      const items = (await ownWebhooks(context)).map(resource);
      return context.json({ items }, 200) as never;
    },
  );
  app.openapi(
    guardedRoute(scope("links:write"), {
      method: "delete",
      path: "/webhooks/{id}",
      request: { params: Id },
      responses: responses({ 204: { description: "Removed, with its notifications" } }),
    }),
    async (context) => {
      const { id } = await ownWebhook(context, context.req.valid("param").id);
      await state.removeWebhook(id, context.var.caller.owner);
      return context.body(null, 204) as never;
    },
  );
  app.openapi(
    guardedRoute(scope("links:read"), {
      method: "get",
      path: "/dead-letters",
      responses: responses({ 200: json(z.object({ items: z.array(DeadLetter) }), "Dead letters, oldest first") }),
    }),
    async (context) => {
      const items = (await deadLetters(context)).map(({ url: _, createdAt, ...one }) => ({
        ...one,
        createdAt: time(createdAt),
      }));
      return context.json({ items }, 200) as never;
    },
  );
  const Resent = z.object({ resent: z.int() });
  app.openapi(
    guardedRoute(scope("links:write"), {
      method: "post",
      path: "/dead-letters/{id}/resend",
      request: { params: z.object({ id: z.coerce.number().int().min(1) }) },
      responses: responses({ 200: json(Resent, "How many are sent again") }),
    }),
    async (context) => {
      const { id } = context.req.valid("param");
      if (!(await deadLetters(context)).some((one) => one.id === id))
        throw new AdminProblem(404, "NO_SUCH_DEAD_LETTER", "no dead letter has this id");
      return context.json({ resent: await state.resendDeadLetters({ id }) }, 200) as never;
    },
  );
  app.openapi(
    guardedRoute(scope("links:write"), {
      method: "post",
      path: "/webhooks/{id}/resend",
      request: { params: Id },
      responses: responses({ 200: json(Resent, "How many are sent again") }),
    }),
    async (context) => {
      const { id } = await ownWebhook(context, context.req.valid("param").id);
      return context.json({ resent: await state.resendDeadLetters({ webhook: id }) }, 200) as never;
    },
  );
}

const PAGE = 1000;

function resource({ createdAt, events, ...webhook }: Webhook): z.infer<typeof WebhookResource> {
  return { ...webhook, events: [...events], createdAt: time(createdAt) };
}
