import type { BrowserUpload, Cause } from "daypass/explain";
import { escapeControls, table } from "../../terminal-text.ts";
import type { VerifiedExplanation } from "./key-verdict.ts";

/** An explanation as text. The cause comes first. */
export function explanationText(explanation: VerifiedExplanation): string {
  const { cause, summary, signedBy, grants, binds, leavesOpen, mustSend, conditions, traps, mayEndEarlier } =
    explanation;
  const { signedAt, startsAt, endsAt } = explanation;
  const rows = [
    ["scheme", explanation.scheme],
    ["signed by", signedBy],
    ...(explanation.signatureFits === true ? [["signature", "fits the key that was given"]] : []),
    ["grants", `${grants.methods?.join(", ") ?? "one method (the URL does not say which)"} on ${grants.resource}`],
    ...(signedAt === undefined ? [] : [["signed at", signedAt.toISOString()]]),
    ...(startsAt === undefined ? [] : [["starts at", startsAt.toISOString()]]),
    ...(endsAt === undefined
      ? []
      : [["ends at", `${endsAt.toISOString()}${mayEndEarlier === undefined ? "" : `, or earlier: ${mayEndEarlier}`}`]]),
    ["binds", binds.join(", ")],
    ["leaves open", leavesOpen.join(", ")],
    ...mustSend.map(({ name, value }) => ["must send", `${name}: ${value ?? "(value unknown)"}`]),
    ...(conditions ?? []).map(({ says, met }) => ["condition", met === false ? `${says} (not met)` : says]),
    ...traps.map(({ name, text }) => ["trap", `${name}: ${text}`]),
  ];
  return [
    ...(cause === undefined ? [] : [causeText(cause), ""]),
    escapeControls(summary),
    table(rows.map((row) => ["", ...row])),
    ...(explanation.browser === undefined ? [] : ["", browserText(explanation.browser)]),
  ].join("\n");
}

/** The cause of a refusal, the remedy and the evidence. */
export function causeText({ sentence, fix, evidence }: Cause): string {
  return [sentence, `→ ${fix}`, ...evidence.map((line) => `  ${line}`)].map(escapeControls).join("\n");
}

/** The settings that a page needs to upload, ready to paste. */
function browserText({ contentSecurityPolicy, cors, corsIsSetBy }: BrowserUpload): string {
  return [
    "For an upload by a page:",
    `  Content-Security-Policy: ${contentSecurityPolicy}`,
    `  CORS rule, set by ${corsIsSetBy}:`,
    JSON.stringify(cors, undefined, 2).replace(/^/gm, "  "),
  ].join("\n");
}
