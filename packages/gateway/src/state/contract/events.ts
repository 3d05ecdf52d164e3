/**
 * The actions of the audit and the events of webhooks, each a row. The types, the enumeration of the admin API, the help of the command line and the
 * table in docs/guide/webhooks.md derive from the rows. A test triggers every row in every engine.
 * @module
 */

/** What was done or requested. An action without a record is only announced, because nothing is decided. */
export const auditActions = {
  "link.created": { isRecorded: true },
  "link.edited": { isRecorded: true },
  "link.extended": { isRecorded: true },
  "link.revoked": { isRecorded: true },
  "link.restored": { isRecorded: true },
  "link.suspended": { isRecorded: true },
  "link.resumed": { isRecorded: true },
  "link.given-back": { isRecorded: true },
  "link.opened": { isRecorded: true },
  "link.read": { isRecorded: true },
  "link.viewed": { isRecorded: false },
  "link.expiring": { isRecorded: false },
  "proof.failed": { isRecorded: false },
  "delivery.claimed": { isRecorded: true },
  "delivery.started": { isRecorded: true },
  "delivery.continued": { isRecorded: true },
  "delivery.reserved": { isRecorded: true },
  "delivery.completed": { isRecorded: true },
  "delivery.failed": { isRecorded: true },
  "delivery.lapsed": { isRecorded: true },
  "delivery.ended": { isRecorded: true },
  "use.claimed": { isRecorded: true },
  "revocation.added": { isRecorded: true },
  "revocation.lifted": { isRecorded: true },
  "token.created": { isRecorded: true },
  "token.revoked": { isRecorded: true },
  "key.created": { isRecorded: true },
  "key.revoked": { isRecorded: true },
  "webhook.created": { isRecorded: true },
  "webhook.removed": { isRecorded: true },
  "admin.call": { isRecorded: true },
  "audit.cut": { isRecorded: true },
  "audit.accepted": { isRecorded: true },
  "audit.rotated": { isRecorded: true },
  "state.restored": { isRecorded: true },
} as const;

/**
 * What was done, or asked for.
 *
 * @useDeclaredType
 */
export type AuditAction = keyof typeof auditActions;

/** Decisions about a holder who opens a link or takes a delivery. */
const ATTEMPTS: readonly AuditAction[] = [
  "link.opened",
  "delivery.claimed",
  "delivery.started",
  "delivery.continued",
  "delivery.reserved",
];

/** An event that webhooks receive. */
interface EventRow {
  /** The action and the results of the entries that cause it. `attempt` is each action of {@link ATTEMPTS}. */
  readonly cause: readonly [action: AuditAction | "attempt", result: string, ...results: string[]];
  /** Whether it is announced once an hour for a link at most, and whether a webhook that names no event receives it. */
  readonly sent?: "hourly" | "by default";
  /** When it is announced, for people. */
  readonly when: string;
}

/** Every event of webhooks. */
export const notificationEvents = {
  "delivery.started": {
    cause: ["delivery.started", "ok"],
    sent: "by default",
    when: "a delivery sends its first byte",
  },
  "delivery.completed": {
    cause: ["delivery.completed", "ok"],
    sent: "by default",
    when: "the gateway handed every byte of the object to the connection",
  },
  "delivery.failed": {
    cause: ["delivery.failed", "interrupted"],
    when: "a response ended early; `?dl=` and ranges can continue it",
  },
  "link.viewed": {
    cause: ["link.viewed", "ok"],
    when: "a browser, or perhaps a mail scanner, opened the page",
  },
  "link.limit_reached": {
    cause: ["attempt", "used-up", "over-budget", "too-many-claims"],
    sent: "hourly",
    when: "a client was refused because the link is used up, or the client claims too often",
  },
  "link.file_changed": {
    cause: ["attempt", "changed"],
    sent: "hourly",
    when: "the object differs from the linked one",
  },
  "proof.failed": {
    cause: ["proof.failed", "ok"],
    sent: "hourly",
    when: "the password of a link was wrong five times in ten minutes",
  },
  "link.expiring": {
    cause: ["link.expiring", "ok"],
    when: "a link with a lifetime of two days or more has one day left",
  },
} as const;

/**
 * A kind of notification.
 *
 * @useDeclaredType
 */
export type NotificationType = keyof typeof notificationEvents;

const rows: Readonly<Record<NotificationType, EventRow>> = notificationEvents;

/** The kinds of notifications. */
export const notificationTypes: readonly NotificationType[] = Object.keys(rows) as NotificationType[];

/** The kinds that a webhook receives if it names none. */
export const defaultTypes: readonly NotificationType[] = typesSent("by default");

const hourlyTypes: ReadonlySet<NotificationType> = new Set(typesSent("hourly"));
const HOUR = 3_600_000;

/** The hour in which a kind is announced at most once for a link, in hours since 1970; `undefined` for a kind without this limit. */
export function announcingHour(type: NotificationType, at: number): number | undefined {
  return hourlyTypes.has(type) ? Math.floor(at / HOUR) : undefined;
}

function typesSent(wanted: EventRow["sent"]): NotificationType[] {
  return notificationTypes.filter((type) => rows[type].sent === wanted);
}

const causes: ReadonlyMap<string, NotificationType> = new Map(
  notificationTypes.flatMap((type) => {
    const [action, ...results] = rows[type].cause;
    const actions = action === "attempt" ? ATTEMPTS : [action];
    return actions.flatMap((one) => results.map((result) => [`${one} ${result}`, type] as const));
  }),
);

/** The facts of an entry that decide whether it causes a notification. */
interface Announced {
  readonly action: AuditAction;
  readonly result: string;
}

/** The kind of notification that an entry causes, if any. */
export function notificationOf({ action, result }: Announced): NotificationType | undefined {
  return causes.get(`${action} ${result}`);
}
