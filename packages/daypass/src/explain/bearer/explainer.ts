import type { WireRequest } from "../../core/contracts.ts";
import { lifeCause } from "../cause/life.ts";
import { isMismatch, otherCause, serverCause } from "../cause/server-cause.ts";
import type { ServerError } from "../error-body.ts";
import type { Explained, Explainer, Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import { redactUrl } from "../redact.ts";
import { spellings } from "../secrets.ts";
import { urlTraps } from "../traps.ts";
import type { BearerKind } from "./kind.ts";
import { BEARER_KINDS } from "./kinds.ts";
import { bearerView } from "./reading.ts";

/** URLs that are known by their host: whatever else stands in them, they are that one's. */
export const hostedBearerExplainer: Explainer = bearerExplainer(
  BEARER_KINDS.filter(({ hosts }) => hosts !== undefined),
);

/** URLs that are known by their form alone: behind all others, which say more of it. */
export const otherBearerExplainer: Explainer = last(
  bearerExplainer(BEARER_KINDS.filter(({ hosts }) => hosts === undefined)),
);

/** Behind what the caller's keys find, too. */
function last({ detects, explain }: Explainer): Explainer {
  return { detects: () => false, detectsOtherwise: detects, explain };
}

function bearerExplainer(kinds: readonly BearerKind[]): Explainer {
  const kindOf = ({ target, authority }: Pick<WireRequest, "target" | "authority">): BearerKind | undefined => {
    const host = authority.replace(/:\d+$/, "").toLowerCase();
    return kinds.find(({ hosts, form }) => hosts?.test(host) !== false && form.test(target));
  };
  return {
    detects: (request) => kindOf(request) !== undefined,
    explain(subject) {
      const { path, query } = subject.url.wire;
      const target = query === "" ? path : `${path}?${query}`;
      return explainBearer(kindOf({ target, authority: subject.url.authority }) as BearerKind, subject);
    },
  };
}

function explainBearer(kind: BearerKind, { url, now, error }: Subject): Explained {
  const view = bearerView(url);
  const { what, signedBy, methods = ["GET", "HEAD"], check, traps = [] } = kind;
  const { signedAt, startsAt, endsAt } = kind.times?.(view) ?? {};
  const secrets = kind.secrets(view).filter((secret) => secret !== "");
  const address = `${url.protocol}://${url.authority}${url.wire.path}`;
  const resource = secrets.reduce((text, secret) => text.replaceAll(secret, "…"), redactUrl(address));
  const said = error === undefined ? undefined : saidCause(error, now);
  return {
    explanation: {
      scheme: kind.scheme,
      summary: `${what} for ${resource}${endsAt === undefined ? "" : `, valid until ${endsAt.toISOString()}`}.`,
      signedBy,
      grants: { methods: typeof methods === "function" ? methods(view) : methods, resource },
      binds: kind.binds,
      leavesOpen: kind.leavesOpen ?? ["scheme", "headers", "who uses it, from where, and how often"],
      signedAt,
      startsAt,
      endsAt,
      mayEndEarlier: kind.ends,
      mustSend: [],
      traps: [
        ...urlTraps(url),
        {
          name: "bearer",
          text: "Whoever holds it can use it: beyond what it binds, nothing tells one holder from another.",
        },
        { name: "not-checked", text: `Daypass reads it, but neither makes nor checks its kind: ${check}.` },
        ...(endsAt === undefined
          ? [{ name: "no-end", text: `It does not say when it expires. It expires ${kind.ends}.` }]
          : []),
        ...traps.filter(({ has }) => has?.(view) !== false).map(({ name, text }) => ({ name, text })),
        ...(endsAt !== undefined && endsAt <= now
          ? [{ name: "expired", text: `It expired at ${endsAt.toISOString()}.` }]
          : []),
      ],
      cause: lifeCause({ startsAt, endsAt }, now) ?? kind.cause?.(view) ?? said,
    },
    hidden: secrets.flatMap(spellings),
  };
}

/** What the server says. Nobody can check a signature that it does not take. */
function saidCause(error: ServerError, now: Date): Cause {
  if (!isMismatch(error)) return serverCause(error, now) ?? otherCause(error);
  const { code, message } = error;
  return {
    code: "SIGNATURE",
    sentence: "The server rejects the URL: a part of it was changed, or it was made with a different key.",
    evidence: [`The server says ${code}${message === "" ? "" : `: ${message}`}`],
    fix: "Pass the URL on byte for byte as it was made, or ask for a new one.",
  };
}
