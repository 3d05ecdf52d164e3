import type { Grant } from "daypass";
import { isDaypassError } from "daypass";
import { type ParsedArguments, pairs, parseArguments } from "../arguments.ts";
import { awsSettings } from "../aws/settings.ts";
import { type Command, type Context, type ExitStatus, print, UsageError } from "../command.ts";
import { instant } from "../lines/instant.ts";
import { wireRequest } from "../lines/request.ts";
import { schemeVerifiers } from "../lines/verifiers.ts";
import { grantFields, schemeName } from "../lines/verify-line.ts";
import { environmentUrlKeys } from "../sign/url-key.ts";
import { keyStore } from "../state/key-store.ts";
import { urlKey } from "../state/scoped-key.ts";
import { stateFolder } from "../state/state-folder.ts";
import { table } from "../table.ts";
import { BATCH_HELP, BATCH_OPTIONS, batchCommand, refuseBatchOptions } from "./batch.ts";

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
  json: { type: "boolean" },
} as const;

type Options = ParsedArguments<typeof OPTIONS>["values"];

export const verifyCommand: Command = {
  help: `daypass verify URL [options]
daypass verify --batch FILE|- [--out FILE] [--workers N]

Tells whether a server with the same key would accept the request, and what it grants. Nothing is sent.
Exit status 0 for a grant, 1 for a refusal.

  --method GET          the method of the request                 --header 'N: V'        a header of it
  --remote-address IP   who sends it                              --subject TEXT         the identity that was proved
  --audience TEXT       what Daypass URLs must be for             --origin ORIGIN        origins that are served; the URL's own by default
  --at INSTANT          verify as if it were then                 --json                 {"ok":true,"scheme","grant"} or {"ok":false,"code","message"}
Keys
  --state DIR           all active keys of a gateway's state
  otherwise             DAYPASS_KEY or DAYPASS_KEY_FILE (a JWK or a set), and an AWS access key as for daypass sign (--profile)

${BATCH_HELP}`,
  async run(args, context) {
    const { values, positionals } = parseArguments(args, { ...BATCH_OPTIONS, ...OPTIONS });
    if (values.batch !== undefined) {
      if (positionals.length > 0) throw new UsageError("expected --batch or a URL, found both");
      return batchCommand("verify", { ...values, batch: values.batch }, context);
    }
    refuseBatchOptions(values);
    const [url, second] = positionals;
    if (url === undefined || second !== undefined)
      throw new UsageError(`expected one URL, found ${positionals.length}: quote it, and use --batch for many`);
    return verifyOne(url, values, context);
  },
};

async function verifyOne(url: string, options: Options, context: Context): Promise<ExitStatus> {
  const { method, header, subject, at } = options;
  const now = at === undefined ? new Date() : instant("--at", at);
  const { stdout } = context;
  try {
    const headers = pairs("--header", header, ":");
    const received = wireRequest({
      url,
      ...(method === undefined ? {} : { method }),
      ...(headers === undefined ? {} : { headers }),
      ...(options["remote-address"] === undefined ? {} : { remoteAddress: options["remote-address"] }),
    });
    const schemes = await schemeEntries(options, context);
    const verifier = schemeVerifiers(schemes, { origin: received.origin, clock: () => now });
    const grant = await verifier.verify(received.request, { subject });
    if (options.json === true) {
      await print(stdout, JSON.stringify({ ok: true, scheme: schemeName(grant), grant: grantFields(grant) }));
    } else await print(stdout, grantText(grant, now));
    return 0;
  } catch (error) {
    if (!isDaypassError(error)) throw error;
    const { code, message } = error;
    if (options.json === true) await print(stdout, JSON.stringify({ ok: false, code, message }));
    else await print(stdout, `refused: ${code}\n${message}`);
    return 1;
  }
}

/** The keys that are at hand, in the form of a line's `schemes`. */
async function schemeEntries(options: Options, context: Context): Promise<readonly object[]> {
  const { audience, origin: origins } = options;
  const common = origins === undefined ? {} : { origins };
  const s3: object[] = [];
  const url: object[] = [];
  if (options.state === undefined) {
    url.push(...(await environmentUrlKeys(context)));
    // Who verifies a Daypass URL need not have an AWS key at all.
    const found = awsSettings(context.env, options.profile);
    const settings =
      url.length === 0 || options.profile !== undefined ? await found : await found.catch(() => undefined);
    if (settings !== undefined) s3.push(fromCredentials(settings.credentials));
  } else {
    const folder = stateFolder(options.state, context.env);
    for (const key of await keyStore({ folder, env: context.env, clock: () => new Date() }).active()) {
      if (key.kind === "s3") s3.push(fromCredentials(key.credentials));
      else url.push(urlKey(key));
    }
  }
  return [
    ...(s3.length === 0 ? [] : [{ scheme: "s3", credentials: s3, ...common }]),
    ...(url.length === 0
      ? []
      : [{ scheme: "url", keys: url, ...(audience === undefined ? {} : { audience }), ...common }]),
  ];
}

function fromCredentials({ expiration, ...credentials }: { readonly expiration?: Date | undefined }): object {
  return expiration === undefined ? credentials : { ...credentials, expiration: expiration.toISOString() };
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
