import { causeOf } from "./cause/combine-causes.ts";
import type { Explainer, SplitUrl } from "./explainer.ts";
import type { Cause } from "./explanation.ts";
import { urlTraps } from "./traps.ts";

/** A link has an id in base62, a delivery a token in base64url. Each opens what it names, like a signature. */
const LINK = /\/(?:l\/[0-9A-Za-z]{22}|d\/[\w-]{43})(?=[/?]|$)/;

const ASK = "Ask the sender for a new link; daypass links list shows to its owner why.";
/** The answers of links by status. Statuses of a busy or failed server have their usual meaning. */
const ANSWERS: Readonly<Record<number, readonly [code: Cause["code"], sentence: string, fix: string]>> = {
  401: [
    "PERMISSION",
    "The link asks for its password.",
    "Open the link in a browser, or send the password as its page does.",
  ],
  403: ["IP", "The link is not valid yet, or does not open from this network: its page says which.", ASK],
  404: ["NOT_FOUND", "The gateway has no such link: it was cut off or mistyped, or another gateway issued it.", ASK],
  405: ["METHOD", "A link accepts GET, HEAD and POST only.", "Send GET."],
  410: [
    "EXPIRED",
    "The link no longer opens: it has expired, is used up or was withdrawn, or its file was changed. Its page says which.",
    ASK,
  ],
};

/** The gateway's own links, which have no signature. */
export const linkExplainer: Explainer = {
  detects: ({ target }) => LINK.test(target),
  answersWithPages: true,
  explain({ url, status = 0, sent, known }) {
    const [, secret = ""] = LINK.exec(url.wire.path)?.[0].split(/\/[ld]\//) ?? [];
    const isDelivery = url.wire.path.includes(`/d/${secret}`);
    const row = ANSWERS[status];
    return {
      explanation: {
        scheme: "link",
        summary: `${isDelivery ? "A delivery of a link" : "A link"} of a Daypass gateway at ${url.authority}. It has no signature: the gateway's state decides whether it opens.`,
        signedBy: "",
        grants: { methods: ["GET", "HEAD"], resource: resourceOf(url) },
        binds: ["the link, by its secret address"],
        leavesOpen: ["who opens it, unless it has recipients, a password or networks"],
        mustSend: [],
        mayEndEarlier: isDelivery
          ? "minutes after the link was opened, and with the link"
          : "when it is withdrawn or used up",
        traps: urlTraps(url),
        cause:
          row && causeOf(...row, `The gateway answered ${known.method ? sent.method : "the request"} with ${status}.`),
      },
      hidden: [secret],
    };
  },
};

function resourceOf({ protocol, authority, wire }: SplitUrl): string {
  return `${protocol}://${authority}${wire.path}`;
}
