import type { Grant } from "daypass";
import { isDaypassError } from "daypass";
import {
  checked,
  httpOrigin,
  ipAddress,
  moment,
  oneArgument,
  type ParsedArguments,
  pairs,
  parseArguments,
  requestMethod,
} from "../../arguments.ts";
import { BATCH_HELP, BATCH_OPTIONS, refuseBatchOptions, withOutput } from "../../batch/options.ts";
import { type Command, type Context, type ExitStatus, print, UsageError } from "../../command.ts";
import { findAvailableKeys } from "../../credentials/available-keys.ts";
import { wireRequest } from "../../lines/request.ts";
import { grantJson } from "../../lines/verify-line.ts";
import { escapeControls, table } from "../../terminal-text.ts";
import { servedTarget } from "../sign/served-target.ts";
import { verifyWithKeys } from "./available-verifiers.ts";

const OPTIONS = {
  method: { type: "string" },
  header: { type: "string", multiple: true },
  "remote-address": { type: "string" },
  subject: { type: "string" },
  audience: { type: "string" },
  origin: { type: "string", multiple: true },
  at: { type: "string" },
  state: { type: "string" },
  profile: { type: "string" },
  schemes: { type: "string" },
  json: { type: "boolean" },
} as const;

type Options = ParsedArguments<typeof OPTIONS>["values"];

const URL_OPTIONS = (Object.keys(OPTIONS) as (keyof typeof OPTIONS)[]).filter((name) => name !== "json");

export const verifyCommand: Command = {
  help: `daypass verify URL [options]
daypass verify --batch FILE|- [--out FILE] [--workers N]

Checks whether a server with the same key would accept the request, and what it grants. Nothing is sent.
Exit status: 0 if granted, 1 if refused.

  --method GET          the method of the request                 --header 'N: V'        a header of the request
  --remote-address IP   the client's address                      --subject TEXT         the proven identity of the sender
  --audience TEXT       required audience of Daypass URLs         --origin ORIGIN        accepted origins (default: the URL's)
  --at INSTANT          verify as if at this time                 --json                 print the result as one object
Keys
  --state DIR           all active keys of a gateway's state; by default, of the gateway on this machine that serves the URL
  otherwise             DAYPASS_KEY or DAYPASS_KEY_FILE (a JWK or a set), and the keys of each cloud as for daypass sign (--profile)
  --schemes FILE|-      more keys, of any scheme: JSON, one entry or a list, as in the schemes of a --batch line

${BATCH_HELP}`,
  async run(args, context) {
    const { values, positionals } = parseArguments(args, { ...BATCH_OPTIONS, ...OPTIONS });
    if (values.batch !== undefined) {
      if (positionals.length > 0) throw new UsageError("--batch and a URL are both given. Leave one out");
      const foreign = URL_OPTIONS.find((name) => values[name] !== undefined);
      if (foreign !== undefined)
        throw new UsageError(
          `--${foreign} has no effect with --batch. Leave it out: each line has its own request, at, subject and schemes`,
        );
      const { verifyBatch } = await import("./batch.ts");
      return verifyBatch(withOutput({ ...values, batch: values.batch }), context);
    }
    refuseBatchOptions(values);
    const url = oneArgument(positionals, "the URL is missing. Give it in quotes");
    return verifyOne(url, values, context);
  },
};

async function verifyOne(url: string, options: Options, context: Context): Promise<ExitStatus> {
  const { method, header, subject, audience, state, at } = options;
  const now = at === undefined ? new Date() : moment("--at", at);
  const { stdout } = context;
  checked(method, (text) => requestMethod("--method", text));
  checked(options["remote-address"], (text) => ipAddress("--remote-address", text));
  for (const origin of options.origin ?? []) httpOrigin("--origin", origin, { wildcard: true });
  try {
    const headers = pairs("--header", header, ":");
    const received = wireRequest({
      url,
      ...(method === undefined ? {} : { method }),
      ...(headers === undefined ? {} : { headers }),
      ...(options["remote-address"] === undefined ? {} : { remoteAddress: options["remote-address"] }),
    });
    const keys = await findAvailableKeys(
      { ...options, state: state ?? servedState(url, options, context), now },
      context,
    );
    const grant = await verifyWithKeys(received, keys, {
      now,
      subject,
      audience,
      state,
      origins: options.origin,
    });
    await print(stdout, options.json === true ? grantJson(grant) : grantText(grant, now));
    return 0;
  } catch (error) {
    if (!isDaypassError(error)) throw error;
    const { code, message } = error;
    if (options.json === true) await print(stdout, JSON.stringify({ ok: false, code, message }));
    else await print(stdout, `refused: ${code}\n${escapeControls(message)}`);
    return 1;
  }
}

/** The state of the gateway of a URL, unless other keys are given. DAYPASS_KEY verifies Daypass URLs only. */
function servedState(url: string, { profile, schemes }: Options, { env }: Context): string | undefined {
  const target = url.includes("dp-key=") ? url : undefined;
  const isOpen = schemes === undefined && profile === undefined;
  return isOpen ? servedTarget(target, { endpoint: url }, env)?.state : undefined;
}

function grantText(grant: Grant, now: Date): string {
  const left = Math.floor((grant.expiresAt.getTime() - now.getTime()) / 1000);
  const [path] = grant.target.split("?");
  return `granted\n${table([
    ["  scheme", grant.scheme],
    ["  key", grant.keyId],
    ["  methods", grant.methods.join(", ")],
    ["  path", path ?? ""],
    ["  until", `${grant.expiresAt.toISOString()}   (${left} s)`],
    ["  grant id", grant.id],
    ...grant.obligations.map(({ kind, ...facts }) => [
      "  on condition",
      `${kind} ${Object.keys(facts).length === 0 ? "" : JSON.stringify(facts)}`,
    ]),
  ])}`;
}
