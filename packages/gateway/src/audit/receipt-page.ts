/** A receipt on paper: what happened in words, what that proves, and all that is needed to check it. */
import { type Content, html } from "../pages/html.ts";
import { layout, sizeText, timeText } from "../pages/layout.ts";
import { fact, heading, ticket } from "../pages/ticket.ts";
import type { AuditEntry } from "../state/contract/audit.ts";
import type { AuditAction } from "../state/contract/events.ts";
import type { Head } from "./head.ts";
import type { Receipt } from "./receipt.ts";

const LANGUAGE = "en";

/** What happened, for people. Every other action has its name. */
const HAPPENED: Readonly<Partial<Record<AuditAction, string>>> = {
  "link.created": "A link was created",
  "link.edited": "A link was changed",
  "link.revoked": "A link was revoked",
  "delivery.claimed": "A recipient asked for a delivery",
  "delivery.started": "A delivery began",
  "delivery.completed": "A delivery was completed: every byte was handed to the connection",
  "delivery.failed": "A delivery ended before every byte was handed to the connection",
};

/**
 * A receipt as a page to print, in English, with the receipt and the public key in it. Does not verify the receipt: pass the head that
 * `readReceipt` returned.
 *
 * @param publicKey the public keys of the gateway, PEM
 * @example
 * ```ts
 * import { publicKeys, readReceipt, type Receipt, receiptPage } from "@daypass/gateway/audit";
 *
 * export function print(receipt: Receipt, pem: string): string | undefined {
 *   const head = readReceipt(receipt, publicKeys(pem));
 *   return head && receiptPage(receipt, { head, publicKey: pem });
 * }
 * ```
 */
export function receiptPage(
  receipt: Receipt,
  { head, publicKey }: { readonly head: Head; readonly publicKey: string },
): string {
  const record = JSON.parse(receipt.record) as AuditEntry & { readonly time: string };
  const what = HAPPENED[record.action] ?? record.action;
  const facts: readonly (readonly [name: string, value: Content])[] = [
    ["When", timeText(new Date(record.time), LANGUAGE)],
    ["Result", record.result === "ok" ? "done" : `refused: ${record.result}`],
    ["By", record.by],
    ["Link", record.link],
    ["Recipient", record.recipient],
    ["Object", record.target],
    ["Bytes", record.bytes === undefined ? undefined : `${record.bytes} (${sizeText(record.bytes, LANGUAGE)})`],
    ["Client’s address", record.address],
    ["Subject", record.subject],
    ["Detail", record.detail],
    ["Record", `${receipt.sequence} of the writer ${head.writer}`],
    ["Signed", html`${timeText(new Date(head.time), LANGUAGE)}, with the key ${head.key}`],
  ];
  const known = facts.map(([name, value]) => value !== undefined && fact(name, html`<bdi>${value}</bdi>`));
  return layout(
    { language: LANGUAGE },
    {
      title: `Receipt: record ${receipt.sequence} of ${head.writer}`,
      main: html`${ticket(heading("ok", "check", what), known)}
<div class="doc">
<h2>What this proves</h2>
<p>The gateway that holds the signing key recorded this event before the time of signing. The record was not changed since.</p>
<p>It does not prove who sat at the client’s address, or that a person read what was delivered. The time is the time of the gateway’s clock.</p>
<h2>How to check it</h2>
<ol>
<li>Get the public key from its owner by another way, and compare it with the key below.
<li>Save the receipt below as <code>receipt.json</code> and the key as <code>audit.pub</code>.
<li>Run <code>npx @daypass/cli audit verify --receipt receipt.json --key audit.pub</code>, or
<code>python3 verify_audit.py audit.pub --receipt receipt.json</code>. Both print an error if one byte differs.
</ol>
<h2>Receipt</h2>
<pre>${JSON.stringify(receipt)}</pre>
<h2>Public key</h2>
<pre>${publicKey.trim()}</pre>
</div>`,
    },
  );
}
