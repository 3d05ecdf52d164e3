import { FILE_NAME, type FieldCondition } from "../../forms/policy.ts";
import type { Trap } from "../explanation.ts";
import type { FormFacts, FormKind } from "./kinds.ts";
import { isFieldCondition, lengthRange, type ReadPolicy } from "./policy.ts";
import type { FormView } from "./view.ts";

interface Parts {
  readonly kind: FormKind;
  readonly form: FormView;
  readonly policy: ReadPolicy;
  readonly facts: FormFacts;
  readonly now: Date;
}

type Add = (name: string, text: string) => void;

/** Pitfalls of a signed form. */
export function formTraps(parts: Parts): readonly Trap[] {
  const { kind, form } = parts;
  const traps: Trap[] = [];
  const add: Add = (name, text) => void traps.push({ name, text });
  if (form.url.protocol === "http") add("http", "Plain http: anyone who sees the traffic can use the form, too.");
  addOpen(parts, add);
  addChangedOnTheWay(form, add);
  if (kind.scheme === "s3/form/v2") {
    add("sigv2", "Signature Version 2: HMAC-SHA1 with the secret itself; AWS regions since 2014 refuse it.");
  }
  addEnds(parts, add);
  return traps;
}

/** Values that the holder can choose. */
function addOpen({ kind, policy: { conditions } }: Parts, add: Add): void {
  const on = (field: string): readonly FieldCondition[] =>
    conditions.filter(isFieldCondition).filter((condition) => condition.field === field);
  /** The required start of a field; `undefined` if its value is fixed or the policy does not name it. */
  const open = (field: string): string | undefined =>
    on(field).some(({ operator }) => operator === "eq") ? undefined : on(field)[0]?.value;

  const range = lengthRange(conditions);
  if (range === undefined) {
    add("open-length", `No content-length-range: the holder may upload as much as ${kind.provider} accepts.`);
  } else if (range.min > range.max) {
    add("empty-range", "Its content-length-range conditions exclude each other: no file fits.");
  }
  const key = open("key");
  if (key === "") add("any-key", "The key may be anything: the holder can overwrite every object in the bucket.");
  else if (key !== undefined && !key.endsWith("/")) {
    add("loose-prefix", `The key only has to start with ${JSON.stringify(key)}: ${key}x and ${key}/x are open, too.`);
  }
  const type = open("content-type");
  if (on("content-type").length === 0) {
    add(
      "open-content-type",
      `No condition on Content-Type: the object gets ${kind.provider}'s default (binary/octet-stream), as the field may not be sent.`,
    );
  } else if (type === "" || type === "text/") {
    add("open-content-type", "The holder chooses the Content-Type, even text/html.");
  }
  for (const field of ["success_action_redirect", "redirect"]) {
    const value = open(field);
    if (value !== undefined && !/^https?:\/\/[^/]+\//.test(value)) {
      add(
        "open-redirect",
        `${field} only has to start with ${JSON.stringify(value)}: the holder chooses where the browser goes.`,
      );
    }
  }
  if (open("acl") !== undefined || open("x-amz-acl") !== undefined) {
    add("open-acl", "The holder chooses the ACL, even public-read.");
  }
}

/** Values that browsers or file names change. */
function addChangedOnTheWay({ fields }: FormView, add: Add): void {
  for (const [name, value] of fields) {
    if (value.split(FILE_NAME)[1]) {
      add("after-the-file-name", `What follows ${FILE_NAME} in ${name} is not bound: the holder can change it.`);
    }
    if (/[\r\n]/.test(value) && name.toLowerCase() !== "policy") {
      add("line-break", `A browser sends a line break in ${name} as CR LF, which is another value.`);
    }
  }
}

/** The end of the form, by its key or by its policy. */
function addEnds({ kind, facts, policy: { endsAt }, now }: Parts, add: Add): void {
  if (facts.token !== undefined) {
    add("session-token", "The form carries a session token and expires with it, whatever its expiration says.");
  } else if (facts.keyId.startsWith("ASIA")) {
    add("missing-session-token", "An access key ASIA… is temporary and needs x-amz-security-token, which is missing.");
  }
  if (endsAt === undefined) return;
  if (endsAt <= now) add("expired", `It expired at ${endsAt.toISOString()}.`);
  const start = facts.signedAt ?? now;
  if (endsAt.getTime() - start.getTime() > SEVEN_DAYS) {
    add(
      "too-long-life",
      kind.scoping === undefined
        ? "It is valid for more than seven days."
        : "It is valid for more than seven days, but its signing key is not.",
    );
  }
}

const SEVEN_DAYS = 604_800_000;
