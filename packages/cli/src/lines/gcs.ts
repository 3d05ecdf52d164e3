import { DaypassError } from "daypass";
import {
  type GcsEndpointOptions,
  type GcsHmacKey,
  type GcsServiceAccount,
  type GcsSignRequest,
  gcsHmacSigner,
  gcsSigner,
} from "daypass/gcs";
import { type GcsFormRequest, gcsFormSigner, gcsHmacFormSigner } from "daypass/gcs/form";
import { gcsV2HmacSigner, gcsV2Signer } from "daypass/gcs/v2";
import { BIND, uploadForm } from "./bindings.ts";
import { cache } from "./cache.ts";
import {
  checked,
  describe,
  type FieldKind,
  type Fields,
  fields,
  isObject,
  missing,
  nested,
  oneOf,
  text,
  textMap,
} from "./fields.ts";
import { GCS_PLACE, gcsEntryKeys, gcsLineVerifiers } from "./gcs-entry.ts";
import { LIFETIME, type LineLifetime, lifetime, signingTime } from "./lifetime.ts";
import type { LineResult, LineScheme, SignLine } from "./line-scheme.ts";
import { type TimedSigner, timedSigner } from "./timed-signer.ts";
import { expectHostName } from "./virtual-endpoint.ts";

/** Lines of the scheme `gcs`: Cloud Storage V4, V2 and upload forms, by service accounts and by HMAC keys. */
export const gcsLineScheme: LineScheme = {
  signer: gcsLineSigner,
  verifiers: gcsLineVerifiers,
  explainKeys: gcsEntryKeys,
};

type LineCredentials = GcsServiceAccount | GcsHmacKey;

/** A line of `sign --batch` with `"scheme":"gcs"`, once its fields have been checked. */
interface GcsLine extends Omit<GcsSignRequest, keyof LineLifetime>, LineLifetime, GcsEndpointOptions {
  readonly version?: string;
  readonly credentials?: LineCredentials;
  readonly form?: Omit<GcsFormRequest, keyof LineLifetime>;
}

const HMAC_KEY = nested(fields({ accessKeyId: text, secretAccessKey: text }));
// Google's file has many more members, and is taken as it is.
const isKeyFile = (value: unknown): boolean =>
  isObject(value) && text.accepts(value["client_email"]) && text.accepts(value["private_key"]);
const CREDENTIALS: FieldKind = {
  expected: "the key file of a service account, or {accessKeyId, secretAccessKey}",
  accepts: (value) => isKeyFile(value) || HMAC_KEY.accepts(value),
};

const COMMON: Readonly<Record<string, FieldKind>> = {
  ...{ scheme: text, version: text, credentials: CREDENTIALS },
  ...GCS_PLACE,
  ...LIFETIME,
};
const OBJECT: Readonly<Record<string, FieldKind>> = {
  ...{ bucket: text, object: text, prefix: text, bind: nested(BIND), response: textMap },
  dotSegments: oneOf("refuse", "sign"),
};
const LINE: Fields = fields({ ...COMMON, ...OBJECT, method: text, query: textMap, headers: textMap });
const FORM_LINE: Fields = fields({ ...COMMON, form: uploadForm(OBJECT) });

type Signable = GcsSignRequest & GcsFormRequest;
type Make<C> = (options: GcsEndpointOptions & { readonly credentials: C; readonly clock: () => Date }) => {
  sign(request: Signable): LineResult | Promise<LineResult>;
};

/** The library's functions for one version, by the kind of key: only the command line has a switch. */
interface Dialect {
  readonly account: Make<GcsServiceAccount>;
  readonly hmac: Make<GcsHmacKey>;
}

const FORMS: Dialect = { account: gcsFormSigner, hmac: gcsHmacFormSigner };
const VERSIONS: ReadonlyMap<unknown, Dialect> = new Map([
  ["v4", { account: gcsSigner, hmac: gcsHmacSigner }],
  ["v2", { account: gcsV2Signer, hmac: gcsV2HmacSigner }],
]);

// Signers are kept by their options, so that a key is read once.
function gcsLineSigner(): SignLine {
  const signers = cache<TimedSigner<Signable>>();
  return (object) => {
    const isForm = Object.hasOwn(object, "form");
    const dialect = dialectOf(object["version"], { isForm });
    const line = checked<GcsLine>(object, isForm ? FORM_LINE : LINE);
    const time = signingTime(line);
    const { version, addressing, endpoint, universeDomain, credentials } = line;
    if (credentials === undefined)
      throw missing(
        "credentials",
        "give client_email and private_key, or accessKeyId and secretAccessKey, in each line",
      );
    const options = { addressing, endpoint, ...(universeDomain === undefined ? {} : { universeDomain }) };
    const name = JSON.stringify([isForm, version, options, credentials]);
    const signer = signers(name, () => {
      expectHostName(endpoint, addressing);
      return timedSigner((clock) =>
        "client_email" in credentials
          ? dialect.account({ ...options, credentials, clock })
          : dialect.hmac({ ...options, credentials, clock }),
      );
    });
    return signer.sign(gcsRequest(line), time);
  };
}

function dialectOf(version: unknown = "v4", { isForm }: { readonly isForm: boolean }): Dialect {
  const found = VERSIONS.get(version);
  if (found !== undefined && !isForm) return found;
  if (version === "v4") return FORMS;
  const shown = typeof version === "string" ? JSON.stringify(version).slice(0, 40) : describe(version);
  const known = isForm ? '"v4" for a form' : '"v4" or "v2"';
  throw new DaypassError("INVALID_INPUT", `expected version ${known}, found ${shown}: there is no other`);
}

/** The library's request. All that a line can say is handed on, so that what a version cannot bind is refused by its signer. */
function gcsRequest(line: GcsLine): Signable {
  const { bucket, object, method, query, headers, response, bind, prefix, dotSegments } = line;
  const asked = line.form ?? { bucket, object, method, query, headers, response, bind, prefix, dotSegments };
  return { ...asked, ...lifetime(line) };
}
