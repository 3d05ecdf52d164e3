import { mkdir, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DaypassError, errorCodes, problem } from "daypass";
import { type UrlHmacKey, type UrlKey, type UrlKeyScope, urlVerifier } from "daypass/url";
import { duration, mapped, parseArguments } from "../../arguments.ts";
import { type Command, CommandError, type Context, type ExitStatus, print, UsageError } from "../../command.ts";
import { environmentUrlKeys } from "../../credentials/url-keys.ts";
import { writeError } from "../../files.ts";
import { NGINX_MODULE } from "./nginx-module.ts";

export const edgeCommand: Command = {
  help: `daypass edge nginx --origin URL --out DIR     write what nginx needs to verify Daypass URLs by itself (HMAC-SHA256)

Writes an njs module, a file with the keys (readable by its owner only), and two files to include in the configuration of nginx, which needs
its module js (Debian: libnginx-mod-http-js). To replace a key, run the command with the old and the new key, reload nginx, sign with the new
one, and run it again without the old one when its last URL has expired.

nginx knows no revocation and no identity: to withdraw a URL, remove its key. URLs with uses, a subject or a condition on the body are refused.

  --origin URL          what clients call, scheme://host[:port]; can be repeated
  --audience TEXT       the purpose that URLs must have been signed for
  --max-skew DURATION   how far a signing time may be in the future (default 60s, at most 900s)
  --out DIR             the folder to write to, created if missing

The keys come from DAYPASS_KEY or DAYPASS_KEY_FILE: a JWK or a JWK set of kty "oct".`,
  async run(args, context) {
    const { values, positionals } = parseArguments(args, {
      origin: { type: "string", multiple: true },
      audience: { type: "string" },
      "max-skew": { type: "string" },
      out: { type: "string" },
    });
    if (positionals.join(" ") !== "nginx") throw new UsageError("edge needs a server. Write edge nginx");
    const { origin: origins = [], audience, out } = values;
    if (origins.length === 0 || out === undefined) throw new UsageError("edge nginx needs --origin and --out");
    const maxSkew = mapped(values["max-skew"], (text) => duration("--max-skew", text));
    const keys = await environmentUrlKeys(context);
    if (keys.length === 0) throw new CommandError("there is no key. Set DAYPASS_KEY or DAYPASS_KEY_FILE to a JWK");
    // Checks keys and origins with the rules of every verifier.
    urlVerifier({ keys, origins, audience, maxSkew });
    return await write(resolve(out), settingsFor({ keys: keys.map(hmacKey), origins, audience, maxSkew }), context);
  },
};

function hmacKey(key: UrlKey): UrlHmacKey {
  if (key.kty === "oct") return key;
  throw new CommandError(`key ${key.kid} is an Ed25519 key, which njs cannot verify: leave it out, or use the gateway`);
}

interface Settings {
  readonly keys: readonly UrlHmacKey[];
  readonly origins: readonly string[];
  readonly audience: string | undefined;
  readonly maxSkew: number | undefined;
}

/** The settings as the module reads them. The words before names keep `constructor` and its like from being found. */
function settingsFor({ keys, origins, audience, maxSkew = 60 }: Settings): object {
  return {
    // As in the URL, so that the module does not decode.
    audience: audience === undefined ? null : new URLSearchParams({ a: audience }).toString().slice(2),
    skew: maxSkew,
    origins: Object.fromEntries(
      origins.flatMap((origin) => {
        const part = `daypass-url-v1\n5:HS256\n${origin.length}:${origin}\n`;
        const host = new URL(origin).hostname;
        return authoritiesOf(origin).map((authority) => [`host ${authority}`, { origin, part, host }]);
      }),
    ),
    keys: Object.fromEntries(keys.map(({ kid, k, scope }) => [`kid ${kid}`, { k, scope: scope && scopeFor(scope) }])),
    refusals: Object.fromEntries(
      errorCodes.flatMap((code) => {
        const answer = problem(new DaypassError(code, ""));
        return answer ? [[code, JSON.parse(answer.body) as object]] : [];
      }),
    ),
  };
}

/** njs 0.8 gives preloaded arrays no methods, so lists become texts with spaces around each item. */
function scopeFor(scope: UrlKeyScope): object {
  const { origins, methods, ...rest } = scope;
  return { ...rest, origins: origins && ` ${origins.join(" ")} `, methods: methods && ` ${methods.join(" ")} ` };
}

/** The spellings of `Host` that select an origin: the default port may be written. */
function authoritiesOf(origin: string): readonly string[] {
  const authority = origin.replace(/^https?:\/\//, "");
  if (/:\d+$/.test(authority)) return [authority];
  return [authority, `${authority}:${origin.startsWith("https:") ? 443 : 80}`];
}

async function write(folder: string, settings: object, { stdout }: Context): Promise<ExitStatus> {
  const files = {
    "daypass.js": NGINX_MODULE,
    "daypass-keys.json": `${JSON.stringify(settings, null, 1)}\n`,
    "daypass-http.conf": `# In the block "http": include "${folder}/daypass-http.conf";
js_import daypass from "${folder}/daypass.js";
js_preload_object daypass_settings from "${folder}/daypass-keys.json";
js_set $daypass daypass.verify;
js_set $daypass_args daypass.args;
`,
    "daypass-verify.conf": `# In each "location" to protect: include "${folder}/daypass-verify.conf";
# Before a proxy_pass, add: set $args $daypass_args;
if ($daypass != granted) { return 418; }
error_page 418 = @daypass_refused;
js_header_filter daypass.headers;
`,
    "daypass-server.conf": `# In the block "server": include "${folder}/daypass-server.conf";
location @daypass_refused { js_content daypass.refuse; }
`,
  };
  try {
    await mkdir(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      const path = join(folder, name);
      await writeFile(`${path}.new`, text, { mode: name.endsWith(".json") ? 0o600 : 0o644 });
      // nginx may be reading the old file.
      await rename(`${path}.new`, path);
    }
  } catch (error) {
    throw writeError("--out", folder, error);
  }
  for (const name of Object.keys(files)) await print(stdout, join(folder, name));
  return 0;
}
