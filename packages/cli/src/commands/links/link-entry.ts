import type { AdminAnswer } from "../../admin/admin-client.ts";
import { escapeControls } from "../../terminal-text.ts";

type Link = AdminAnswer<"GET /links/{id}">;

const STATES: Readonly<Record<Link["status"], string>> = {
  open: "active",
  "not-yet": "not yet",
  expired: "expired",
  "used-up": "used up",
  revoked: "withdrawn",
  suspended: "suspended",
};

/** What a set contains: "3 files and 1 folder". */
export function contentText(targets: readonly string[]): string {
  const folders = targets.filter((target) => target.endsWith("/")).length;
  const count = (n: number, noun: string) => (n === 0 ? [] : [`${n} ${noun}${n === 1 ? "" : "s"}`]);
  return [...count(targets.length - folders, "file"), ...count(folders, "folder")].join(" and ");
}

/**
 * A link in a list on a terminal: a line in columns, and below it what it shares. Addresses come last and are whole, because people copy
 * them. The columns have fixed widths, so that a long list needs no memory.
 */
export function linkEntry(link: Link, columns = 80): string {
  const { status, used, maxDeliveries, expiresAt, target, targets = [], label, recipients, url } = link;
  const use = maxDeliveries === undefined ? "no limit" : `${used} of ${maxDeliveries}`;
  const facts = `${STATES[status].padEnd(9)}  ${use.padEnd(8)}  ${expiresAt.slice(0, 10)}`;
  const names = [label, target ?? contentText(targets)].filter((name) => name !== undefined);
  const title = [...`  ${names.map(escapeControls).join("  ")}`];
  const short = title.length <= columns ? title.join("") : `${title.slice(0, columns - 1).join("")}…`;
  if (recipients === undefined) return `${facts}  ${url}\n${short}`;
  const people = recipients.map(({ name, url: address }) => `  ${address}  ${escapeControls(name)}`);
  return [facts, short, ...people].join("\n");
}
