import { parseEpoch } from "../../core/validity.ts";
import { compileExpression, DEFAULT_EXPRESSION } from "../../schemes/nginx/canonical.ts";
import { DEFAULT_PARAMETERS } from "../../schemes/nginx/parse.ts";
import { nginxVerifier } from "../../schemes/nginx/verify.ts";
import type { Explainer } from "../explainer.ts";
import { readParameters } from "../parameters.ts";
import { edgeExplainer } from "./edge-explainer.ts";
import type { NginxExplainKey } from "./keys.ts";
import type { EdgeKind } from "./kind.ts";

const EXPRESSIONS: readonly string[] = [
  DEFAULT_EXPRESSION,
  "$secure_link_expires$uri$remote_addr $secret",
  "$secure_link_expires$uri$secret",
  "$secure_link_expires$uri$remote_addr$secret",
  "$uri$secure_link_expires $secret",
  "$uri$secure_link_expires$remote_addr $secret",
  "$secure_link_expires$host$uri $secret",
];

const kind: EdgeKind<NginxExplainKey> = {
  scheme: "nginx",
  what: "A link for nginx' secure_link",
  signedBy: "the secret in nginx.conf",
  mayEndEarlier: "when the secret in nginx.conf is replaced",
  detects: ({ target }) => /[?&]md5=[A-Za-z0-9_-]{22}(?:=*)(?:&|$)/.test(target),
  read(url, _cookie, key) {
    const names = { ...DEFAULT_PARAMETERS, ...key?.parameters };
    const values = new Map(readParameters(url));
    const end = values.get(names.expires) ?? "";
    const expression = key?.expression ?? (end === "" ? "$uri $secret" : DEFAULT_EXPRESSION);
    const { variables, ambiguous } = compileExpression(expression);
    const signed = variables.filter((name) => name !== "secret");
    const isOwn = (name: string): boolean =>
      name === names.signature || name === names.expires || variables.includes(`arg_${name.toLowerCase()}`);
    return {
      signature: values.get(names.signature) ?? "",
      end,
      endsAt: parseEpoch(end),
      binds: [
        `${signed.map((name) => `$${name}`).join(" ")}${key === undefined ? " (or what secure_link_md5 says)" : ""}`,
      ],
      leavesOpen: [
        ...(signed.includes("request_method") ? [] : ["method"]),
        ...(signed.includes("host") ? [] : ["scheme and host"]),
        ...["parameters that the expression does not name", "headers", "body"],
        ...(signed.includes("remote_addr") ? [] : ["who uses it, from where, and how often"]),
      ],
      weak: ["plain-md5", ...(ambiguous ? (["unseparated-fields"] as const) : []), "no-expiry"],
      traps: signed.includes("secure_link_expires")
        ? [
            {
              name: "a-second-longer",
              text: "nginx still serves it in the second it expires; a Daypass verifier does not.",
            },
          ]
        : [],
      isOwn,
      signs: { host: signed.includes("host"), query: false, address: signed.includes("remote_addr") },
    };
  },
  someKey: ({ end }) => ({
    ...({ scheme: "nginx", secret: "-" } as const),
    expression: end === "" ? "$uri $secret" : undefined,
  }),
  verifier: ({ secret, expression, parameters }, options) =>
    nginxVerifier({ ...options, secrets: secret, expression, parameters }),
  *otherwise(key) {
    for (const expression of EXPRESSIONS) {
      if (expression !== (key.expression ?? DEFAULT_EXPRESSION))
        yield [`for the expression "${expression}"`, { ...key, expression }];
    }
  },
};

export const nginxExplainer: Explainer = edgeExplainer(kind);
